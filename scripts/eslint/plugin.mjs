import { atomicsInView } from './atomics-in-view.mjs';
import { layers } from './layers.mjs';
import { noCatchAllFile } from './no-catch-all-file.mjs';
import { noHiddenAtomics } from './no-hidden-atomics.mjs';
import { oneAtomicsCall } from './one-atomics-call.mjs';

export const mortise = {
  meta: { name: 'mortise' },
  rules: {
    'atomics-in-view': atomicsInView,
    layers,
    'no-catch-all-file': noCatchAllFile,
    'no-hidden-atomics': noHiddenAtomics,
    'one-atomics-call': oneAtomicsCall,
  },
};
