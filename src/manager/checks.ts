/** Is what a user brings a backend, or a lock? */
import { checkObject, show } from '../deadline.js';
import type { Lock } from '../lock.js';
import type { Backend, BackendReadWriteLock } from './backend.js';
import type { Kind } from './named.js';

/** @throws TypeError unless it has what a backend has. */
export function checkBackend(backend: unknown, what: string): asserts backend is Backend {
  checkObject(backend, what);
  const { id, capabilities } = backend as Partial<Backend>;
  const isBackend =
    typeof id === 'string' &&
    typeof capabilities === 'object' &&
    (capabilities as object | null) !== null &&
    hasMethods(backend, ['lock', 'readWriteLock', 'semaphore']);
  if (!isBackend)
    throw new TypeError(`${what} must be a backend, such as memoryBackend(), not ${show(backend)}`);
}

/** @throws TypeError unless it has what a lock has, or the two sides of a read-write lock have. */
export function checkLock(lock: unknown): asserts lock is Lock | BackendReadWriteLock {
  checkObject(lock, 'lock');
  const { reader, writer } = lock as Partial<BackendReadWriteLock>;
  const sides = reader === undefined && writer === undefined ? [lock] : [reader, writer];
  const isLock = sides.every((side) =>
    hasMethods(side, ['acquire', 'tryAcquire', 'withLock', 'isLocked', 'isOwned', 'info']),
  );
  if (!isLock) throw new TypeError(`lock must have the methods of a Lock, not ${show(lock)}`);
}

/** What kind of lock it is, by what it has. */
export function kindOf(lock: Lock | BackendReadWriteLock): Kind {
  if ('reader' in lock) return 'read-write lock';
  return 'permits' in lock ? 'semaphore' : 'lock';
}

function hasMethods(value: unknown, names: readonly string[]): boolean {
  if (typeof value !== 'object' || value === null) return false;
  return names.every((name) => typeof (value as Record<string, unknown>)[name] === 'function');
}
