/** The interfaces that every lock of mortise has, whatever it is made of. */

/** How long to wait, and what ends the wait early. */
export interface AcquireOptions {
  /** Milliseconds. `0` means one attempt, `Infinity` (the default) means wait for ever. */
  timeout?: number;
  /** Ends an async wait: the promise rejects with `signal.reason`, and nobody else loses anything. */
  signal?: AbortSignal;
}

/** {@link AcquireOptions} of a semaphore. */
export interface SemaphoreAcquireOptions extends AcquireOptions {
  /** How many permits to take at once: an integer from 1 to the semaphore's `permits`. Default 1. */
  weight?: number;
}

/** The proof of a hold, and the only thing that can end it. */
export interface Guard extends Disposable, AsyncDisposable {
  /** True until it is released. */
  readonly held: boolean;
  /**
   * Grows with every exclusive acquisition and never restarts, not even when a cell or name is reused: pass it
   * to the resource you protect. A reader's is the last write's; a thread semaphore's is `0n`.
   */
  readonly fence: bigint;
  /** The previous exclusive holder died while holding: check the data before you trust it. */
  readonly abandoned: boolean;
  /** True if this call released it, false if it was released before. */
  release(): boolean | Promise<boolean>;
}

/** A guard of a lock between threads: it is released at once. */
export interface SyncGuard extends Guard {
  release(): boolean;
}

/** A guard of a lock that expires, as those on servers do: they cannot tell a dead holder from a slow one. */
export interface Lease extends Guard {
  /**
   * Aborts, with a `LockLostError`, when the hold is lost: before it can have expired at the server without this side
   * knowing. Stop writing then. Release does not abort it.
   */
  readonly signal: AbortSignal;
  /** Milliseconds for which the lock is still proven to be held, by a monotonic clock; 0 once released or lost. */
  readonly remaining: number;
  /** Holds on for `ttl` ms from now, and renewals from now on too; default: the time it had so far. */
  extend(ttl?: number): Promise<void>;
  /**
   * True if this call released it; false if it was released or lost before. Rejects if the server does not answer, and
   * goes on telling it in the background until the lock has expired.
   */
  release(): Promise<boolean>;
}

/** A snapshot of a lock for people and logs; it may be out of date when you read it. */
export interface LockInfo {
  readonly name: string | undefined;
  /** Who holds it exclusively, in words, or `null`. */
  readonly owner: string | null;
  /** Milliseconds since the epoch, or `null` if nobody holds it or it was acquired without waiting. */
  readonly acquiredAt: number | null;
  /** Milliseconds until it expires by itself, or `null` where locks do not expire. */
  readonly ttl: number | null;
  /** How many guards are held now, over all threads. */
  readonly holders: number;
  /** How many requests wait now, over all threads. */
  readonly waiters: number;
}

/** Waiting times of the requests that had to queue, in milliseconds. */
export interface WaitStats {
  readonly count: number;
  /** 0 if nobody has waited; the same holds for the others. */
  readonly min: number;
  readonly avg: number;
  readonly max: number;
  readonly p50: number;
  readonly p99: number;
  /** Only the buckets that are not empty, in order. Quantiles read from it are at most 25 % too high. */
  readonly histogram: readonly { readonly upTo: number; readonly count: number }[];
}

/** What happened at a lock since it was created, summed over all threads, the dead ones included. */
export interface LockStats {
  readonly name: string | undefined;
  /** Holds that began. Re-entries of a reentrant mutex are not counted. */
  readonly acquisitions: number;
  /** Holds that ended by `release()`. */
  readonly releases: number;
  /** Acquisitions that did not succeed at the first attempt. */
  readonly contended: number;
  /** Requests that ran out of time, `try` forms and `timeout: 0` excepted. */
  readonly timeouts: number;
  /** Holds that ended by the death of their thread. */
  readonly abandoned: number;
  readonly holders: number;
  readonly waiters: number;
  readonly wait: WaitStats;
}

export interface Lock {
  readonly name: string | undefined;
  acquire(options?: AcquireOptions): Promise<Guard>;
  tryAcquire(): Promise<Guard | null>;
  withLock<T>(body: (guard: Guard) => T | Promise<T>, options?: AcquireOptions): Promise<T>;
  isLocked(): Promise<boolean>;
  isOwned(): Promise<boolean>;
  info(): Promise<LockInfo>;
}

export interface SyncLock extends Lock {
  acquire(options?: AcquireOptions): Promise<SyncGuard>;
  tryAcquire(): Promise<SyncGuard | null>;
  acquireSync(options?: AcquireOptions): SyncGuard;
  tryAcquireSync(): SyncGuard | null;
  withLockSync<T>(body: (guard: SyncGuard) => T, options?: AcquireOptions): T;
  isLockedSync(): boolean;
  isOwnedSync(): boolean;
  infoSync(): LockInfo;
}
