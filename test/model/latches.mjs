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

/** What else a word is: the word of a lock, whose latch comes with it, or a latch. */
const LOCK = 4;
const LATCH = 8;

const NOBODY = -1;

/** Tells what must hold of each operation on the memory of a space. It has one execution at a time. */
export class LatchRule {
  #memory;
  #roles;
  /** Of every word which latch it is, as an index of `#holders`. */
  #latches;
  /** Index of the thread that has a latch. When a `Map` is cleared, V8 keeps what it had until all garbage is collected. */
  #holders;

  /**
   * @param {{ words: Int32Array, geometry: object }} memory of the space
   * @param {Uint8Array} guards see `guardsIn`
   */
  constructor({ words, geometry }, guards) {
    this.#memory = words;
    this.#roles = guards.slice();
    this.#latches = new Uint8Array(words.length);
    this.#holders = new Int8Array(geometry.locks + 1);
    this.#roles[layout.HEADER_LATCH] |= LATCH;
    for (let cell = 0; cell < geometry.locks; cell++) {
      const { cellAt, CELL_WORD, CELL_LATCH } = layout;
      const latch = cellAt(geometry, cell) + CELL_LATCH;
      this.#roles[cellAt(geometry, cell) + CELL_WORD] |= LOCK;
      this.#roles[latch] |= LATCH;
      this.#latches[latch] = cell + 1;
    }
  }

  /** Before an execution: nobody has a latch. */
  reset() {
    this.#holders.fill(NOBODY);
  }

  /** After an operation: `old` is what it found. */
  check(thread, words, at, kind, old) {
    if (words !== this.#memory) return;
    const role = this.#roles[at];
    if (role === 0) return;
    if ((role & (OWN | WRITTEN)) !== 0) {
      const isFree = (role & OWN) === 0 && kind === 'load';
      if (!isFree && !this.#holdsSpace(thread))
        throw new Error(`thread ${thread.index} uses word ${at} without the space latch`);
    } else if ((role & LOCK) !== 0) {
      const isQueuedAnew = ((words[at] ^ old) & bits.QUEUED) !== 0;
      if (isQueuedAnew && !this.#holds(thread, at - layout.CELL_WORD + layout.CELL_LATCH))
        throw new Error(`thread ${thread.index} changes QUEUED without the latch`);
    } else {
      if ((kind === 'exchange' || kind === 'unlock') && !this.#holds(thread, at))
        throw new Error(`thread ${thread.index} releases a latch that it does not have`);
      this.#note(thread, at, words[at] & ~SLEEPERS, old);
    }
  }

  /** Nobody else can come in between: as long as it has the latch, that word is only its own, or only read. */
  isGuarded(thread, { at, kind }) {
    const role = this.#roles[at];
    return ((role & OWN) !== 0 || ((role & WRITTEN) !== 0 && kind === 'load')) && this.#holdsSpace(thread);
  }

  #holdsSpace(thread) {
    return this.#holds(thread, layout.HEADER_LATCH);
  }

  #holds({ index }, latch) {
    return this.#holders[this.#latches[latch]] === index;
  }

  /** Somebody who waits for it only changes SLEEPERS. */
  #note({ index }, at, stamp, old) {
    if (stamp === (old & ~SLEEPERS)) return;
    this.#holders[this.#latches[at]] = stamp === 0 ? NOBODY : index;
  }
}
