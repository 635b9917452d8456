/**
 * Looks at the latches of locks: whoever holds one is in one of the queue's short sections. This is the only part of
 * the stress that knows the layout of the memory.
 */
import {
  CELL_LATCH,
  ID_MASK,
  MAX_LOCKS,
  THREAD_NODE_ID,
  cellAt,
  indexOf,
  threadAt,
} from '../../dist/space/layout.js';
import { readMemory } from '../../dist/space/memory.js';

export class Latches {
  #words;
  #latches;

  /** `locks` of one space. */
  constructor(locks) {
    const { words, geometry } = readMemory(locks[0].handle.memory);
    this.#words = words;
    this.#latches = locks.map((lock) => cellAt(geometry, lock.handle.cell % MAX_LOCKS) + CELL_LATCH);
  }

  /** The `threadId` of a thread that is in one of the sections now, or -1. */
  holder() {
    for (const latch of this.#latches) {
      const stamp = Atomics.load(this.#words, latch) & ID_MASK;
      if (stamp !== 0) return this.#words[threadAt(indexOf(stamp)) + THREAD_NODE_ID];
    }
    return -1;
  }

  isHeldBy(threadId) {
    return this.#latches.some((latch) => {
      const stamp = Atomics.load(this.#words, latch) & ID_MASK;
      return stamp !== 0 && this.#words[threadAt(indexOf(stamp)) + THREAD_NODE_ID] === threadId;
    });
  }
}
