/** What a manager gives out for a name: a lock that lasts, whatever becomes of the one behind it. */
import { show } from '../deadline.js';
import { AttendedLock } from '../deadlocks/attended-lock.js';
import type { NotedHold } from '../deadlocks/task.js';
import { UnsupportedError } from '../errors.js';
import type { AcquireOptions, Guard, Lock, LockInfo, SemaphoreAcquireOptions, SyncGuard } from '../lock.js';
import type { SyncLock } from '../lock.js';
import type { BackendSemaphore } from './backend.js';
import { Acquisition, isWatched } from './events.js';
import type { LockMode } from './limits.js';

/** Where a face gets the lock behind it. */
export interface Source {
  /** Opens it, which gives it to all faces of the name. */
  open(): void;
  /** In words, for messages: where it lives. */
  readonly place: string;
  /** Undefined: it was registered. */
  readonly backendId: string | undefined;
  readonly canBlock: boolean;
}

/**
 * The lock of a name, as `LockManager.lock`, `readLock` and `writeLock` give it. It has the fairness, and its guards the
 * properties, of the backend that it lives on; what differs is said here.
 *
 * - Acquires that say no `timeout` have the time limit of their manager.
 * - Blocking forms on a backend that cannot block throw an UnsupportedError at once.
 * - It stays usable after `cleanup()`: the next use opens it again.
 */
export class ManagedLock<O extends AcquireOptions = AcquireOptions> implements Lock {
  readonly name: string;
  /** How it is asked for: `lock`, `read`, `write` or `semaphore`. */
  readonly mode: LockMode;
  readonly #source: Source;
  /** Options of acquires that say none. */
  readonly #limit: O | undefined;
  #lock: Lock | undefined;
  /** The same, if it can block. */
  #blocking: SyncLock | undefined;

  /** @internal */
  constructor(name: string, mode: LockMode, source: Source, limit: number) {
    this.name = name;
    this.mode = mode;
    this.#source = source;
    this.#limit = limit === Infinity ? undefined : (Object.freeze({ timeout: limit }) as O);
  }

  /** @internal The lock behind it; undefined: it was closed. */
  attach(lock: Lock | undefined): void {
    this.#lock = lock;
    this.#blocking = lock !== undefined && this.#source.canBlock ? (lock as SyncLock) : undefined;
  }

  /** @internal What a guard of it holds, for a task that is known; undefined: nobody looks for deadlocks. */
  noted(guard: Guard, options: O | undefined): NotedHold | undefined {
    return this.#lock instanceof AttendedLock ? this.#lock.hold(guard, options) : undefined;
  }

  /** @internal Opens it if need be. */
  protected get lock(): Lock {
    if (this.#lock === undefined) this.#source.open();
    return this.#lock as Lock;
  }

  /**
   * Acquires it without blocking the event loop. When it is aborted or out of time, nobody else loses anything.
   * @throws LockTimeoutError after `timeout` milliseconds, `signal.reason` when aborted, or what its backend says.
   */
  acquire(options?: O): Promise<Guard> {
    // Not async: a promise around the promise would cost as much as the lock.
    const lock = this.#lock;
    if (lock === undefined || isWatched()) return this.#acquireSlow(options);
    return lock.acquire(this.#limited(options));
  }

  /** Acquires it if that is possible at once, else gives null. */
  async tryAcquire(options?: O): Promise<Guard | null> {
    const lock = this.lock as { tryAcquire(options?: O): Promise<Guard | null> };
    const attempt = (): Promise<Guard | null> =>
      options === undefined ? lock.tryAcquire() : lock.tryAcquire(options);
    return isWatched() ? watched(this.#acquisition(options, 0), attempt) : attempt();
  }

  /**
   * Runs `body` with the lock held, and releases it when the promise of `body` settles. Returns or throws what `body`
   * did, or what {@link acquire} throws.
   */
  withLock<T>(body: (guard: Guard) => T | Promise<T>, options?: O): Promise<T> {
    const lock = this.#lock;
    if (lock === undefined || isWatched()) return this.#withLockSlow(body, options);
    return lock.withLock(body, this.#limited(options));
  }

  /** Is it held by anybody? */
  async isLocked(): Promise<boolean> {
    return this.lock.isLocked();
  }

  /** Is it held by this thread, or on some backends through this object? */
  async isOwned(): Promise<boolean> {
    return this.lock.isOwned();
  }

  /** Who holds it, how many wait. */
  async info(): Promise<LockInfo> {
    return { ...(await this.lock.info()), name: this.name };
  }

  /**
   * Acquires it, blocking the thread and its event loop.
   * @throws UnsupportedError if its backend cannot block; LockTimeoutError; DeadlockError if this thread itself is in
   * the way.
   */
  acquireSync(options?: O): SyncGuard {
    const lock = this.#blocking ?? this.blocking('acquireSync');
    const limited = this.#limited(options);
    if (!isWatched()) return lock.acquireSync(limited);
    return watchedSync<SyncGuard>(this.#acquisition(limited), () => lock.acquireSync(limited));
  }

  /** Acquires it if that is possible at once, else gives null. */
  tryAcquireSync(options?: O): SyncGuard | null {
    const lock = this.blocking('tryAcquireSync') as { tryAcquireSync(options?: O): SyncGuard | null };
    if (!isWatched()) return lock.tryAcquireSync(options);
    return watchedSync(this.#acquisition(options, 0), () => lock.tryAcquireSync(options));
  }

  /** Runs `body` with the lock held, blocking. Returns or throws what `body` did, or what {@link acquireSync} throws. */
  withLockSync<T>(body: (guard: SyncGuard) => T, options?: O): T {
    const lock = this.blocking('withLockSync');
    const limited = this.#limited(options);
    if (!isWatched() || typeof body !== 'function') return lock.withLockSync(body, limited);
    const acquisition = this.#acquisition(limited);
    try {
      return lock.withLockSync(acquisition.within(body), limited);
    } catch (error) {
      acquisition.missed(error);
      throw error;
    }
  }

  isLockedSync(): boolean {
    return this.blocking('isLockedSync').isLockedSync();
  }

  isOwnedSync(): boolean {
    return this.blocking('isOwnedSync').isOwnedSync();
  }

  infoSync(): LockInfo {
    return { ...this.blocking('infoSync').infoSync(), name: this.name };
  }

  /** The options, with the time limit where they say no timeout. What is wrong with them is left to the lock. */
  #limited(options: O | undefined): O | undefined {
    if (options === undefined) return this.#limit;
    if (
      this.#limit === undefined ||
      typeof options !== 'object' ||
      (options as O | null) === null ||
      options.timeout !== undefined
    )
      return options;
    return { ...options, ...this.#limit };
  }

  /** If it has to be opened, or somebody listens. */
  async #acquireSlow(options: O | undefined): Promise<Guard> {
    const { lock } = this;
    const limited = this.#limited(options);
    if (!isWatched()) return lock.acquire(limited);
    return watched<Guard>(this.#acquisition(limited), () => lock.acquire(limited));
  }

  async #withLockSlow<T>(body: (guard: Guard) => T | Promise<T>, options: O | undefined): Promise<T> {
    const { lock } = this;
    const limited = this.#limited(options);
    if (!isWatched() || typeof body !== 'function') return lock.withLock(body, limited);
    const acquisition = this.#acquisition(limited);
    try {
      return await lock.withLock(acquisition.within(body), limited);
    } catch (error) {
      acquisition.missed(error);
      throw error;
    }
  }

  #acquisition(options: O | undefined, timeout?: number): Acquisition {
    const { weight = 1, timeout: longest = Infinity } = (options ?? {}) as SemaphoreAcquireOptions;
    const { name, mode } = this;
    return new Acquisition({ name, mode, backend: this.#source.backendId, weight }, timeout ?? longest);
  }

  /** @internal */
  protected blocking(method: string): SyncLock {
    if (!this.#source.canBlock)
      throw new UnsupportedError(
        `${method}() of the lock ${show(this.name)}: it lives on ${this.#source.place}, which cannot block a thread; ` +
          'use the form that returns a promise',
      );
    return this.lock as SyncLock;
  }
}

async function watched<G extends Guard | null>(
  acquisition: Acquisition,
  acquire: () => Promise<G>,
): Promise<G> {
  try {
    const guard = await acquire();
    if (guard === null) acquisition.missed();
    else acquisition.acquired(guard);
    return guard;
  } catch (error) {
    acquisition.missed(error);
    throw error;
  }
}

function watchedSync<G extends Guard | null>(acquisition: Acquisition, acquire: () => G): G {
  try {
    const guard = acquire();
    if (guard === null) acquisition.missed();
    else acquisition.acquired(guard);
    return guard;
  } catch (error) {
    acquisition.missed(error);
    throw error;
  }
}

/** A {@link ManagedLock} of permits, as `LockManager.semaphore` gives it. */
export class ManagedSemaphore extends ManagedLock<SemaphoreAcquireOptions> {
  /** How many permits there are, free or not. */
  get permits(): number {
    return (this.lock as BackendSemaphore).permits;
  }

  /** How many permits are free now. Those who wait may be about to take them. */
  async available(): Promise<number> {
    return (this.lock as BackendSemaphore).available();
  }

  /** As {@link available}, where the backend can block. */
  availableSync(): number {
    return (this.blocking('availableSync') as SyncLock & { availableSync(): number }).availableSync();
  }
}
