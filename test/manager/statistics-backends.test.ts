/** What is counted of locks that live elsewhere, and of one’s own. */
import { join } from 'node:path';
import { afterAll, describe, expect, test } from 'vitest';
import {
  Mutex,
  ReadWriteLock,
  fileBackend,
  memoryBackend,
  sharedMemoryBackend,
  type WriteGuard,
} from 'mortise';
import { expectRefused } from '../contract/guards.ts';
import { newName, counting, counts, useEachForm, contend } from '../fixtures/manager/counting.ts';
import { folder, newRegion } from '../fixtures/space-open/region.ts';
import { endProcesses, Process } from '../fixtures/process.ts';

afterAll(endProcesses);

describe('On other backends', () => {
  test('a file counts what this process does', async () => {
    const locks = counting(fileBackend(join(folder, 'statistics')));
    await useEachForm(locks, 'report');
    expect(locks.stats('report')).toMatchObject({
      ...counts({ acquisitions: 10, releases: 10 }),
      contended: null,
    });
    await (await contend(locks, 'report')).release();
    expect(locks.stats('report')).toMatchObject({
      acquisitions: 12,
      wait: { count: 10 },
      backend: locks.list()[0]!.backend,
    });
  });

  test('shared memory counts what this process does, and info what others do', async () => {
    const path = newRegion();
    const locks = counting(sharedMemoryBackend(path, { locks: 16, threads: 8 }));
    const other = Process.fork();
    await other.run(({ LockManager, sharedMemoryBackend, guards }, path) => {
      const lock = new LockManager({ statistics: true, backend: sharedMemoryBackend(path) }).lock('report');
      lock.withLockSync(() => undefined);
      guards.set('held', lock.acquireSync());
    }, path);
    await locks
      .lock('report')
      .acquire({ timeout: 5 })
      .catch(() => undefined);
    expect(locks.stats('report')).toMatchObject(counts({ timeouts: 1 }));
    await other.kill();
    await locks.lock('report').withLock((guard) => expect(guard.abandoned).toBe(true));
    expect(locks.stats('report')).toMatchObject({ acquisitions: 1, releases: 1, abandoned: 0 });
  });

  test('a lock that answers promises only tells the time of every acquire, and what was lost', async () => {
    const memory = memoryBackend();
    const endings: AbortController[] = [];
    const lock = (key: string): never => {
      const mutex = memory.lock(key) as Mutex;
      const acquire = mutex.acquire.bind(mutex);
      mutex.acquire = async (options) => {
        const ending = new AbortController();
        endings.push(ending);
        const guard = Object.assign(await acquire(options), { signal: ending.signal });
        const release = guard.release.bind(guard);
        guard.release = (() => Promise.resolve(release())) as never;
        return guard;
      };
      return mutex as never;
    };
    const capabilities = { ...memory.capabilities, sync: false };
    const locks = counting({ ...memory, id: `remote ${newName()}`, capabilities, lock });
    const name = newName();
    const remote = locks.lock(name);
    expect([await (await remote.acquire()).release(), await remote.withLock(() => 'done')]).toEqual([
      true,
      'done',
    ]);
    expect(locks.stats(name)).toMatchObject({ ...counts({ acquisitions: 2, releases: 2 }), contended: null });
    expect(locks.stats(name)!.wait.count).toBe(2);
    expect(locks.stats(name)!.hold.count).toBe(2);
    const lost = await remote.acquire();
    await expect(remote.acquire({ timeout: 5 })).rejects.toThrow(/within 5 ms/);
    endings[2]!.abort();
    expect(locks.stats(name)).toMatchObject({
      acquisitions: 3,
      releases: 2,
      lost: 1,
      timeouts: 1,
      holders: 0,
    });
    await lost.release();
    expect(locks.stats(name)).toMatchObject({ acquisitions: 3, releases: 2, lost: 1 });
    expect(
      locks
        .stats(name)!
        .recent.slice(-2)
        .map(({ what }) => what),
    ).toEqual(['timeout', 'lost']);
  });

  test('locks of one’s own are counted, reentrant ones and frozen guards too', async () => {
    const locks = counting();
    const [own, table, frozen] = [newName(), newName(), newName()];
    const mutex = new Mutex({ reentrant: true });
    const lock = locks.register(own, mutex);
    await lock.withLock(() => lock.withLock(() => expect(mutex.isOwnedSync()).toBe(true)));
    const other = lock.withLock(() => 'after');
    expect(await other).toBe('after');
    lock.withLockSync(() => undefined);
    expect(locks.stats(own)).toMatchObject({ ...counts({ acquisitions: 4, releases: 4 }), contended: null });

    const rw = new ReadWriteLock();
    locks.register(table, rw);
    for (const isWaiting of [false, true]) {
      const before = isWaiting ? rw.acquireWriteSync() : undefined;
      const asked = locks.writeLock(table).acquire();
      before?.release();
      const reading = ((await asked) as WriteGuard).downgrade();
      expectRefused(await locks.writeLock(table).tryAcquire());
      expect(reading.release()).toBe(true);
    }
    expect(locks.stats(table)).toMatchObject(counts({ acquisitions: 2, releases: 2, contended: 1 }));

    const ice = new Mutex({ reentrant: true });
    const acquire = ice.acquire.bind(ice);
    ice.acquire = async (options) => Object.freeze(await acquire(options)) as never;
    await locks.register(frozen, ice).acquire();
    expect(locks.stats(frozen)).toMatchObject({ acquisitions: 1, holders: 0 });
  });

  test('a guard that outlives its name counts nowhere else', async () => {
    const memory = memoryBackend();
    const lock = (key: string): never =>
      Object.assign(memory.lock(key), { dispose: () => undefined }) as never;
    const locks = counting({ ...memory, id: 'careless', lock });
    const guard = await locks.lock(newName()).acquire();
    expect(await locks.cleanup()).toBe(1);
    const names = [newName(), newName()];
    for (const name of names) locks.lock(name);
    await guard.release();
    for (const name of names) expect(locks.stats(name)).toMatchObject(counts({}));
  });

  test('ids of any length tell backends apart', async () => {
    const memory = memoryBackend();
    const ids = ['x'.repeat(500), `${'x'.repeat(500)}y`, 'null\0character'];
    const managers = ids.map((id) => counting({ ...memory, id }));
    for (const [times, locks] of managers.entries())
      for (let i = 0; i < times; i++) await locks.lock('same').withLock(() => undefined);
    expect(
      managers.map((locks) => [locks.stats('same')?.acquisitions, locks.stats('same')?.backend]),
    ).toEqual([
      [undefined, undefined],
      [1, ids[1]],
      [2, ids[2]],
    ]);
  });
});
