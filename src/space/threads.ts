/**
 * One thread's place in one space: its entry, its id, how it is woken, and how the dead are found and buried.
 *
 * | THREAD_STATE | says | next |
 * |---|---|---|
 * | 0 | free | id: a thread attaches |
 * | id | attached | id + THREAD_DEAD: somebody found it dead |
 * | id + THREAD_DEAD | its cells are being mended; begun again if the reaper dies | 0 |
 *
 * All under the space latch.
 */
import { debuglog } from 'node:util';
import { threadId } from 'node:worker_threads';
import { SpaceFullError } from '../errors.js';
import { now } from '../parker/clock.js';
import type { Parker } from '../parker/parker.js';
import { ThreadParker } from '../parker/thread.js';
import { freeIfDone } from './cells.js';
import { acquireLatch, breakLatch, releaseLatch } from './latch.js';
import {
  HEADER_CELLS_USED,
  HEADER_LATCH,
  HEADER_THREADS_USED,
  ID_MASK,
  RECORD_OPEN,
  THREAD_BLOCKED,
  THREAD_DEAD,
  THREAD_INCARNATION,
  THREAD_NODE_ID,
  THREAD_PARK,
  THREAD_PID,
  THREAD_PROBED,
  THREAD_START,
  THREAD_STATE,
  THREAD_TID,
  idOf,
  indexOf,
  recordAt,
  threadAt,
} from './layout.js';
import { isAlive, isRunning, ownIdentity, type ThreadIdentity } from './liveness.js';
import type { SpaceMemory } from './memory.js';
import { WaitQueue } from './waiters.js';

const debug = debuglog('mortise');
/** Milliseconds for which nobody asks the system again about a thread that was found alive. */
export const PROBE_INTERVAL = 10;
const identity: ThreadIdentity = ownIdentity();
/** Stamp of the space latch, which is needed before a thread has an id. */
const LATCH_STAMP: number = identity.tid === 0 ? threadId + 1 : identity.tid;

/** How the park words of the entries are slept on, in one kind of memory. */
export type SleeperClass = new (
  words: Int32Array,
  own: number,
  parkWordOf: (thread: number) => number,
) => Parker;

export class Attachment {
  readonly memory: SpaceMemory;
  readonly index: number;
  readonly id: number;
  readonly parker: Parker;
  /** Set by the pump: what to do when a wake is for this thread itself. */
  onOwnWake: () => void = () => {};

  constructor(memory: SpaceMemory, index: number, id: number, Sleeper: SleeperClass = ThreadParker) {
    this.memory = memory;
    this.index = index;
    this.id = id;
    this.parker = new Sleeper(
      memory.words,
      threadAt(index) + THREAD_PARK,
      (thread) => threadAt(thread) + THREAD_PARK,
    );
  }

  wake(thread: number): void {
    if (thread === this.index) this.onOwnWake();
    else this.parker.unpark(thread);
  }

  /** Marks this thread as blocked in the queue of `cell`; -1: no longer. */
  setBlocked(cell: number): void {
    Atomics.store(this.memory.words, threadAt(this.index) + THREAD_BLOCKED, cell + 1);
  }

  /** Of an id: has its thread ended? Asks the system, and changes nothing. */
  readonly isDead = (id: number): boolean => {
    const index = indexOf(id);
    const state = Atomics.load(this.memory.words, threadAt(index) + THREAD_STATE);
    if (state !== id) return true;
    return this.hasEnded(index);
  };

  /** Asks the system whether the thread of this entry has ended. */
  protected hasEnded(index: number): boolean {
    return !isAlive(identityAt(this.memory, index));
  }

  /** Asks the system about a thread, unless somebody just did, and reaps it if it is dead. */
  probe(thread: number): void {
    const { words } = this.memory;
    const time = now() & 0x7fffffff;
    const probed = Atomics.load(words, threadAt(thread) + THREAD_PROBED);
    const since = time - probed;
    if (since >= 0 && since < PROBE_INTERVAL) return;
    Atomics.store(words, threadAt(thread) + THREAD_PROBED, time);
    const state = Atomics.load(words, threadAt(thread) + THREAD_STATE);
    if (state === 0) return;
    if (state < 0 || this.isDead(state)) this.reap(thread, state & ID_MASK);
  }

  /** Before somebody is told how things stand: buries the dead of whom nobody else tells. Of threads, the parent does. */
  lookForDead(): void {}

  /** Runs a section under the space latch. */
  exclusively<T>(section: () => T): T {
    return withSpaceLatch(this.memory, section);
  }

  /**
   * Buries a dead thread: its requests leave their queues, its holds pass on, its entry is free again. Of
   * several reapers one does it; one that dies on the way leaves the rest to the next.
   */
  reap(thread: number, id: number): void {
    this.exclusively(() => {
      this.#bury(thread, id);
    });
  }

  /** Buries a worker of this thread, which has ended, and frees the space latch if it had that. */
  buryWorker(worker: number): void {
    breakSpaceLatch(this.memory, worker);
    this.reapDead(worker);
  }

  /** Of all threads of the space, or only of those of one ended worker thread. */
  reapDead(worker?: number): void {
    this.exclusively(() => {
      this.reapDeadLatched(worker);
    });
  }

  reapDeadLatched(worker?: number): void {
    const { words } = this.memory;
    const used = Atomics.load(words, HEADER_THREADS_USED);
    for (let thread = 0; thread < used; thread++) {
      const entry = threadAt(thread);
      const state = Atomics.load(words, entry + THREAD_STATE);
      const nodeId = Atomics.load(words, entry + THREAD_NODE_ID);
      if (state === 0 || (worker !== undefined && nodeId !== worker)) continue;
      if (worker !== undefined || state < 0 || this.isDead(state)) this.#bury(thread, state & ID_MASK);
    }
  }

  #bury(thread: number, id: number): void {
    const { words, geometry } = this.memory;
    const entry = threadAt(thread);
    const state = Atomics.load(words, entry + THREAD_STATE);
    if ((state & ID_MASK) !== id) return; // Somebody else was faster.
    const nodeId = Atomics.load(words, entry + THREAD_NODE_ID);
    debug('thread %d (id %d) has died', nodeId, id);
    Atomics.store(words, entry + THREAD_STATE, id | THREAD_DEAD);
    const cells = Atomics.load(words, HEADER_CELLS_USED);
    for (let cell = 0; cell < cells; cell++) {
      const open = recordAt(geometry, thread, cell) + RECORD_OPEN;
      if (Atomics.load(words, open) !== 0) {
        new WaitQueue(this, cell).bury(thread, id);
        Atomics.store(words, open, 0);
      }
      // Of every cell: it may have died between closing one, or burying another, and this.
      freeIfDone(this.memory, cell);
    }
    Atomics.store(words, entry + THREAD_BLOCKED, 0);
    Atomics.store(words, entry + THREAD_STATE, 0);
  }

  /** A thread in words, for messages. */
  describe(id: number): string {
    const entry = threadAt(indexOf(id));
    const pid = Atomics.load(this.memory.words, entry + THREAD_PID);
    const nodeId = Atomics.load(this.memory.words, entry + THREAD_NODE_ID);
    return `thread ${nodeId} of process ${pid}`;
  }
}

function identityAt(memory: SpaceMemory, index: number): ThreadIdentity {
  const entry = threadAt(index);
  const tid = Atomics.load(memory.words, entry + THREAD_TID);
  const start = Atomics.load(memory.words, entry + THREAD_START);
  return { tid, start };
}

const isStampDead = (stamp: number): boolean => identity.tid !== 0 && !isRunning(stamp);

/** Runs a section under the space latch, with a stamp of which `isDead` tells whether its thread has ended. */
export function withSpaceLatch<T>(
  memory: SpaceMemory,
  section: () => T,
  stamp: number = LATCH_STAMP,
  isDead: (stamp: number) => boolean = isStampDead,
): T {
  acquireLatch(memory.words, HEADER_LATCH, stamp, isDead);
  try {
    return section();
  } finally {
    releaseLatch(memory.words, HEADER_LATCH);
  }
}

/** A worker has ended, maybe inside the space latch: where the system does not tell, its parent must. */
export function breakSpaceLatch(memory: SpaceMemory, worker: number): void {
  if (identity.tid === 0) breakLatch(memory.words, HEADER_LATCH, worker + 1);
}

/**
 * Gives this thread an entry in the space; its old one, if it has been here before.
 * @throws SpaceFullError if every entry belongs to a living thread.
 */
export function attach(memory: SpaceMemory): Attachment {
  return withSpaceLatch(memory, () => {
    const index = findOwnEntry(memory) ?? claimFreeEntry(memory) ?? claimDeadEntry(memory);
    if (index === undefined)
      throw new SpaceFullError(
        `the space has room for ${memory.geometry.threads} threads, and all are in use`,
      );
    const id = Atomics.load(memory.words, threadAt(index) + THREAD_STATE);
    return new Attachment(memory, index, id);
  });
}

/** Memory is shared within a process only, and a process gives each `threadId` once. */
function findOwnEntry(memory: SpaceMemory): number | undefined {
  const { words } = memory;
  const used = Atomics.load(words, HEADER_THREADS_USED);
  for (let index = 0; index < used; index++) {
    const entry = threadAt(index);
    const state = Atomics.load(words, entry + THREAD_STATE);
    const nodeId = Atomics.load(words, entry + THREAD_NODE_ID);
    if (state > 0 && nodeId === threadId) return index;
  }
  return undefined;
}

function claimFreeEntry(memory: SpaceMemory): number | undefined {
  const index = findFreeEntry(memory);
  if (index !== undefined) fillEntry(memory, index);
  return index;
}

export function findFreeEntry(memory: SpaceMemory): number | undefined {
  const { words, geometry } = memory;
  for (let index = 0; index < geometry.threads; index++) {
    const state = Atomics.load(words, threadAt(index) + THREAD_STATE);
    if (state !== 0) continue;
    const used = Atomics.load(words, HEADER_THREADS_USED);
    // First: whoever buries this thread looks no further.
    if (index >= used) Atomics.store(words, HEADER_THREADS_USED, index + 1);
    return index;
  }
  return undefined;
}

/** THREAD_STATE comes last: until then the entry is free, whatever happens to this thread. */
export function fillEntry(memory: SpaceMemory, index: number): void {
  const { words } = memory;
  const entry = threadAt(index);
  const incarnation = Atomics.load(words, entry + THREAD_INCARNATION) + 1;
  Atomics.store(words, entry + THREAD_INCARNATION, incarnation);
  Atomics.store(words, entry + THREAD_TID, identity.tid);
  Atomics.store(words, entry + THREAD_START, identity.start);
  Atomics.store(words, entry + THREAD_NODE_ID, threadId);
  Atomics.store(words, entry + THREAD_PID, process.pid);
  Atomics.store(words, entry + THREAD_STATE, idOf(index, incarnation));
}

/**
 * All entries are taken: buries the dead among them. That needs an id for the latches of their cells, and a
 * thread that is not attached has none; so there is one entry more than threads, for whoever does this.
 */
function claimDeadEntry(memory: SpaceMemory): number | undefined {
  const spare = memory.geometry.threads;
  fillEntry(memory, spare);
  const id = Atomics.load(memory.words, threadAt(spare) + THREAD_STATE);
  const undertaker = new Attachment(memory, spare, id);
  undertaker.reapDeadLatched();
  return claimFreeEntry(memory);
}
