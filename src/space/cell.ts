/**
 * One lock as one thread sees it: its requests, in the order they came, of which only the foremost stands in
 * the shared queue. `advance` is the one step that everything goes through, blocking or async: look, under the
 * latch, whether the request may take the lock.
 */
import type { SyncGuard } from '../lock.js';
import { now } from '../parker/clock.js';
import {
  ABOUT_KIND,
  STATS_TIMEOUTS,
  RECORD_BEGUN_F64,
  RECORD_CONTENDED,
  RECORD_ENDED_F64,
  RECORD_HOLD,
  RECORD_PENDING,
} from './layout.js';
import { SPINS, pause } from '../parker/spin.js';
import type { Pump } from './pump.js';
import { recordAcquiredAt, recordWait } from './statistics.js';
import { Tether } from './tether.js';
import type { Attachment } from './threads.js';
import { STARVATION, WaitQueue } from './waiters.js';
import { OWNER, STARVING } from './words.js';

/** Milliseconds a thread sleeps before it asks whether those in its way still live. */
export const SLICE = 20;
/** Milliseconds it sleeps when there is room, but it is somebody else's turn. */
const WATCH = 5;
/** One call of an acquire form that could not be granted at once. */
export interface Request {
  readonly weight: number;
  /** Takes it exclusively: mutex, writer. */
  readonly exclusive: boolean;
  /** Made in advance, so that nothing can fail between taking the lock and having its guard. */
  readonly guard: GrantableGuard;
  /** Milliseconds of `clock.ts`. */
  readonly since: number;
  /** 0 until it stands in the shared queue for the first time. */
  ticket: number;
  /** When it first could not enter though it was the first in the queue; 0: not yet. */
  passedSince: number;
  /** Gives the guard to who asked for it, and does no more; null: the request is blocking. */
  readonly granted: (() => void) | null;
  /** Called after that: nobody can cancel it any more. */
  readonly end: (() => void) | null;
}

/** A guard as the slow path makes it: bound to its hold once the lock is taken. */
export interface GrantableGuard extends SyncGuard {
  /** Hangs it on the tether that is current when it takes the lock: it was made long before. */
  hang(tether: Tether): void;
  /**
   * Tries to take the lock from `word` by one CAS, together with its note in the thread's record.
   * @returns false if the word had changed.
   */
  enter(word: number): boolean;
}

export class Cell {
  readonly attachment: Attachment;
  readonly pump: Pump;
  readonly queue: WaitQueue;
  readonly index: number;
  readonly kind: number;
  /** This thread's record. */
  readonly record: number;
  /** Current tether of the guards of this thread, see `tether.ts`. */
  tether: Tether;
  /** Locks (facades) of this thread that stand on this cell. */
  users = 0;

  /** Async requests in the order they came. */
  readonly pending: Set<Request> = new Set();
  /** The request that stands in the shared queue. */
  #standing: Request | null = null;
  /** The async request that a blocking one of the same thread has displaced. */
  #displaced: Request | null = null;
  /** When a request that does not queue last asked whether the others live. */
  #looked = 0;
  /** How long the last request that failed to advance should sleep. */
  #slice = SLICE;
  /** The guard of a hold that was taken by a call that has not returned it yet. */
  unreturned: Pick<SyncGuard, 'release'> | null = null;
  /** A call failed somewhere inside, as any can on a full stack, and has not been cleared up after: see `tidily`. */
  isUntidy = false;

  constructor(attachment: Attachment, pump: Pump, index: number) {
    this.attachment = attachment;
    this.pump = pump;
    this.queue = new WaitQueue(attachment, index);
    this.index = index;
    this.kind = this.queue.words[this.queue.about + ABOUT_KIND] ?? 0;
    this.record = this.queue.record(attachment.index);
    this.tether = this.newTether();
  }

  /** A tether that is not the current one yet. */
  newTether(): Tether {
    const { words, memory, word } = this.queue;
    return new Tether(this, words, memory.doubles, word, this.record, this.attachment.id);
  }

  /** Makes later guards hang on a new tether; returns the old one. */
  renewTether(): Tether {
    const old = this.tether;
    this.tether = this.newTether();
    return old;
  }

  /** What this thread holds of it, shared. */
  get ownHold(): number {
    return (this.queue.words[this.record + RECORD_HOLD] ?? 0) >>> 1;
  }

  /** Permit and read guards of this thread. */
  get ownSharedGuards(): number {
    const { doubles } = this.queue.memory;
    const begun = doubles[(this.record + RECORD_BEGUN_F64) >> 1] ?? 0;
    return begun - (doubles[(this.record + RECORD_ENDED_F64) >> 1] ?? 0);
  }

  /** Id of the mutex owner or writer; 0: none. */
  get exclusiveOwner(): number {
    return this.queue.rules.owner(this.queue.words[this.queue.word] ?? 0);
  }

  /** Does any request of this thread wait? */
  get hasPending(): boolean {
    return this.pending.size > 0;
  }

  /** Notes an acquisition that did not succeed at the first attempt. */
  noteContended(): void {
    const { words } = this.queue;
    words[this.record + RECORD_CONTENDED] = ((words[this.record + RECORD_CONTENDED] ?? 0) + 1) | 0;
  }

  noteTimeout(): void {
    Atomics.add(this.queue.words, this.queue.stats + STATS_TIMEOUTS, 1);
  }

  /**
   * For those who do not queue, and found no room or somebody in the queue: sees to it that neither a dead holder
   * nor a thread that does not answer its wake keeps them out for good. Under the latch, it takes the lock if it
   * fits in with all who queue and can be served.
   */
  attemptLast(guard: GrantableGuard, weight: number): boolean {
    const { attachment, queue } = this;
    const time = now();
    if (time - this.#looked >= SLICE) {
      this.#looked = time;
      queue.visitOthers((thread) => {
        attachment.probe(thread);
      });
    }
    const seen = Atomics.load(queue.words, queue.word);
    if (queue.rules.room(seen) < weight) return false;
    queue.latch();
    try {
      for (;;) {
        const word = Atomics.load(queue.words, queue.word);
        if (!queue.mayEnter(word, weight, true)) return false;
        if (guard.enter(word)) {
          this.unreturned = guard;
          return true;
        }
      }
    } finally {
      queue.settle();
      queue.unlatch();
    }
  }

  /** Blocks the thread until the request is granted; false: not within `timeout` milliseconds. */
  block(request: Request, timeout: number): boolean {
    const { attachment, queue } = this;
    const { parker } = attachment;
    this.#displaced = this.#standing;
    this.#notePending(1);
    // Only then may async requests of this thread have been woken, or be woken, while it cannot answer.
    const { hasRequests } = this.pump;
    if (hasRequests) attachment.setBlocked(this.index);
    if (hasRequests) this.pump.declineAll(this);
    let granted = false;
    let entered = false;
    let sliceEnded = false;
    try {
      for (;;) {
        // Before looking: an unpark after this line ends the sleep below at once.
        const seen = parker.prepare();
        if (sliceEnded) queue.visitOthers((thread) => attachment.probe(thread));
        granted = this.#advance(request, entered);
        if (granted) return true;
        const left = timeout === Infinity ? Infinity : timeout - (now() - request.since);
        if (left <= 0) return false;
        // Settling may have chosen this very request: the lock was released just then.
        if (queue.isWoken()) continue;
        sliceEnded = parker.park(seen, Math.min(left, this.#slice)) === 'slice-ended';
        if (!sliceEnded && queue.rules.barging) entered = this.#spin(request);
      }
    } finally {
      if (!granted) this.#withdraw();
      if (hasRequests) attachment.setBlocked(-1);
      this.#notePending(0);
      // Wakes for this thread's async requests were held back while it was blocked.
      this.pump.nudge();
    }
  }

  /** Queues an async request; `request.granted` is called once it has the lock. */
  enlist(request: Request): void {
    this.pending.add(request);
    this.#notePending(0);
    this.pump.add(this);
    this.advancePending();
  }

  /** Grants this thread's async requests in order, as far as it goes; while it is untidy, `tidy` does. */
  advancePending(): void {
    if (!this.isUntidy) this.#advanceAll();
  }

  #advanceAll(): void {
    for (const request of this.pending) {
      if (!this.#advance(request)) return;
      request.granted?.();
      // No calls of our own in between: on a full stack they could fail, and the request be granted twice.
      this.pending.delete(request);
      this.unreturned = null;
      this.#notePending(0);
      request.end?.();
    }
    this.pump.remove(this);
  }

  /** Once it is untidy: what nobody asks for any more leaves the queue, a hold whose guard nobody has is given back. */
  readonly tidy = (): void => {
    if (!this.isUntidy) return;
    this.#notePending(0);
    this.attachment.setBlocked(-1);
    this.#withdraw();
    this.unreturned?.release();
    this.unreturned = null;
    this.#advanceAll();
    this.isUntidy = false; // Not before: should it fail anywhere, the microtask does all of it again.
  };

  /** Ends an async request that was not granted, by timeout or abort. */
  cancel(request: Request): void {
    this.pending.delete(request);
    this.#notePending(0);
    if (this.#standing !== request) return;
    // The cancelled request may have been woken already: settling passes that on.
    this.#withdraw();
    this.advancePending();
  }

  /**
   * This thread is about to block elsewhere, and has said so: what its async request was woken for goes to others.
   * Under the latch in any case: somebody may have looked at it just before, and be about to wake it.
   */
  decline(): void {
    this.queue.latchAndSettle();
  }

  /**
   * One look, under the latch. True: the request has the lock, and has left the queue.
   * @param entered it has the lock already
   */
  #advance(request: Request, entered = false): boolean {
    const { queue } = this;
    queue.latch();
    try {
      if (this.#standing !== request) {
        request.ticket = queue.enqueue(request.weight, request.ticket, request.granted !== null);
        this.#standing = request;
      }
      entered ||= this.#enter(request);
      if (entered) {
        const time = now();
        recordWait(queue.memory, this.index, time - request.since);
        if (request.exclusive) recordAcquiredAt(queue.memory, this.index, time);
        this.#standDown();
      } else {
        queue.sleepAgain();
        if (queue.rules.barging) this.#starve(request);
      }
      queue.settle();
      return entered;
    } finally {
      queue.unlatch();
    }
  }

  /**
   * Awake, it has a processor: it pays to wait for the end of a short section, and to take the lock at once, before
   * leaving the queue. By the time it had the latch, others would have barged. Returns whether it has the lock.
   */
  #spin(request: Request): boolean {
    const { rules, words, word: at } = this.queue;
    for (let spins = 0; spins < SPINS; spins++) {
      pause();
      const word = Atomics.load(words, at);
      if ((word & STARVING) !== 0) return false;
      if (rules.room(word) === 0) continue;
      if (this.#enterFrom(word, request.guard)) return true;
    }
    return false;
  }

  #enter(request: Request): boolean {
    const { queue } = this;
    for (;;) {
      const word = Atomics.load(queue.words, queue.word);
      if (!queue.mayEnter(word, request.weight)) {
        // There is room, but it is somebody else's turn: watch that they take it.
        this.#slice = queue.rules.room(word) >= request.weight ? WATCH : SLICE;
        return false;
      }
      if (this.#enterFrom(word, request.guard)) return true;
    }
  }

  #enterFrom(word: number, guard: GrantableGuard): boolean {
    guard.hang(this.tether);
    const entered = guard.enter(word);
    if (entered) this.unreturned = guard;
    return entered;
  }

  /** Barging starves the first in the queue: once it has waited too long, nobody may pass it any more. */
  #starve(request: Request): void {
    const { queue } = this;
    if (!queue.isFirst()) return;
    const time = now();
    if (request.passedSince === 0) request.passedSince = time;
    if (time - request.passedSince < STARVATION) return;
    for (;;) {
      const word = Atomics.load(queue.words, queue.word);
      if ((word & STARVING) !== 0 || (word & OWNER) === 0) return;
      const seen = Atomics.compareExchange(queue.words, queue.word, word, word | STARVING);
      if (seen === word) return;
    }
  }

  /** Also when an exception (the stack was full) kept it from standing in the queue: a displaced one has its place. */
  #withdraw(): void {
    this.queue.latch();
    try {
      this.#standDown();
      this.queue.settle();
    } finally {
      this.queue.unlatch();
    }
  }

  /** The standing request leaves the queue; a displaced one gets its place back. */
  #standDown(): void {
    const displaced = this.#displaced;
    this.#displaced = null;
    this.#standing = displaced;
    if (displaced === null) this.queue.leave(this.attachment.index);
    else this.queue.enqueue(displaced.weight, displaced.ticket, true);
  }

  #notePending(blocking: number): void {
    this.queue.words[this.record + RECORD_PENDING] = this.pending.size + blocking;
  }
}
