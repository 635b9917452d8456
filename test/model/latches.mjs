/** What must hold of the latches, and of what is under them: see the tables in `latch.ts` and `words.ts`. */
import { bits, layout } from './space.mjs';

const SLEEPERS = 1 << 31;

/** What a word is guarded by: nothing, or it is written under the latch of the space only, or read there only as well. */
const WRITTEN = 1;
const OWN = 2;

/** Of every word, how the latch of the space guards it where threads attach, and make and dispose of locks. */
export function guardsIn({ words, geometry }) {
  const { aboutAt, recordAt, threadAt } = layout;
  const guards = new Uint8Array(words.length);
  guards[layout.HEADER_THREADS_USED] = WRITTEN;
  guards[layout.HEADER_CELLS_USED] = OWN;
  for (let cell = 0; cell < geometry.locks; cell++) {
    // Whoever has it open knows its kind without the latch, and without an operation.
    guards[aboutAt(geometry, cell) + layout.ABOUT_KIND] = WRITTEN;
    guards[aboutAt(geometry, cell) + layout.ABOUT_DISPOSED] = OWN;
  }
  // One entry more, for whoever buries: see `claimDeadEntry`.
  for (let entry = 0; entry <= geometry.threads; entry++) {
    for (const name of ['STATE', 'TID', 'START', 'NODE_ID', 'PID'])
      guards[threadAt(entry) + layout[`THREAD_${name}`]] = WRITTEN;
    guards[threadAt(entry) + layout.THREAD_INCARNATION] = OWN;
    for (let cell = 0; cell < geometry.locks; cell++)
      guards[recordAt(geometry, entry, cell) + layout.RECORD_OPEN] = OWN;
  }
  return guards;
}

/**
 * @param {Uint8Array} guards see `guardsIn`
 * @returns {Function} the `rule` of a machine
 */
export function latchRule({ words: memory, geometry }, guards) {
  const ofWord = new Map();
  for (let cell = 0; cell < geometry.locks; cell++) {
    const word = layout.cellAt(geometry, cell) + layout.CELL_WORD;
    ofWord.set(word, word + layout.CELL_LATCH);
  }
  const latches = new Set([layout.HEADER_LATCH, ...ofWord.values()]);
  const holders = new Map();
  const holdsSpace = (thread) => holders.get(layout.HEADER_LATCH) === thread;

  /** Somebody who waits for it only changes SLEEPERS. */
  const note = (thread, at, stamp, old) => {
    if (stamp === (old & ~SLEEPERS)) return;
    if (stamp === 0) holders.delete(at);
    else holders.set(at, thread);
  };

  const rule = (thread, words, at, kind, old) => {
    if (words !== memory) return;
    if (guards[at] !== 0 && (guards[at] === OWN || kind !== 'load') && !holdsSpace(thread))
      throw new Error(`thread ${thread.index} uses word ${at} without the space latch`);
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
  /** Nobody else can come in between: as long as it has the latch, that word is only its own, or only read. */
  rule.isGuarded = (thread, { at, kind }) =>
    guards[at] !== 0 && holdsSpace(thread) && (guards[at] === OWN || kind === 'load');
  return rule;
}
