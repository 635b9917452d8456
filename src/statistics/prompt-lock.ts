/** Counting where it has to be fast: locks between threads, whose own first attempt is made here, and so is known. */
import { PLAIN, WEIGHTED, asyncDeadline, blockingDeadline } from '../deadline.js';
import type { Guard, SemaphoreAcquireOptions, SyncGuard, SyncLock } from '../lock.js';
import type { LockMode } from '../manager/limits.js';
import { ThreadLock } from '../primitives/thread-lock.js';
import { withLock, withLockSync } from '../with-lock.js';
import { attempts, type Attempt } from './counted-guards.js';
import { MeasuredSyncLock } from './measured-lock.js';
import type { Row } from './row.js';

type Options = SemaphoreAcquireOptions;

/**
 * Is its fast path known? Not that of a reentrant mutex, which has none, and so no tether: it has to be asked, as whatever
 * is somebody else's. Neither is a file's: to try it first would pass those whom it lets go first.
 */
export function isPrompt(lock: object): lock is ThreadLock & SyncLock {
  return lock instanceof ThreadLock && lock.source.tether.cell !== null;
}

/** The attempt takes the lock exactly when the lock itself would at once, and passes nobody whom that would not. */
export class PromptLock extends MeasuredSyncLock<Options> {
  declare readonly behind: ThreadLock & SyncLock;
  readonly #attempt: Attempt;
  readonly #permits: number;
  /** What an acquire may be told. */
  readonly #known: object;

  constructor(behind: ThreadLock & SyncLock, row: Row, mode: LockMode) {
    super(behind, row, mode);
    this.#attempt = attempts[mode];
    this.#known = mode === 'semaphore' ? WEIGHTED : PLAIN;
    this.#permits = mode === 'semaphore' ? this.permits : Infinity;
  }

  override async acquire(options?: Options): Promise<Guard> {
    if (options !== undefined) asyncDeadline(options, this.#known);
    return this.#tried(options) ?? super.acquire(options);
  }

  override async tryAcquire(options?: Options): Promise<Guard | null> {
    if (options !== undefined) asyncDeadline(options, this.#known);
    return this.#tried(options) ?? super.tryAcquire(options);
  }

  override withLock<T>(body: (guard: Guard) => T | Promise<T>, options?: Options): Promise<T> {
    return withLock<SyncGuard, T, Options>(this as unknown as SyncLock, body, options);
  }

  override acquireSync(options?: Options): SyncGuard {
    if (options !== undefined) blockingDeadline(options, this.#known);
    return this.#tried(options) ?? super.acquireSync(options);
  }

  override tryAcquireSync(options?: Options): SyncGuard | null {
    if (options !== undefined) blockingDeadline(options, this.#known);
    return this.#tried(options) ?? super.tryAcquireSync(options);
  }

  override withLockSync<T>(body: (guard: SyncGuard) => T, options?: Options): T {
    return withLockSync<SyncGuard, T, Options>(this, body, options);
  }

  /** Weights that cannot be are left to the lock, which names them. */
  #tried(options: Options | undefined): SyncGuard | null {
    const weight = options?.weight ?? 1;
    if (weight !== 1 && !(Number.isInteger(weight) && weight >= 1 && weight <= this.#permits)) return null;
    return this.#attempt(this, this.behind.source.tether, weight);
  }
}
