/**
 * The bits of the lock words: what each one says, who may change it, and under what lock.
 *
 * Every kind has QUEUED as its sign bit, which makes every fast path fail while somebody waits. Flags are
 * recomputed from the records at the end of every section under the cell's latch (`WaitQueue.settle`), so a
 * flag that a dying thread left behind is mended by the next thread that takes the latch.
 *
 * Mutex
 *
 * | bits | says | set | cleared |
 * |---|---|---|---|
 * | 0-23 OWNER | id of the holder, 0: free | by its holder, CAS from 0 | by its holder; by a reaper, under the latch |
 * | 24 ABANDONED | the last holder died | by a reaper, under the latch | by the next holder, in the CAS that takes the lock |
 * | 25 WAKE | somebody was woken and has not answered yet: a release need not wake | by a releaser in the CAS that frees the lock; `settle` | `settle` |
 * | 26 STARVING | the first in the queue has waited too long: no barging | by the first, under the latch; by a releaser in the CAS that frees the lock | by whoever takes the lock next; `settle`, when the queue is empty |
 * | 31 QUEUED | the queue is not empty | `settle` | `settle` |
 *
 * Semaphore
 *
 * | bits | says | set | cleared |
 * |---|---|---|---|
 * | 0-29 | permits free | by CAS: acquire and release | |
 * | 30 RECOVER | the permits are being recounted: do not touch the word (always together with QUEUED) | `WaitQueue.recover` | `WaitQueue.recover` |
 * | 31 QUEUED | the queue is not empty | `settle` | `settle` |
 *
 * Read-write lock
 *
 * | bits | says | set | cleared |
 * |---|---|---|---|
 * | 0-23 | WRITER: id of the writer, else number of read holds | by CAS | by CAS |
 * | 24 ABANDONED | the last writer died, and no writer was told | by a reaper, under the latch | by the next writer, in the CAS that takes the lock |
 * | 29 WRITER | held by a writer | by the writer | by the writer; by a reaper, under the latch |
 * | 30 RECOVER | as above | | |
 * | 31 QUEUED | the queue is not empty | `settle` | `settle` |
 */
import { ID_MASK, KIND_MUTEX, KIND_READ_WRITE_LOCK, KIND_REENTRANT_MUTEX, KIND_SEMAPHORE } from './layout.js';

export const QUEUED: number = 1 << 31;
export const RECOVER: number = QUEUED | (1 << 30);

/** Mutex: the holder's id. Read-write lock: the writer's id, or the number of read holds. */
export const OWNER: number = ID_MASK;
export const ABANDONED: number = 1 << 24;
export const WAKE: number = 1 << 25;
export const STARVING: number = 1 << 26;
export const WRITER: number = 1 << 29;

export const MAX_PERMITS: number = (1 << 30) - 1;
/** A writer weighs as much as all the readers there can be. */
export const WRITE_WEIGHT: number = ID_MASK;

/**
 * What the queue has to know of a word. To it, every kind is a semaphore with a room that the requests at the
 * head of the queue have to fit in together: a mutex has room for one, a read-write lock for one writer or
 * WRITE_WEIGHT readers.
 */
export interface WordRules {
  /** How much may be let in now. */
  room(word: number): number;
  /** The id of the exclusive holder, or 0. */
  owner(word: number): number;
  /** The word when its exclusive holder has died. */
  bury(word: number): number;
  /** The word, without RECOVER, when the living hold `held` of it together, shared. Mutexes have no shared holds. */
  recount(word: number, held: number, permits: number): number;
  /** Has it an ABANDONED? */
  readonly hasAbandoned: boolean;
  /** May a request go before others that queue, unless the word says STARVING? */
  readonly barging: boolean;
  /** The flag that says a wake is on its way, or 0. */
  readonly wake: number;
}

const mutexRules: WordRules = {
  room: (word) => ((word & OWNER) === 0 ? 1 : 0),
  owner: (word) => word & OWNER,
  bury: (word) => (word & ~OWNER) | ABANDONED,
  recount: (word) => word,
  hasAbandoned: true,
  barging: true,
  wake: WAKE,
};

const semaphoreRules: WordRules = {
  room: (word) => word & MAX_PERMITS,
  owner: () => 0,
  bury: (word) => word,
  recount: (_word, held, permits) => permits - held,
  hasAbandoned: false,
  barging: false,
  wake: 0,
};

const readWriteRules: WordRules = {
  room: (word) => ((word & WRITER) === 0 ? WRITE_WEIGHT - (word & OWNER) : 0),
  owner: (word) => ((word & WRITER) === 0 ? 0 : word & OWNER),
  bury: (word) => (word & ~(WRITER | OWNER)) | ABANDONED,
  recount: (word, held) => ((word & WRITER) === 0 ? (word & ABANDONED) | held : word),
  hasAbandoned: true,
  barging: false,
  wake: 0,
};

export function rulesOf(kind: number): WordRules {
  switch (kind) {
    case KIND_MUTEX:
    case KIND_REENTRANT_MUTEX:
      return mutexRules;
    case KIND_SEMAPHORE:
      return semaphoreRules;
    case KIND_READ_WRITE_LOCK:
      return readWriteRules;
    default:
      throw new RangeError(`no lock has the kind ${kind}`);
  }
}
