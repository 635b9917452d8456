import {
  FOREVER,
  WEIGHTED,
  asyncDeadline,
  blockingDeadline,
  checkInteger,
  checkObject,
  checkOptions,
  type Names,
} from '../deadline.js';
import { ThreadGuard } from '../guard.js';
import type { SemaphoreAcquireOptions } from '../lock.js';
import type { Cell, GrantableGuard } from '../space/cell.js';
import { ABOUT_PERMITS, KIND_SEMAPHORE } from '../space/layout.js';
import type { Tether } from '../space/tether.js';
import { MAX_PERMITS } from '../space/words.js';
import { acquireAsync, acquireBlocking, attemptOnly, type Way } from './acquire.js';
import { Opened, obtain, openHandle, type LockHandle } from './handles.js';
import { enterShared, leaveShared, leaveSharedSlow } from './shared-hold.js';
import type { Space } from './space.js';
import { Acquirable } from './thread-lock.js';

export type SemaphoreHandle = LockHandle<'mortise/semaphore'>;
const HANDLE_TYPE = 'mortise/semaphore';

export interface SemaphoreOptions {
  /** With a name, it is the same semaphore in every thread of the space. 1 to 255 bytes in UTF-8. */
  name?: string;
  /** Default: the space that all threads of the process share. */
  space?: Space;
}

/** The proof that this thread holds permits: as many as the weight it was acquired with. */
export class PermitGuard extends ThreadGuard implements GrantableGuard {
  private readonly weight: number;

  constructor(tether: Tether, weight: number) {
    super(tether);
    this.weight = weight;
  }

  /** A semaphore has no exclusive holder to fence off. */
  get fence(): bigint {
    return 0n;
  }

  get abandoned(): boolean {
    return false;
  }

  enter(word: number): boolean {
    return enterShared(this.tether as Tether, word, this.weight, -this.weight);
  }

  release(): boolean {
    const { tether } = this;
    if (tether === null) return false;
    let word = tether.words[tether.word] as number;
    // Negative: somebody waits, or the permits are being recounted.
    if (word < 0 || !leaveShared(tether, word, this.weight, this.weight))
      word = leaveSharedSlow(tether, this.weight, this.weight);
    this.tether = null; // Not before: a full stack may have kept them from being given back.
    if (word < 0) (tether.cell as Cell).queue.latchAndSettle();
    return true;
  }
}

const way: Way<PermitGuard> = {
  exclusive: false,

  /** The word is negative while anybody waits: no request passes the queue. */
  attempt(cell, weight) {
    const { words, word: at } = cell.queue;
    for (;;) {
      const word = Atomics.load(words, at);
      if (word < weight) return null;
      const guard = new PermitGuard(cell.tether, weight);
      if (guard.enter(word)) return guard;
    }
  },

  spin: () => null,

  prepare: (cell, weight) => new PermitGuard(cell.tether, weight),

  obstacle(cell, weight) {
    const permits = permitsOf(cell);
    const { ownHold } = cell;
    if (permits - ownHold >= weight) return null;
    return `this thread holds ${ownHold} of its ${permits} permits, and ${weight} more can never be free`;
  },

  isOwn: (cell) => cell.ownHold > 0,
};

function permitsOf(cell: Cell): number {
  return cell.queue.words[cell.queue.about + ABOUT_PERMITS] as number;
}

/**
 * A number of permits, of which a request takes as many as its weight, between all threads of a process:
 * blocking or async.
 *
 * - **Fairness.** First in, first out, by each thread's foremost request: a large request is served in its turn,
 *   however many small ones come after it.
 * - **Cancelling.** A request that times out or is aborted leaves the queue, and those behind it move up.
 * - **Death.** The permits of a thread that ends in any way return. Guards are never `abandoned`, and their
 *   `fence` is `0n`.
 *
 * @example
 * ```js
 * import { Semaphore } from 'mortise';
 *
 * const megabytes = new Semaphore(64);
 * const guard = await megabytes.acquire({ weight: 48 });
 * megabytes.availableSync(); // => 16
 * megabytes.tryAcquireSync({ weight: 32 }); // => null
 * guard.release(); // => true
 * ```
 */
export class Semaphore extends Acquirable<ThreadGuard, SemaphoreAcquireOptions> {
  protected readonly way: Way<ThreadGuard> = way;

  /**
   * @param permits How many there are: an integer from 1 to 2^30 - 1.
   * @throws NameConflictError if the name is that of another kind of lock, or of one with other permits;
   * SpaceFullError if there is no room; UnsupportedError in a worker without a default space; TypeError or
   * RangeError for bad arguments.
   */
  constructor(permits: number | Opened, options: SemaphoreOptions = {}) {
    super(permits instanceof Opened ? permits : obtainSemaphore(permits, options));
  }

  /**
   * Opens the semaphore that a handle stands for.
   * @throws InvalidHandleError if it is not the handle of a semaphore, or it was disposed of.
   */
  static from(handle: SemaphoreHandle): Semaphore {
    return new Semaphore(openHandle(handle, HANDLE_TYPE, [KIND_SEMAPHORE]));
  }

  /** Structured-cloneable: for `workerData`, `postMessage`, a task's argument. */
  get handle(): SemaphoreHandle {
    return this.opened.handle(HANDLE_TYPE);
  }

  /** How many permits there are, free or not. */
  get permits(): number {
    return permitsOf(this.cell);
  }

  /** How many permits are free now. Those who wait may be about to take them. */
  availableSync(): number {
    const { rules, words, word, attachment } = this.cell.queue;
    attachment.lookForDead();
    const seen = Atomics.load(words, word);
    return rules.room(seen);
  }

  /** As {@link availableSync}, as a promise. */
  async available(): Promise<number> {
    return this.availableSync();
  }

  /**
   * Acquires `weight` permits (default 1) without blocking the event loop, and keeps the thread alive while it waits.
   * @throws RangeError if the weight is below 1 or above `permits`; LockTimeoutError after `timeout` milliseconds;
   * `signal.reason` when aborted. Nothing is held then.
   */
  async acquire(options?: SemaphoreAcquireOptions): Promise<ThreadGuard> {
    const weight = this.#weightOf(options);
    const deadline = asyncDeadline(options, WEIGHTED);
    const guard = this.#acquireFast(weight);
    return guard ?? acquireAsync(this.cell, way, weight, deadline);
  }

  /**
   * Acquires `weight` permits (default 1), blocking the thread and its event loop.
   * @throws RangeError if the weight is below 1 or above `permits`; LockTimeoutError after `timeout` milliseconds;
   * DeadlockError if this thread holds so many permits that the request could never be served.
   */
  acquireSync(options?: SemaphoreAcquireOptions): ThreadGuard {
    const weight = this.#weightOf(options);
    const deadline = options === undefined ? FOREVER : blockingDeadline(options, WEIGHTED);
    const guard = this.#acquireFast(weight);
    return guard ?? acquireBlocking(this.cell, way, weight, deadline);
  }

  /** @internal */
  firstAttempt(): () => PermitGuard | null {
    const weight = this.#weightOf(undefined);
    return () => this.#acquireFast(weight);
  }

  /** Acquires `weight` permits (default 1) if that is possible at once, and in turn. */
  tryAcquireSync(options?: SemaphoreAcquireOptions): ThreadGuard | null {
    const weight = this.#weightOf(options);
    blockingDeadline(options, WEIGHTED);
    return attemptOnly(this.cell, way, weight, true);
  }

  /** A plain read and one CAS. */
  #acquireFast(weight: number): PermitGuard | null {
    const { tether } = this.source;
    const word = tether.words[tether.word] as number;
    if (word < weight) return null;
    const guard = new PermitGuard(tether, weight);
    return guard.enter(word) ? guard : null;
  }

  #weightOf(options: SemaphoreAcquireOptions | undefined): number {
    return options === undefined ? 1 : this.#checkedWeight(options);
  }

  #checkedWeight(options: SemaphoreAcquireOptions): number {
    checkObject(options, 'options');
    const { weight = 1 } = options;
    checkInteger(weight, 'options.weight', 1, this.permits);
    return weight;
  }
}

const OPTIONS: Names<SemaphoreOptions> = { name: true, space: true };

function obtainSemaphore(permits: number, options: SemaphoreOptions): Opened {
  checkInteger(permits, 'permits', 1, MAX_PERMITS);
  checkOptions(options, 'options', OPTIONS);
  return obtain(options.space, { kind: KIND_SEMAPHORE, permits, name: options.name });
}
