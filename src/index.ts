/** mortise: locks for Node.js, from worker threads on. */
export { fileBackend, type FileBackendOptions } from './backends/file.js';
export { memoryBackend } from './backends/memory.js';
export { sharedMemoryBackend } from './backends/shared-memory.js';
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
  Lock,
  LockInfo,
  LockStats,
  SemaphoreAcquireOptions,
  SyncGuard,
  SyncLock,
  WaitStats,
} from './lock.js';
export { LockManager, getLockManager, setLockManager, type LockManagerOptions } from './lock-manager.js';
export type { LockRequest } from './manager/acquire-all.js';
export type {
  Backend,
  BackendLock,
  BackendReadWriteLock,
  BackendSemaphore,
  Capabilities,
} from './manager/backend.js';
export type { GuardSet } from './manager/guard-set.js';
export type { LockMode, TimeLimits } from './manager/limits.js';
export type { LockScope, NameEntry, NameOptions } from './manager/lock-scope.js';
export type { ManagedLock, ManagedSemaphore } from './manager/managed-lock.js';
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
