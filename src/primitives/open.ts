import { show } from '../deadline.js';
import { InvalidHandleError } from '../errors.js';
import { Mutex, type MutexHandle } from './mutex.js';
import { ReadWriteLock, type ReadWriteLockHandle } from './read-write-lock.js';
import { Semaphore, type SemaphoreHandle } from './semaphore.js';

/**
 * Opens the lock that a handle stands for, whatever its kind.
 * @throws InvalidHandleError if it is not the handle of a lock, or the lock was disposed of.
 *
 * @example
 * ```js
 * import { Mutex, Semaphore, open } from 'mortise';
 *
 * const lock = open(structuredClone(new Semaphore(3).handle)); // as in another thread
 * lock instanceof Semaphore; // => true
 * ```
 */
export function open(handle: MutexHandle): Mutex;
export function open(handle: SemaphoreHandle): Semaphore;
export function open(handle: ReadWriteLockHandle): ReadWriteLock;
export function open(
  handle: MutexHandle | SemaphoreHandle | ReadWriteLockHandle,
): Mutex | Semaphore | ReadWriteLock;
export function open(
  handle: MutexHandle | SemaphoreHandle | ReadWriteLockHandle,
): Mutex | Semaphore | ReadWriteLock {
  const { type } = (typeof handle === 'object' && (handle as object | null) !== null ? handle : {}) as {
    type?: unknown;
  };
  switch (type) {
    case 'mortise/mutex':
      return Mutex.from(handle as MutexHandle);
    case 'mortise/semaphore':
      return Semaphore.from(handle as SemaphoreHandle);
    case 'mortise/read-write-lock':
      return ReadWriteLock.from(handle as ReadWriteLockHandle);
    default:
      throw new InvalidHandleError(`not the handle of a lock: ${show(handle)}`);
  }
}
