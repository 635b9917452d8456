/** Holds that one thread has alone: a mutex, a write hold. The word itself tells the holder's id. */
import { FencedGuard } from '../guard.js';
import type { GrantableGuard } from '../space/cell.js';
import { wideFence } from '../space/cells.js';
import { CELL_FENCE } from '../space/layout.js';

export abstract class ExclusiveGuard extends FencedGuard implements GrantableGuard {
  abstract enter(word: number): boolean;

  /** Counts the fence up. Only the owner writes it; the high half first, so that it never goes back. */
  begin(words: Int32Array, word: number): void {
    const low = ((words[word + CELL_FENCE] as number) + 1) | 0;
    if (low === 0) words[word + CELL_FENCE + 1] = (words[word + CELL_FENCE + 1] as number) + 1;
    words[word + CELL_FENCE] = low;
    const high = words[word + CELL_FENCE + 1] as number;
    this.stamp = high === 0 && low > 0 ? low : wideFence(low, high);
  }

  /** As {@link begin}, after the death of the last holder. */
  beginAbandoned(words: Int32Array, word: number): void {
    this.begin(words, word);
    this.stamp = -this.stamp;
  }
}
