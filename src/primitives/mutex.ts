import {
  FOREVER,
  asyncDeadline,
  blockingDeadline,
  checkOptions,
  show,
  type Deadline,
  type Names,
} from '../deadline.js';
import type { ThreadGuard } from '../guard.js';
import type { AcquireOptions } from '../lock.js';
import type { Cell } from '../space/cell.js';
import { KIND_MUTEX, KIND_REENTRANT_MUTEX } from '../space/layout.js';
import { BARRED, type Tether } from '../space/tether.js';
import { ABANDONED, OWNER, QUEUED, STARVING, WAKE } from '../space/words.js';
import { acquireAsync, acquireBlocking, attemptOnly, type Way } from './acquire.js';
import { ExclusiveGuard } from './exclusive-hold.js';
import { Opened, obtain, openHandle, type LockHandle } from './handles.js';
import { Reentry } from './reentry.js';
import type { Space } from './space.js';
import { SPINS, pause } from '../parker/spin.js';
import { Acquirable } from './thread-lock.js';

export type MutexHandle = LockHandle<'mortise/mutex'>;
const HANDLE_TYPE = 'mortise/mutex';

export interface MutexOptions {
  /** With a name, it is the same lock in every thread of the space. 1 to 255 bytes in UTF-8. */
  name?: string;
  /** Default: the space that all threads of the process share. */
  space?: Space;
  /** May its holder acquire it again? Default false. */
  reentrant?: boolean;
}

/** The proof that this thread holds a mutex. */
export class MutexGuard extends ExclusiveGuard {
  enter(word: number): boolean {
    const tether = this.tether as Tether;
    const { words, word: at } = tether;
    const taken = (word & ~(ABANDONED | STARVING)) | tether.id;
    return this.beginAfter(words, at, word, taken);
  }

  release(): boolean {
    const { tether } = this;
    if (tether === null) return false;
    const { words, word, id } = tether;
    const isSlow = Atomics.compareExchange(words, word, id, 0) !== id;
    const wakes = isSlow && freeSlow(tether);
    this.tether = null; // Not before: a full stack may have kept freeSlow from freeing it.
    if (wakes) (tether.cell as Cell).queue.wakeFirst();
    return true;
  }
}

/**
 * Somebody waits. Whoever sets WAKE has to wake; while it is set, a woken thread will look by itself. If it cannot
 * for too long, nobody passes it any more: those who would barge queue, and leave it a processor.
 */
function freeSlow({ words, word: at, cell }: Tether): boolean {
  const { queue } = cell as Cell;
  for (;;) {
    const word = Atomics.load(words, at);
    const isQueued = (word & QUEUED) !== 0;
    const wakes = isQueued && (word & WAKE) === 0;
    if (wakes) queue.noteWake();
    const isOverdue = isQueued && !wakes && queue.isWakeOverdue();
    const freed = (word & ~OWNER) | (wakes ? WAKE : 0) | (isOverdue ? STARVING : 0);
    const seen = Atomics.compareExchange(words, at, word, freed);
    if (seen === word) return wakes;
  }
}

const way: Way<MutexGuard> = {
  exclusive: true,

  /** Barges: takes the lock if it is free, whoever waits, unless they are starving. */
  attempt(cell) {
    const { words, word: at } = cell.queue;
    for (;;) {
      const word = Atomics.load(words, at);
      if ((word & (OWNER | STARVING)) !== 0) return null;
      const guard = new MutexGuard(cell.tether);
      if (guard.enter(word)) return guard;
    }
  },

  spin(cell) {
    const { words, word: at } = cell.queue;
    for (let spins = 0; spins < SPINS; spins++) {
      pause();
      const word = Atomics.load(words, at);
      if ((word & STARVING) !== 0) return null;
      if ((word & OWNER) !== 0) continue;
      const guard = new MutexGuard(cell.tether);
      if (guard.enter(word)) return guard;
    }
    return null;
  },

  prepare: (cell) => new MutexGuard(cell.tether),

  obstacle: (cell) =>
    cell.exclusiveOwner === cell.attachment.id
      ? 'this thread holds it already, and it is not reentrant'
      : null,

  isOwn: (cell) => cell.exclusiveOwner === cell.attachment.id,
};

/**
 * A lock that one thread holds at a time, between all threads of a process: blocking or async.
 *
 * - **Fairness.** Whoever comes while it is free may take it, even if others wait (barging), which keeps it
 *   fast; once the first in the queue has been passed for two milliseconds, nobody passes it any more. Within a thread,
 *   async requests are served in the order they came.
 * - **Cancelling.** A request that times out or is aborted leaves the queue, and loses nothing for others.
 * - **Death.** If the thread that holds it ends in any way, the next owner gets it with `guard.abandoned`.
 *
 * The protocol is a futex mutex (Ulrich Drepper, "Futexes Are Tricky") with the owner in the word, a queue of
 * its own and the starvation limit of Go's `sync.Mutex`.
 *
 * @example
 * ```js
 * import { Mutex } from 'mortise';
 *
 * const mutex = new Mutex({ name: 'ledger' });
 * const sum = await mutex.withLock(async () => 40 + 2);
 * sum; // => 42
 *
 * const guard = mutex.acquireSync({ timeout: 1000 });
 * mutex.isOwnedSync(); // => true
 * guard.release(); // => true
 * ```
 */
export class Mutex extends Acquirable<ThreadGuard> {
  protected readonly way: Way<ThreadGuard> = way;
  readonly #reentry: Reentry | null;

  /**
   * @throws NameConflictError if the name is that of another kind of lock; SpaceFullError if there is no room;
   * UnsupportedError in a worker without a default space; TypeError or RangeError for bad options.
   */
  constructor(options: MutexOptions | Opened = {}) {
    super(options instanceof Opened ? options : obtainMutex(options));
    this.#reentry = this.cell.kind === KIND_REENTRANT_MUTEX ? Reentry.of(this.cell) : null;
    if (this.#reentry !== null) this.source = BARRED; // Every acquire has to look whether it re-enters.
  }

  /**
   * Opens the mutex that a handle stands for.
   * @throws InvalidHandleError if it is not the handle of a mutex, or it was disposed of.
   */
  static from(handle: MutexHandle): Mutex {
    return new Mutex(openHandle(handle, HANDLE_TYPE, [KIND_MUTEX, KIND_REENTRANT_MUTEX]));
  }

  /** Structured-cloneable: for `workerData`, `postMessage`, a task's argument. */
  get handle(): MutexHandle {
    return this.opened.handle(HANDLE_TYPE);
  }

  /**
   * Acquires it, without blocking the event loop, and keeps the thread alive while it waits.
   * @throws LockTimeoutError after `timeout` milliseconds; `signal.reason` when aborted; TypeError or RangeError
   * for bad options. Nothing is held then.
   */
  async acquire(options?: AcquireOptions): Promise<ThreadGuard> {
    const deadline = asyncDeadline(options);
    if (this.#reentry === null) return this.#acquireFast() ?? acquireAsync(this.cell, way, 1, deadline);
    const acquire = (): Promise<MutexGuard> | MutexGuard =>
      this.#attemptOn(this.cell.tether) ?? acquireAsync(this.cell, way, 1, deadline);
    return this.#reentry.enter(acquire) as Promise<ThreadGuard>;
  }

  /**
   * Acquires it, blocking the thread and its event loop.
   * @throws LockTimeoutError after `timeout` milliseconds; DeadlockError if this thread holds it already (and it
   * is not reentrant, or held by an async acquire); TypeError or RangeError for bad options.
   */
  acquireSync(options?: AcquireOptions): ThreadGuard {
    if (options === undefined) {
      const guard = this.#acquireFast();
      if (guard !== null) return guard;
      if (this.#reentry === null) return acquireBlocking(this.cell, way, 1, FOREVER);
    }
    return this.#acquireSlow(blockingDeadline(options));
  }

  /** @internal */
  firstAttempt(): () => MutexGuard | null {
    return () => this.#acquireFast();
  }

  /** Acquires it if that is possible at once. */
  tryAcquireSync(options?: AcquireOptions): ThreadGuard | null {
    if (options !== undefined) blockingDeadline(options);
    const attempt = (): MutexGuard | null => attemptOnly(this.cell, way, 1, true);
    return this.#reentry === null ? attempt() : this.#reentry.enterSync(attempt);
  }

  /** As {@link tryAcquireSync}, as a promise; a reentrant one is entered again as by {@link acquire}. */
  override async tryAcquire(options?: AcquireOptions): Promise<ThreadGuard | null> {
    if (options !== undefined) asyncDeadline(options);
    const attempt = (): MutexGuard | null => attemptOnly(this.cell, way, 1, false);
    return this.#reentry === null ? attempt() : this.#reentry.enter(attempt);
  }

  override withLock<T>(body: (guard: ThreadGuard) => T | Promise<T>, options?: AcquireOptions): Promise<T> {
    const reentry = this.#reentry;
    if (reentry === null || typeof body !== 'function') return super.withLock(body, options);
    return super.withLock((guard) => reentry.inside(guard, () => body(guard)), options);
  }

  #acquireFast(): MutexGuard | null {
    return this.#attemptOn(this.source.tether);
  }

  /** One CAS. The guard is made before it, so that nothing can fail between the lock and its guard. */
  #attemptOn(tether: Tether): MutexGuard | null {
    const guard = new MutexGuard(tether);
    const { words, word } = tether;
    return guard.begin(words, word, 0, tether.id) ? guard : null;
  }

  #acquireSlow(deadline: Deadline): ThreadGuard {
    const acquire = (): MutexGuard =>
      this.#attemptOn(this.cell.tether) ?? acquireBlocking(this.cell, way, 1, deadline);
    return this.#reentry === null ? acquire() : (this.#reentry.enterSync(acquire) as ThreadGuard);
  }
}

const OPTIONS: Names<MutexOptions> = { name: true, space: true, reentrant: true };

function obtainMutex(options: MutexOptions): Opened {
  checkOptions(options, 'options', OPTIONS);
  const { name, space, reentrant } = options;
  if (reentrant !== undefined && typeof reentrant !== 'boolean')
    throw new TypeError(`options.reentrant must be true or false, not ${show(reentrant)}`);
  const kind = reentrant === true ? KIND_REENTRANT_MUTEX : KIND_MUTEX;
  // Whoever does not say whether it is reentrant takes it as it is.
  const alsoKind = reentrant === undefined ? KIND_REENTRANT_MUTEX : kind;
  return obtain(space, { kind, alsoKind, permits: 0, name });
}
