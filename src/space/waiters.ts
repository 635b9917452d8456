/**
 * The queue of one lock, and the flags of its word that follow from it.
 *
 * Releasers only wake. A waiter becomes owner by its own CAS (`Cell.enter`), so nothing is ever owned by a
 * thread that does not know it; cancelling, dying and being busy are all the same small case: the record leaves
 * the queue, or is passed over, and `settle` wakes who comes next. This follows the split of `acquire` and
 * `release` in Doug Lea, "The java.util.concurrent Synchronizer Framework" (2005), without its linked list.
 *
 * | RECORD_WAIT | says | next |
 * |---|---|---|
 * | 0 | not in the queue | WAITING: its thread queues |
 * | WAITING | its thread sleeps, or is about to | WOKEN: `settle` found room; 0: granted or withdrawn |
 * | WOKEN (+ 4 x time) | its thread was woken and has not answered | WAITING: no room after all; 0: granted or withdrawn |
 *
 * All of it under the latch, so these words are read and written without Atomics. An async request woken more than LAPSE
 * ago is passed over until its thread answers: its event loop is busy, and holds up nobody but itself.
 */
import { now } from '../parker/clock.js';
import { sleep } from '../parker/sleep.js';
import {
  ABOUT_KIND,
  ABOUT_PERMITS,
  CELL_WORD,
  CELL_FIRST,
  CELL_LATCH,
  STATS_LOST,
  CELL_TICKET,
  CELL_WAITING,
  CELL_WOKEN_AT,
  HEADER_THREADS_USED,
  ID_MASK,
  IN_DOUBT,
  RECORD_ASYNC,
  RECORD_BEGUN_F64,
  RECORD_ENDED_F64,
  RECORD_HOLD,
  RECORD_PENDING,
  RECORD_TICKET,
  RECORD_WAIT,
  RECORD_WEIGHT,
  THREAD_BLOCKED,
  THREAD_STATE,
  WAITING,
  WOKEN,
  aboutAt,
  cellAt,
  recordAt,
  statsAt,
  threadAt,
} from './layout.js';
import { acquireLatch, releaseLatch } from './latch.js';
import type { SpaceMemory } from './memory.js';
import { SOON } from './soon.js';
import type { Attachment } from './threads.js';
import { QUEUED, RECOVER, STARVING, rulesOf, type WordRules } from './words.js';

/** Milliseconds after which an async request's unanswered wake is passed on: with 5, busy threads lost 1 turn in 200. */
const LAPSE = 20;
const WOKEN_TIMES = 0x1fffffff;
/**
 * Milliseconds for which the first in the queue of a mutex lets others barge, from when it was woken or found itself
 * passed, not from when it came: with many old waiters, every turn would be a hand-over, and the lock lie idle.
 */
export const STARVATION = 2;

/** Reading the clock costs as much as a short section: every so many releases is often enough. */
const PASSES_MASK = 15;

/** One lock's queue as one thread works on it. */
export class WaitQueue {
  readonly rules: WordRules;
  readonly attachment: Attachment;
  readonly memory: SpaceMemory;
  readonly words: Int32Array;
  readonly cell: number;
  /** Where the lock word lies, what it is, and its statistics. */
  readonly word: number;
  readonly about: number;
  readonly stats: number;

  /** Threads found by `#collect`, by ticket, and how many. */
  readonly #order: number[] = [];
  #count = 0;
  /** Threads that `settle` has woken and `unlatch` will notify. */
  readonly #woken: number[] = [];
  #wakes = 0;
  /** Releases while a wake was under way, see `isWakeOverdue`. */
  #passes = 0;

  constructor(attachment: Attachment, cell: number) {
    const { memory } = attachment;
    this.attachment = attachment;
    this.memory = memory;
    this.words = memory.words;
    this.cell = cell;
    this.word = cellAt(memory.geometry, cell) + CELL_WORD;
    this.about = aboutAt(memory.geometry, cell);
    this.stats = statsAt(memory.geometry, cell);
    this.rules = rulesOf(memory.words[this.about + ABOUT_KIND] ?? 0);
  }

  record(thread: number): number {
    return recordAt(this.memory.geometry, thread, this.cell);
  }

  latch(): void {
    acquireLatch(this.words, this.word + CELL_LATCH, this.attachment.id, this.attachment.isDead);
    const word = Atomics.load(this.words, this.word);
    // Whoever was recounting the holds died on the way.
    if ((word & RECOVER) === RECOVER) this.recover();
  }

  /** Ends the section, then wakes those whom `settle` has chosen. */
  unlatch(): void {
    releaseLatch(this.words, this.word + CELL_LATCH);
    for (; this.#wakes > 0; this.#wakes--) this.attachment.wake(this.#woken[this.#wakes - 1] as number);
  }

  /** Passes on what a release has made room for; in a microtask if that fails, as any call can on a full stack. */
  readonly latchAndSettle = (): void => {
    try {
      this.latch();
      try {
        this.settle();
      } finally {
        this.unlatch();
      }
    } catch (error) {
      void SOON.then(this.latchAndSettle);
      throw error;
    }
  };

  /** Gives this thread's record a place in the queue. `ticket` 0: at its end. Returns the ticket. */
  enqueue(weight: number, ticket: number, isAsync: boolean): number {
    const { words } = this;
    const { index } = this.attachment;
    const own = this.record(index);
    if (ticket === 0) {
      // Tickets wrap after 2^32 requests; 0 stays free to mean "none yet".
      ticket = ((words[this.word + CELL_TICKET] as number) + 1) | 0 || 1;
      words[this.word + CELL_TICKET] = ticket;
    }
    const bits = this.word + CELL_WAITING + (index >> 5);
    words[own + RECORD_TICKET] = ticket;
    words[own + RECORD_WEIGHT] = weight;
    words[own + RECORD_ASYNC] = isAsync ? 1 : 0;
    words[own + RECORD_WAIT] = WAITING;
    words[bits] = (words[bits] as number) | (1 << (index & 31));
    return ticket;
  }

  /** Takes a thread's record out of the queue. */
  leave(thread: number): void {
    const { words } = this;
    const bits = this.word + CELL_WAITING + (thread >> 5);
    words[this.record(thread) + RECORD_WAIT] = 0;
    words[bits] = (words[bits] as number) & ~(1 << (thread & 31));
  }

  isWoken(): boolean {
    return Atomics.load(this.words, this.record(this.attachment.index) + RECORD_WAIT) > WAITING;
  }

  /** A woken thread answers that it cannot go on: it waits again, at its old place. */
  sleepAgain(): void {
    this.words[this.record(this.attachment.index) + RECORD_WAIT] = WAITING;
  }

  /**
   * May a request of this thread take the lock at this word? One in the queue after those before it; `last`: one
   * that is not in it, after all who can be served.
   */
  mayEnter(word: number, weight: number, last = false): boolean {
    let room = this.rules.room(word);
    if (weight > room) return false;
    if (this.rules.barging && (word & STARVING) === 0) return true;
    const { words } = this;
    const ticket = words[this.record(this.attachment.index) + RECORD_TICKET] as number;
    this.#collect();
    for (let i = 0; i < this.#count; i++) {
      const ahead = this.record(this.#order[i] as number);
      if ((((words[ahead + RECORD_TICKET] as number) - ticket) | 0) >= 0 && !last) break;
      room -= words[ahead + RECORD_WEIGHT] as number;
      if (weight > room) return false;
    }
    return true;
  }

  /** Is this thread's request the first of those that can be served? */
  isFirst(): boolean {
    this.#collect();
    return this.#count > 0 && this.#order[0] === this.attachment.index;
  }

  /**
   * Brings the flags of the word in line with the records, and wakes everyone at the head of the queue for
   * whom there is room. Every section that changed the queue, or may leave room unused, ends with it. This
   * is the invariant the queue lives by: when the latch is free, whoever may go on has been woken.
   */
  settle(): void {
    const { rules, words } = this;
    const queued = this.#collect();
    // Before the word is read: a release that comes after that reads this after its CAS, see wakeFirst.
    if (rules.barging) this.#noteFirst();
    for (;;) {
      const word = Atomics.load(words, this.word);
      this.#wakes = 0;
      let room = rules.room(word);
      let underWay = false;
      for (let i = 0; i < this.#count; i++) {
        const thread = this.#order[i] as number;
        const record = this.record(thread);
        const wait = words[record + RECORD_WAIT] as number;
        if (wait > WAITING) underWay = true;
        room -= words[record + RECORD_WEIGHT] as number;
        if (room >= 0 && wait === WAITING) this.#woken[this.#wakes++] = thread;
      }
      underWay ||= this.#wakes > 0;
      let settled = queued ? word | QUEUED : word & ~(QUEUED | (rules.barging ? STARVING : 0));
      if (rules.wake !== 0) settled = underWay ? settled | rules.wake : settled & ~rules.wake;
      if (settled === word) break;
      if (rules.barging && this.#wakes > 0) this.noteWake();
      // A holder released, or somebody barged, since the word was read: look again.
      const seen = Atomics.compareExchange(words, this.word, word, settled);
      if (seen === word) break;
    }
    for (let i = 0; i < this.#wakes; i++) {
      const record = this.record(this.#woken[i] as number);
      const time = words[record + RECORD_ASYNC] === 1 ? now() & WOKEN_TIMES : 0;
      words[record + RECORD_WAIT] = WOKEN | (time << 2);
    }
  }

  #noteFirst(): void {
    const { words } = this;
    const thread = this.#count > 0 ? (this.#order[0] as number) : -1;
    const isBlocked = thread >= 0 && words[this.record(thread) + RECORD_ASYNC] === 0;
    const first = isBlocked ? thread + 1 : 0;
    if (words[this.word + CELL_FIRST] !== first) Atomics.store(words, this.word + CELL_FIRST, first);
  }

  /**
   * Wakes the first in the queue of a mutex after it was freed and WAKE set, without the latch if it is blocked.
   * Should it have left just now, its own `settle` comes after the CAS that freed the word, and wakes the next.
   */
  wakeFirst(): void {
    const first = Atomics.load(this.words, this.word + CELL_FIRST);
    if (first === 0 || first === this.attachment.index + 1) this.latchAndSettle();
    else this.attachment.parker.unpark(first - 1);
  }

  /** Before WAKE is set, so that whoever sees WAKE sees this time or a later one. */
  noteWake(): void {
    this.words[this.word + CELL_WOKEN_AT] = now() * 1000;
  }

  /**
   * Has the first in the queue been woken too long ago? It waits for a processor then, while those who barge have
   * them all. An async one is not counted: its event loop may be busy, and the lock would lie idle meanwhile.
   */
  isWakeOverdue(): boolean {
    const { words } = this;
    this.#passes = (this.#passes + 1) & PASSES_MASK;
    if (this.#passes !== 0 || Atomics.load(words, this.word + CELL_FIRST) === 0) return false;
    const wokenAt = words[this.word + CELL_WOKEN_AT] as number;
    return ((now() * 1000 - wokenAt) | 0) > STARVATION * 1000;
  }

  /**
   * The threads in the queue that can be served, by ticket. Left out: those woken too long ago, and async
   * requests of a thread that blocks in another lock's queue. Returns whether anybody queues at all.
   */
  #collect(): boolean {
    const { words } = this;
    const order = this.#order;
    const threads = this.memory.geometry.threads;
    let queued = false;
    let count = 0;
    for (let first = 0; first < threads; first += 32) {
      let bits = words[this.word + CELL_WAITING + (first >> 5)] as number;
      while (bits !== 0) {
        const bit = 31 - Math.clz32(bits);
        bits &= ~(1 << bit);
        const thread = first + bit;
        const record = this.record(thread);
        const wait = words[record + RECORD_WAIT] as number;
        if (wait === 0) continue;
        queued = true;
        // A blocked thread answers at once, or is dead and will be reaped.
        if (words[record + RECORD_ASYNC] === 1 && this.#isBusy(thread, wait)) continue;
        const ticket = words[record + RECORD_TICKET] as number;
        let place = count++;
        for (; place > 0; place--) {
          const before = order[place - 1] as number;
          if ((((words[this.record(before) + RECORD_TICKET] as number) - ticket) | 0) < 0) break;
          order[place] = before;
        }
        order[place] = thread;
      }
    }
    this.#count = count;
    return queued;
  }

  /** Is an async request's thread busy: blocked in another queue, or in its event loop since it was woken? */
  #isBusy(thread: number, wait: number): boolean {
    if (wait > WAITING && hasLapsed(wait)) return true;
    const blockedIn = Atomics.load(this.words, threadAt(thread) + THREAD_BLOCKED);
    return blockedIn !== 0 && blockedIn !== this.cell + 1;
  }

  /** Calls `visit` with each thread that may be in the way of a waiter: holders, and those in the queue. */
  visitOthers(visit: (thread: number) => void): void {
    const { words } = this;
    const used = Atomics.load(words, HEADER_THREADS_USED);
    const word = Atomics.load(words, this.word);
    const owner = this.rules.owner(word);
    for (let thread = 0; thread < used; thread++) {
      if (thread === this.attachment.index) continue;
      const record = this.record(thread);
      const hold = Atomics.load(words, record + RECORD_HOLD);
      const wait = Atomics.load(words, record + RECORD_WAIT);
      const state = Atomics.load(words, threadAt(thread) + THREAD_STATE);
      // Whoever began to bury the owner may be dead as well.
      if (hold !== 0 || wait !== 0 || (owner !== 0 && (state & ID_MASK) === owner)) visit(thread);
    }
  }

  /**
   * Recounts what is held, after a death: sets RECOVER, on which every fast path fails, waits until no living
   * thread is in doubt (between its CAS and the note of it in its record), and makes the word anew from the
   * records of the living. It can be begun again from any point by whoever takes the latch next.
   */
  recover(): void {
    const { rules, words } = this;
    const word = Atomics.or(words, this.word, RECOVER);
    let held = 0;
    const used = Atomics.load(words, HEADER_THREADS_USED);
    for (let thread = 0; thread < used; thread++) {
      const record = this.record(thread);
      for (;;) {
        const hold = Atomics.load(words, record + RECORD_HOLD);
        if (hold === 0) break;
        const state = Atomics.load(words, threadAt(thread) + THREAD_STATE);
        if (state <= 0) break; // Dead: what it held is free.
        if ((hold & IN_DOUBT) === 0) {
          held += hold >>> 1;
          break;
        }
        // Between two lines of its own code, or dying there. Nobody notifies; the wait is a short nap.
        const died = this.attachment.isDead(state);
        if (died) break;
        sleep(words, record + RECORD_HOLD, hold, 1);
      }
    }
    const permits = Atomics.load(words, this.about + ABOUT_PERMITS);
    const recounted = rules.recount(word & ~RECOVER, held, permits);
    // Nobody else changes the word while RECOVER stands in it; settle puts QUEUED back.
    Atomics.store(words, this.word, recounted | QUEUED);
  }

  /** Removes all traces of a dead thread. */
  bury(thread: number, id: number): void {
    const { rules, words } = this;
    this.latch();
    try {
      const record = this.record(thread);
      this.leave(thread);
      Atomics.store(words, record + RECORD_PENDING, 0);
      let lost = 0;
      const word = Atomics.load(words, this.word);
      if (rules.owner(word) === id) {
        // Its owner is dead: what else changes the word, does so under the latch.
        Atomics.store(words, this.word, rules.bury(word));
        lost = 1;
      }
      const { doubles } = this.memory;
      const begun = doubles[(record + RECORD_BEGUN_F64) >> 1] ?? 0;
      const ended = doubles[(record + RECORD_ENDED_F64) >> 1] ?? 0;
      lost += begun - ended;
      doubles[(record + RECORD_ENDED_F64) >> 1] = begun;
      Atomics.add(words, this.stats + STATS_LOST, lost);
      const hold = Atomics.load(words, record + RECORD_HOLD);
      if (hold !== 0) {
        this.recover();
        Atomics.store(words, record + RECORD_HOLD, 0);
      }
      this.settle();
    } finally {
      this.unlatch();
    }
  }
}

function hasLapsed(wait: number): boolean {
  const since = ((now() & WOKEN_TIMES) - (wait >>> 2)) & WOKEN_TIMES;
  // Threads' clocks differ by a little: a wake from the future has not lapsed.
  return since > LAPSE && since < WOKEN_TIMES / 2;
}
