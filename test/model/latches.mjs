/** What must hold of the latches, and of what is under them: see the tables in `latch.ts` and `words.ts`. */
import { bits, layout } from './space.mjs';

const SLEEPERS = 1 << 31;

/** @returns {Function} the `rule` of a machine */
export function latchRule({ words: memory, geometry }) {
  const ofWord = new Map();
  for (let cell = 0; cell < geometry.locks; cell++) {
    const word = layout.cellAt(geometry, cell) + layout.CELL_WORD;
    ofWord.set(word, word + layout.CELL_LATCH);
  }
  const latches = new Set([layout.HEADER_LATCH, ...ofWord.values()]);
  const holders = new Map();

  /** Somebody who waits for it only changes SLEEPERS. */
  const note = (thread, at, stamp, old) => {
    if (stamp === (old & ~SLEEPERS)) return;
    if (stamp === 0) holders.delete(at);
    else holders.set(at, thread);
  };

  return (thread, words, at, kind, old) => {
    if (words !== memory) return;
    const latch = ofWord.get(at);
    if (latch !== undefined) {
      const isQueuedAnew = ((words[at] ^ old) & bits.QUEUED) !== 0;
      if (isQueuedAnew && holders.get(latch) !== thread)
        throw new Error(`thread ${thread.index} changes QUEUED without the latch`);
    } else if (latches.has(at)) {
      if (kind === 'exchange' && holders.get(at) !== thread)
        throw new Error(`thread ${thread.index} releases a latch that it does not have`);
      note(thread, at, words[at] & ~SLEEPERS, old);
    }
  };
}
