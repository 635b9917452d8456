/** Names and policy: what the front door has of the lock manager. */
export { fileBackend, type FileBackendOptions } from './backends/file.js';
export { memoryBackend } from './backends/memory.js';
export { etcdBackend, type EtcdBackendOptions } from './backends/etcd.js';
export { redisBackend, type RedisBackendOptions } from './backends/redis.js';
export { sharedMemoryBackend } from './backends/shared-memory.js';
export {
  locked,
  readLock,
  writeLock,
  type LockName,
  type Locked,
  type LockedOptions,
  type LockedSync,
} from './decorators.js';
export type { DeadlockEvents } from './deadlocks/audience.js';
export type { Blocked, Board, Census, Pace, Requests, ThreadCensus, Told } from './deadlocks/census.js';
export type { LockOrder, OrderInversionReport } from './deadlocks/order.js';
export type {
  DeadlockMember,
  DeadlockReport,
  LockParty,
  LockUse,
  LongWaitReport,
} from './deadlocks/report.js';
export type { DeadlockOptions } from './deadlocks/watcher.js';
export { LockManager, getLockManager, setLockManager, type LockManagerOptions } from './lock-manager.js';
export type { LockRequest } from './manager/acquire-all.js';
export type {
  Backend,
  BackendLock,
  BackendReadWriteLock,
  BackendSemaphore,
  Capabilities,
} from './manager/backend.js';
export type {
  LockAcquireEvent,
  LockAcquiredEvent,
  LockEvent,
  LockMissedEvent,
  LockReleaseEvent,
} from './manager/events.js';
export type { GuardSet } from './manager/guard-set.js';
export type { LockMode, TimeLimits } from './manager/limits.js';
export type { LockScope, NameEntry, NameOptions } from './manager/lock-scope.js';
export type {
  Holder,
  LockStatus,
  NameStats,
  Participant,
  RecentOperation,
  StatisticsOptions,
} from './manager/statistics.js';
export type { ManagedLock, ManagedSemaphore } from './manager/managed-lock.js';
