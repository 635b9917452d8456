/** mortise/redis: locks between machines, on Redis or Valkey. */
export { redisBackend, type RedisBackendOptions } from './backends/redis.js';
export type { RedisClient } from './redis/client-kind.js';
export type { RemoteLease as RedisLease } from './remote/lease.js';
export { RedisLock, type RedisLockOptions, type RedlockOptions } from './redis/lock.js';
export type { KeyOptions, RedisOptions, TermOptions } from './redis/options.js';
export type { RedisPlace, RedisPlaces } from './redis/place.js';
export { RedisReadWriteLock, type RedisReadWriteFace } from './redis/read-write-lock.js';
export { RedisSemaphore, type RedisSemaphoreOptions } from './redis/semaphore.js';
