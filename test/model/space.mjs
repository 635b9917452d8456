/** The layout of a space, as it was built: for those who look at the memory, and are not part of the model. */
export * as layout from '../../dist/space/layout.js';
export * as bits from '../../dist/space/words.js';
