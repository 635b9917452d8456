/**
 * What ties guards to their lock. Guards point at the tether that was current when they were made, and let go
 * of it when they are released; the lock points only at the current one. So when an old tether is collected
 * while something is held through it, a guard was lost, and nothing had to be registered for each guard.
 */
import type { Cell } from './cell.js';

export class Tether {
  readonly cell: Cell | null;
  readonly words: Int32Array;
  readonly doubles: Float64Array;
  /** Where the lock word lies. */
  readonly word: number;
  /** This thread's record. */
  readonly record: number;
  /** This thread's id. */
  readonly id: number;
  /** Permit and read guards that hang on it. */
  held = 0;

  constructor(
    cell: Cell | null,
    words: Int32Array,
    doubles: Float64Array,
    word: number,
    record: number,
    id: number,
  ) {
    this.cell = cell;
    this.words = words;
    this.doubles = doubles;
    this.word = word;
    this.record = record;
    this.id = id;
  }
}

/** Something with a current tether: a cell, or what stands in for one. */
export interface TetherSource {
  tether: Tether;
}

/** A tether on which every fast path fails: its word is always taken, its permits are never enough. */
export const BARRED: TetherSource = {
  tether: new Tether(null, new Int32Array(16).fill(-1), new Float64Array(8), 0, 0, 1),
};
