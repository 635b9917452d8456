/** Holds that one thread has alone: a mutex, a write hold. The word itself tells the holder's id. */
import { FencedGuard } from '../guard.js';
import type { GrantableGuard } from '../space/cell.js';
import { CELL_FENCE } from '../space/layout.js';
import { ABANDONED } from '../space/words.js';

export abstract class ExclusiveGuard extends FencedGuard implements GrantableGuard {
  abstract enter(word: number): boolean;

  /**
   * Takes the lock by one CAS from `word` to `taken`, and counts the fence up, which only the owner writes; the high
   * half first, so that it never goes back. False: the word had changed.
   */
  begin(words: Int32Array, at: number, word: number, taken: number): boolean {
    const seen = Atomics.compareExchange(words, at, word, taken);
    if (seen !== word) return false;
    // No calls from here on: on a full stack they could fail, with the lock taken.
    const fences = words;
    const low = ((fences[at + CELL_FENCE] as number) + 1) | 0;
    if (low === 0) fences[at + CELL_FENCE + 1] = (fences[at + CELL_FENCE + 1] as number) + 1;
    fences[at + CELL_FENCE] = low;
    const high = fences[at + CELL_FENCE + 1] as number;
    this.stamp = high === 0 && low > 0 ? low : (high >>> 0) * 2 ** 32 + (low >>> 0);
    return true;
  }

  /** As {@link begin}, after the death of the last holder if `word` says so. */
  beginAfter(words: Int32Array, at: number, word: number, taken: number): boolean {
    const wasAbandoned = (word & ABANDONED) !== 0;
    if (!this.begin(words, at, word, taken)) return false;
    if (wasAbandoned) this.stamp = -this.stamp;
    return true;
  }
}
