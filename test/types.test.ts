/** What the compiler is told. These hold or fail in `tsc`; at run time they only exist. */
import { describe, expectTypeOf, test } from 'vitest';
import {
  LockManager,
  Mutex,
  ReadWriteLock,
  Semaphore,
  Space,
  open,
  type AcquireOptions,
  type Guard,
  type GuardSet,
  type Lock,
  type LockInfo,
  type SyncLock,
  type Lease,
} from 'mortise';
import type { EtcdLock, EtcdReadWriteLock, EtcdSemaphore, EtcdLease } from 'mortise/etcd';
import type { RedisLock, RedisReadWriteLock, RedisSemaphore } from 'mortise/redis';

describe('Types', () => {
  test('every primitive is a SyncLock, and so a Lock', () => {
    expectTypeOf<Mutex>().toExtend<SyncLock>();
    expectTypeOf<Semaphore>().toExtend<SyncLock>();
    expectTypeOf<ReadWriteLock['reader']>().toExtend<SyncLock>();
    expectTypeOf<ReadWriteLock['writer']>().toExtend<SyncLock>();
    expectTypeOf<SyncLock>().toExtend<Lock>();
  });

  test('a guard is disposable both ways, and its release() tells at once', () => {
    expectTypeOf<Guard>().toExtend<Disposable>();
    expectTypeOf<Guard>().toExtend<AsyncDisposable>();
    const guard = new Mutex().acquireSync();
    expectTypeOf(guard.release()).toEqualTypeOf<boolean>();
    expectTypeOf(guard.fence).toEqualTypeOf<bigint>();
    guard.release();
  });

  test('locks on servers are locks, and give leases', () => {
    expectTypeOf<RedisLock>().toExtend<Lock>();
    expectTypeOf<RedisSemaphore>().toExtend<Lock>();
    expectTypeOf<RedisReadWriteLock['reader']>().toExtend<Lock>();
    expectTypeOf<RedisReadWriteLock['writer']>().toExtend<Lock>();
    expectTypeOf<Awaited<ReturnType<RedisLock['acquire']>>>().toExtend<Lease>();
    expectTypeOf<EtcdLock>().toExtend<Lock>();
    expectTypeOf<EtcdSemaphore>().toExtend<Lock>();
    expectTypeOf<EtcdReadWriteLock['reader']>().toExtend<Lock>();
    expectTypeOf<EtcdReadWriteLock['writer']>().toExtend<Lock>();
    expectTypeOf<EtcdLease>().toExtend<Lease>();
    expectTypeOf<Awaited<ReturnType<EtcdLock['acquire']>>>().toEqualTypeOf<EtcdLease>();
    expectTypeOf<Lease>().toExtend<Guard>();
    expectTypeOf<ReturnType<Lease['release']>>().toEqualTypeOf<Promise<boolean>>();
  });

  test('withLock has the type of its body', async () => {
    const mutex = new Mutex();
    expectTypeOf(await mutex.withLock(() => 5)).toEqualTypeOf<number>();
    expectTypeOf(await mutex.withLock(async () => 'text')).toEqualTypeOf<string>();
    expectTypeOf(mutex.withLockSync(() => 5)).toEqualTypeOf<number>();
  });

  test('try forms may give null', () => {
    expectTypeOf<ReturnType<Mutex['tryAcquireSync']>>().toBeNullable();
    expectTypeOf<Awaited<ReturnType<Semaphore['tryAcquire']>>>().toBeNullable();
  });

  test('a weight is an option of a semaphore alone', () => {
    expectTypeOf<{ weight: number }>().toExtend<NonNullable<Parameters<Semaphore['acquire']>[0]>>();
    expectTypeOf<AcquireOptions>().not.toHaveProperty('weight');
  });

  test('only a write guard can be downgraded', () => {
    const rw = new ReadWriteLock();
    const writing = rw.acquireWriteSync();
    expectTypeOf(writing).toHaveProperty('downgrade');
    const reading = writing.downgrade();
    expectTypeOf(reading).not.toHaveProperty('downgrade');
    expectTypeOf(reading).toExtend<Guard>();
    reading.release();
  });

  test('spaces give the primitives', () => {
    const space = Space.default();
    expectTypeOf(space.mutex('types')).toEqualTypeOf<Mutex>();
    expectTypeOf(space.semaphore('types semaphore', 2)).toEqualTypeOf<Semaphore>();
    expectTypeOf(space.readWriteLock('types lock')).toEqualTypeOf<ReadWriteLock>();
    expectTypeOf<LockInfo['acquiredAt']>().toEqualTypeOf<number | null>();
  });

  test('open gives what the handle is of', () => {
    expectTypeOf(open(new Mutex().handle)).toExtend<Mutex | Semaphore | ReadWriteLock>();
  });

  test('what a manager gives out is a Lock, whose guard may be remote', async () => {
    const locks = new LockManager();
    expectTypeOf(locks.lock('types by name')).toExtend<Lock>();
    expectTypeOf(locks.semaphore('types permits', 2)).toExtend<Lock>();
    expectTypeOf(await locks.lock('types by name').withLock(() => 5)).toEqualTypeOf<number>();
    expectTypeOf<Awaited<ReturnType<Guard['release']>>>().toEqualTypeOf<boolean>();
    expectTypeOf<{ weight: number }>().toExtend<
      NonNullable<Parameters<ReturnType<LockManager['semaphore']>['acquire']>[0]>
    >();
    expectTypeOf<GuardSet>().toExtend<AsyncDisposable>();
    expectTypeOf<Awaited<ReturnType<LockManager['acquireAll']>>>().toEqualTypeOf<GuardSet>();
  });
});
