import { expect, it } from 'vitest';
import { linesThatRun } from '../../scripts/lines-that-run.mjs';

it('counts the lines of code, not comments, types, brackets and blank lines', () => {
  const source = `import { load } from './load.js'; // +
import type { Word } from './word.js';
export type { Word };

/** Says what it is. */
export interface Cell {
  word: Word;
}
type Pair = [
  Cell,
  Cell,
];
export function read(cell: Cell): number;
export function read( // +
  cell: Cell | Pair, // +
): number {
  // Why.
  return load( // +
    cell as Pair, // +
  );
}
export abstract class Lock { // +
  declare cell: Cell;
  abstract peek(): void;
  held = true; // +
  text = \` // +
    line // +
  \`; // +
}
`;
  const expected = source.split('\n').flatMap((line, index) => (line.includes('// +') ? [index + 1] : []));
  expect([...linesThatRun(source)]).toEqual(expected);
});
