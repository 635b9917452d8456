/** The law between the manager and whatever locks are made of: what a backend has to be, and to say of itself. */
import { show } from '../deadline.js';
import type { Census } from '../deadlocks/census.js';
import type { Guard, Lock, SemaphoreAcquireOptions } from '../lock.js';

/** What a backend can do. It is what the contract suite of backends holds it to, and it never changes. */
export interface Capabilities {
  /** Within what the same key is the same lock. */
  readonly scope: 'threads' | 'processes' | 'machines';
  /** Are its locks `SyncLock`s, which can also block? */
  readonly sync: boolean;
  /** Do exclusive guards have a `fence` that grows with each acquisition? */
  readonly fence: boolean;
  /** Milliseconds after which the lock of a dead holder expires, or `null`: holds end with their holder. */
  readonly ttl: number | null;
  /** Does it have semaphores, whose requests may have a weight? */
  readonly weighted: boolean;
  /** Does it have read-write locks? */
  readonly rw: boolean;
  /** Are semaphores and read-write locks first in, first out, whoever waits? */
  readonly fifo: boolean;
}

/** An exclusive lock. Where `capabilities.sync`, it is a `SyncLock`; where `ttl`, its guards are leases. */
export interface BackendLock extends Lock {
  /**
   * Closes it here. Whoever has it open elsewhere notices nothing, and it can be opened again under its key.
   * @throws LockBusyError if it is held or waited for here; nothing has changed then. Where others hold it or wait for
   * it, it may be thrown as well.
   */
  dispose(): void | Promise<void>;
}

export interface BackendSemaphore extends BackendLock {
  readonly permits: number;
  acquire(options?: SemaphoreAcquireOptions): Promise<Guard>;
  tryAcquire(options?: SemaphoreAcquireOptions): Promise<Guard | null>;
  withLock<T>(body: (guard: Guard) => T | Promise<T>, options?: SemaphoreAcquireOptions): Promise<T>;
  available(): Promise<number>;
}

export interface BackendReadWriteLock {
  readonly reader: Lock;
  readonly writer: Lock;
  /** As {@link BackendLock.dispose}, of both sides. */
  dispose(): void | Promise<void>;
}

/**
 * Where locks live. Each method opens the lock of a key, made if need be, and does so at once: what takes time, such as
 * a connection, is waited for by `acquire`. The same key is the same lock within `capabilities.scope`, and a key has one
 * kind: that of another one throws NameConflictError where the backend can tell. What it cannot do throws
 * UnsupportedError. Keys have 1 to 255 bytes in UTF-8.
 *
 * @example A backend of one's own:
 * ```js
 * import { LockManager, memoryBackend } from 'mortise';
 *
 * const memory = memoryBackend();
 * const staging = { ...memory, id: 'staging', lock: (key) => memory.lock(`staging/${key}`) };
 * const locks = new LockManager({ backend: staging });
 * await locks.lock('db').withLock(() => memory.lock('staging/db').isLocked()); // => true
 * ```
 */
export interface Backend {
  /** The same text wherever it is the same backend: several locks are acquired in the order of ids, then of keys. */
  readonly id: string;
  readonly capabilities: Capabilities;
  lock(key: string): BackendLock;
  readWriteLock(key: string): BackendReadWriteLock;
  semaphore(key: string, permits: number): BackendSemaphore;
  /** What its locks can tell of who holds them, so that deadlocks among all who share it are found; see {@link Census}. */
  readonly census?: Census;
}

const MAX_KEY_BYTES = 255;

/**
 * The same for every backend, so that one can take another's place.
 * @throws TypeError or RangeError that says what a key must be.
 */
export function checkKey(key: unknown, what: string): asserts key is string {
  if (typeof key !== 'string') throw new TypeError(`${what} must be a string, not ${show(key)}`);
  // Two of them could be the same bytes, and so the same lock.
  if (!key.isWellFormed())
    throw new RangeError(`${what} must be well-formed Unicode, without lone surrogates: ${show(key)}`);
  const length = Buffer.byteLength(key);
  if (length === 0 || length > MAX_KEY_BYTES)
    throw new RangeError(
      `${what} must have 1 to ${MAX_KEY_BYTES} bytes in UTF-8, not ${length}: ${show(key)}`,
    );
}
