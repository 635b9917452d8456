/** Running a body under a lock, whatever the lock is made of. */
import { show } from './deadline.js';
import type { AcquireOptions, Lease, SyncGuard } from './lock.js';

/** @throws TypeError unless it is a function. */
export function checkBody(body: unknown): asserts body is (...args: never[]) => unknown {
  if (typeof body !== 'function') throw new TypeError(`body must be a function, not ${show(body)}`);
}

/** The `withLock` of every lock whose release is not awaited. */
export async function withLock<G extends SyncGuard, T, O extends AcquireOptions>(
  lock: { acquire(options?: O): Promise<G> },
  body: (guard: G) => T | Promise<T>,
  options: O | undefined,
): Promise<T> {
  checkBody(body);
  const guard = await lock.acquire(options);
  try {
    return await body(guard);
  } finally {
    guard.release();
  }
}

/** The `withLockSync` of every lock. */
export function withLockSync<G extends SyncGuard, T, O extends AcquireOptions>(
  lock: { acquireSync(options?: O): G },
  body: (guard: G) => T,
  options: O | undefined,
): T {
  checkBody(body);
  const guard = lock.acquireSync(options);
  try {
    return body(guard);
  } finally {
    guard.release();
  }
}

/** The `withLock` of locks whose release is awaited: what comes of the release never hides what came of the body. */
export async function withLease<L extends Lease, T, O extends AcquireOptions>(
  lock: { acquire(options?: O): Promise<L> },
  body: (lease: L) => T | Promise<T>,
  options: O | undefined,
): Promise<T> {
  checkBody(body);
  const lease = await lock.acquire(options);
  try {
    return await body(lease);
  } finally {
    await lease.release().catch(() => {});
  }
}
