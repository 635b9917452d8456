/** mortise: locks for Node.js, from worker threads on. */
export {
  BackendUnavailableError,
  DeadlockError,
  InvalidHandleError,
  LockBusyError,
  LockError,
  LockLostError,
  LockTimeoutError,
  NameConflictError,
  NativeAddonError,
  SpaceFullError,
  UnsupportedError,
} from './errors.js';
export type {
  AcquireOptions,
  Guard,
  Lease,
  Lock,
  LockInfo,
  LockStats,
  SemaphoreAcquireOptions,
  SyncGuard,
  SyncLock,
  WaitStats,
} from './lock.js';
export * from './manager.js';
export { Mutex, type MutexHandle, type MutexOptions } from './primitives/mutex.js';
export { open } from './primitives/open.js';
export {
  ReadWriteLock,
  type ReadGuard,
  type ReadWriteLockHandle,
  type ReadWriteLockOptions,
  type WriteGuard,
} from './primitives/read-write-lock.js';
export { Semaphore, type SemaphoreHandle, type SemaphoreOptions } from './primitives/semaphore.js';
export { Space, type SpaceHandle, type SpaceOpenOptions, type SpaceOptions } from './primitives/space.js';
