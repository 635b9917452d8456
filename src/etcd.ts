/** mortise/etcd: locks between machines, on etcd. */
export { etcdBackend, type EtcdBackendOptions } from './backends/etcd.js';
export { EtcdClient } from './etcd/client.js';
export type { EtcdTls } from './etcd/endpoint.js';
export type { EtcdLease } from './etcd/lease.js';
export { EtcdLock, type EtcdLockOptions } from './etcd/lock.js';
export type { EtcdOptions } from './etcd/options.js';
export type { EtcdClientOptions, EtcdPlace } from './etcd/place.js';
export type { Compare, KeyValue, RequestOp, ResponseOp, Txn, TxnAnswer } from './etcd/protocol.js';
export { EtcdReadWriteLock, type EtcdReadWriteFace } from './etcd/read-write-lock.js';
export { EtcdError, EtcdUnavailable } from './etcd/refusal.js';
export { EtcdSemaphore, type EtcdSemaphoreOptions } from './etcd/semaphore.js';
