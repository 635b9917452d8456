import type { Backend } from '../manager/backend.js';
import { Space } from '../primitives/space.js';
import { spaceBackend } from './space.js';

/**
 * Locks between the threads of this process, in the default `Space`: `lock('db')` is the same lock as
 * `new Mutex({ name: 'db' })`. The fastest backend, and the one a manager has if it is given none. It has room for 4096
 * locks at a time. A worker that has inherited no space gets an UnsupportedError when it asks for the first lock.
 *
 * @example
 * ```js
 * import { LockManager, Mutex, memoryBackend } from 'mortise';
 *
 * const locks = new LockManager({ backend: memoryBackend() });
 * const guard = locks.lock('ledger').acquireSync();
 * new Mutex({ name: 'ledger' }).tryAcquireSync(); // => null
 * guard.release();
 * ```
 */
export function memoryBackend(): Backend {
  return spaceBackend('memory', 'threads', () => Space.default());
}
