/** What managers that count tell of what happened. */
import { join } from 'node:path';
import { once } from 'node:events';
import { getEnvironmentData, Worker } from 'node:worker_threads';
import { afterAll, describe, expect, test } from 'vitest';
import { LockManager, Mutex, UnsupportedError, fileBackend, type LockScope, type WriteGuard } from 'mortise';
import { expectRefused } from '../contract/guards.ts';
import { runFixture } from '../fixtures/child.ts';
import { newName, counting, counts, useEachForm, contend } from '../fixtures/manager/counting.ts';
import { folder } from '../fixtures/space-open/region.ts';
import { endThreads, startThread } from '../fixtures/thread.ts';
import { until } from '../fixtures/until.ts';

afterAll(endThreads);

/** What threads count on. */
const { rows: board } = getEnvironmentData('mortise/statistics/1') as unknown as { rows: SharedArrayBuffer };

describe('stats', () => {
  test('counts every form of every mode', async () => {
    const locks = counting();
    const name = newName();
    const used = await useEachForm(locks, name);
    expect(locks.stats(name)).toMatchObject({
      name,
      mode: 'lock',
      backend: 'memory',
      ...counts({ acquisitions: used, releases: used }),
    });
    expect(locks.stats(`${name}, read`, 'read')).toMatchObject(counts({ acquisitions: 1, releases: 1 }));
    expect(locks.stats(`${name}, read`)).toMatchObject({ mode: 'write', ...counts({}) });

    const slots = locks.semaphore('slots', 3);
    const guards = [await slots.acquire({ weight: 2 }), slots.acquireSync()];
    expectRefused(await slots.tryAcquire());
    expect(() => slots.acquireSync({ weight: 4 })).toThrow(RangeError);
    expect(locks.stats('slots')).toMatchObject({
      mode: 'semaphore',
      ...counts({ acquisitions: 2, holders: 2 }),
    });
    for (const guard of guards) expect([await guard.release(), await guard.release()]).toEqual([true, false]);
    expect(locks.stats('slots')).toMatchObject(counts({ acquisitions: 2, releases: 2 }));
  });

  test.each([
    ['free, counted by a guard of its own', false],
    ['waited for, counted by the guard of the lock', true],
  ])('counts the read hold that a write hold becomes (%s)', async (_, isWaitedFor) => {
    const locks = counting();
    const name = newName();
    const writer = locks.writeLock(name);
    const first = isWaitedFor ? await writer.acquire() : undefined;
    const waiting = writer.acquire();
    await first?.release();
    const before = isWaitedFor ? 1 : 0;
    const reading = ((await waiting) as WriteGuard).downgrade();
    const writes = counts({ acquisitions: before + 1, releases: before + 1, contended: before });
    expect(locks.stats(name)).toMatchObject(writes);
    expect(locks.stats(name, 'read')).toMatchObject(counts({ acquisitions: 1, holders: 1 }));
    expect(locks.status(name)!.holders.map(({ mode, count }) => [mode, count])).toEqual([['read', 1]]);
    const other = await locks.readLock(name).acquire();
    for (const guard of [reading, other]) {
      expect([await guard.release(), await guard.release()]).toEqual([true, false]);
    }
    expect(locks.stats(name)).toMatchObject(writes);
    expect(locks.stats(name, 'read')).toMatchObject(counts({ acquisitions: 2, releases: 2 }));
  });

  test('counts who waited, how long, and who gave up', async () => {
    const locks = counting();
    const name = newName();
    const lock = locks.lock(name);
    const guard = await lock.acquire();
    await expect(lock.acquire({ timeout: 5 })).rejects.toThrow(/within 5 ms/);
    await expect(lock.withLock(() => undefined, { timeout: 5 })).rejects.toThrow(/within 5 ms/);
    expect(() => lock.acquireSync({ timeout: 5 })).toThrow(); // A deadlock, and no timeout.
    await expect(lock.acquire({ timeout: 0 })).rejects.toThrow(/first attempt/);
    expectRefused(lock.tryAcquireSync());
    await expect(lock.acquire({ signal: AbortSignal.timeout(5) })).rejects.toThrow();
    expect(locks.stats(name)).toMatchObject(counts({ acquisitions: 1, holders: 1, timeouts: 2 }));

    const waiting = [lock.acquire(), lock.withLock(() => undefined)];
    await until(() => locks.stats(name)!.waiters === 2, 'both wait');
    const since = performance.now();
    await until(() => performance.now() - since > 20, 'some time has passed');
    await guard.release();
    await (await waiting[0]!)!.release();
    await waiting[1];
    const { wait, hold, ...stats } = locks.stats(name)!;
    expect(stats).toMatchObject(counts({ acquisitions: 3, releases: 3, contended: 2, timeouts: 2 }));
    expect(wait.count).toBe(2);
    expect(wait.min).toBeGreaterThan(20);
    expect(wait.p50).toBeGreaterThanOrEqual(wait.min);
    expect(wait.p99).toBe(wait.max);
    expect(wait.histogram.reduce((sum, { count }) => sum + count, 0)).toBe(2);
    expect([hold.count, hold.max > 20, hold.min < 20]).toEqual([3, true, true]);
  });

  test('is the sum over all threads, those that ended included', async () => {
    const locks = counting();
    const name = newName();
    locks.lock(name).acquireSync().release();
    const threads = await Promise.all([startThread(), startThread()]);
    const use = (times: number): Promise<unknown>[] =>
      threads.map((thread) =>
        thread.run(
          async ({ LockManager }, [name, times]) => {
            const locks = new LockManager({ statistics: true });
            for (let i = 0; i < times; i++) await locks.lock(name).withLock(() => undefined);
            for (let i = 0; i < times; i++) locks.lock(name).acquireSync().release();
          },
          [name, times] as const,
        ),
      );
    await Promise.all(use(500));
    expect(locks.stats(name)).toMatchObject({ acquisitions: 2001, releases: 2001, holders: 0 });
    await threads[0].terminate();
    expect(locks.stats(name)).toMatchObject({ acquisitions: 2001, releases: 2001, abandoned: 0 });
    await threads[1]
      .run(async ({ LockManager }, name) => new LockManager({ statistics: true }).lock(name), name)
      .catch(() => undefined);
    expect(locks.stats(name)).toMatchObject({ acquisitions: 2001 });
  });

  test('is the same in every thread, of names that only others use', async () => {
    const name = newName();
    const thread = await startThread();
    await thread.run(async ({ LockManager, guards }, name) => {
      const lock = new LockManager({ statistics: true }).lock(name);
      guards.set('held', await lock.acquire());
    }, name);
    const locks = counting();
    expect(locks.stats(name)).toMatchObject(counts({ acquisitions: 1, holders: 1 }));
    expect(locks.get(name)).toBe(undefined);
    const other = await startThread();
    const there = await other.run(
      ({ LockManager }, name) => new LockManager({ statistics: true }).stats(name)!.holders,
      name,
    );
    expect(there).toBe(1);
    expect(counting(fileBackend(folder)).stats(name)).toBe(undefined);
  });

  test('adds up while names come and go in all threads', async () => {
    const locks = counting().scope(newName());
    const names = Array.from({ length: 40 }, (_, index) => `${index}`);
    for (const name of names) locks.lock(name);
    const threads = await Promise.all(Array.from({ length: 4 }, () => startThread()));
    let isDone = false;
    const all = Promise.all(
      threads.map((thread) =>
        thread.run(
          async ({ LockManager }, names) => {
            const locks = new LockManager({ statistics: true });
            for (let round = 0; round < 25; round++) {
              for (const name of names) await locks.lock(name).withLock(() => undefined);
              await locks.cleanup();
            }
          },
          names.map((name) => locks.lock(name).name),
        ),
      ),
    ).finally(() => (isDone = true));
    await until(() => {
      for (const { acquisitions, releases, holders } of locks.stats())
        expect(Math.abs(acquisitions - releases - holders)).toBeLessThan(9);
      return isDone;
    }, 'all are done');
    await all;
    expect(locks.stats().map(({ acquisitions, releases }) => [acquisitions, releases])).toEqual(
      names.map(() => [100, 100]),
    );
  });

  test('counts what ended with its thread as abandoned', async () => {
    const locks = counting();
    const [name, slots] = [newName(), newName()];
    const thread = await startThread();
    await thread.run(
      async ({ LockManager, guards }, [name, slots]) => {
        const locks = new LockManager({ statistics: true });
        guards.set('lock', await locks.lock(name).acquire());
        guards.set('one', locks.semaphore(slots, 3).acquireSync());
        guards.set('two', locks.semaphore(slots, 3).acquireSync());
      },
      [name, slots] as const,
    );
    await thread.terminate();
    expect(locks.stats(name)).toMatchObject(counts({ acquisitions: 1, abandoned: 1 }));
    expect(locks.stats(slots)).toMatchObject(counts({ acquisitions: 2, abandoned: 2 }));
    await locks.lock(name).withLock((guard) => expect(guard.abandoned).toBe(true));
    expect(locks.stats(name)).toMatchObject({ acquisitions: 2, releases: 1, abandoned: 1 });
  });

  test('counts while a thread that waits, blocked, is terminated', async () => {
    const locks = counting();
    const name = newName();
    const guard = await locks.lock(name).acquire();
    const thread = await startThread();
    thread.abandon(
      ({ LockManager }, name) => new LockManager({ statistics: true }).lock(name).acquireSync(),
      name,
    );
    await until(() => locks.stats(name)!.waiters === 1, 'it waits');
    await thread.terminate();
    expect(locks.stats(name)).toMatchObject(counts({ acquisitions: 1, holders: 1 }));
    await guard.release();
  });

  test('measures how long one hold in 64 lasted, every contended one, and every one of a quiet lock', async () => {
    const locks = counting();
    const name = newName();
    for (let i = 0; i < 6400; i++) locks.lock(name).acquireSync().release();
    const { hold } = locks.stats(name)!;
    expect(hold.count).toBeGreaterThanOrEqual(100);
    expect(hold.count).toBeLessThan(1000);
    for (let i = 0; i < 10; i++) await (await contend(locks, name)).release();
    expect(locks.stats(name)!.hold.count).toBeGreaterThanOrEqual(hold.count + 10);
    expect(locks.stats(name)).toMatchObject({ acquisitions: 6420, contended: 10 });

    const quiet = newName();
    for (let i = 0; i < 3; i++) {
      const begun = performance.now();
      locks.lock(quiet).acquireSync().release();
      await until(() => performance.now() - begun > 110, 'it is quiet');
    }
    expect(locks.stats(quiet)!.hold.count).toBe(3);
  });

  test('tells the newest operations, and who did them', async () => {
    const locks = new LockManager({ statistics: { label: 'primary' } });
    const name = newName();
    await (await contend(locks, name)).release();
    const before = Date.now();
    const blocker = await locks.lock(name).acquire();
    await locks
      .lock(name)
      .acquire({ timeout: 5 })
      .catch(() => undefined);
    await blocker.release();
    const thread = await startThread();
    await thread.run(async ({ LockManager }, name) => {
      const lock = new LockManager({ statistics: { label: 'réplica' } }).lock(name);
      lock.acquireSync().release();
    }, name);
    const { recent } = locks.stats(name)!;
    const told = recent.map(({ what, label }) => `${label} ${what}`);
    expect(told).toEqual(expect.arrayContaining(['primary acquired', 'primary timeout', 'réplica released']));
    expect(told.at(-1)).toBe('réplica released');
    const late = recent.find(({ what }) => what === 'timeout')!;
    expect(late.duration).toBeGreaterThan(4);
    expect(late.at).toBeGreaterThan(before - 1);
    expect(late.threadId).toBe(0);
    expect(recent.at(-1)!.threadId).toBe(thread.worker.threadId);
    for (let i = 0; i < 20; i++) await (await contend(locks, name)).release();
    expect(locks.stats(name)!.recent.filter(({ label }) => label === 'primary')).toHaveLength(16);
  });

  test('is undefined of a name that nobody has, and needs statistics', () => {
    expect(counting().stats('nobody’s')).toBe(undefined);
    expect(counting().scope('nobody').stats()).toEqual([]);
    const off = new LockManager();
    for (const ask of [() => off.stats(), () => off.stats('db'), () => off.resetStats()])
      expect(ask).toThrow(UnsupportedError);
    expect(() => counting().stats('')).toThrow(RangeError);
    expect(() => counting().stats('db', 'both' as never)).toThrow(/mode must be .* not 'both'/);
  });

  test('in a scope is of its names, without their prefix', async () => {
    const locks = counting();
    const tenant = locks.scope(newName());
    await tenant.lock('db').withLock(() => undefined);
    expect(tenant.stats().map(({ name, releases }) => [name, releases])).toEqual([['db', 1]]);
    expect(tenant.stats('db')).toMatchObject({ name: 'db', releases: 1 });
    expect(locks.stats(tenant.lock('db').name)).toMatchObject({ name: tenant.lock('db').name, releases: 1 });
    expect(tenant.stats('d')).toBe(undefined);
  });
});

describe('options.statistics', () => {
  test('is checked', () => {
    for (const [statistics, message] of [
      [5, /^options.statistics must be true, false or an object, not 5/],
      [null, /^options.statistics must be true, false or an object, not null/],
      [{ label: 5 }, /^options.statistics.label must be a string, not 5/],
      [{ label: '' }, /^options.statistics.label must have 1 to 64 bytes in UTF-8, not 0/],
      [{ label: 'ü'.repeat(33) }, /^options.statistics.label must have .* not 66/],
    ] as const)
      expect(() => new LockManager({ statistics: statistics as never })).toThrow(message);
    for (const statistics of [false, {}, { label: 'ü'.repeat(32) }])
      expect(new LockManager({ statistics })).toBeInstanceOf(LockManager);
  });

  test('off, leaves the lock as it is', () => {
    using guard = new LockManager().lock(newName()).acquireSync();
    expect(guard.constructor.name).toBe('MutexGuard');
  });
});

describe('resetStats', () => {
  test('lets one manager begin anew, of one name or all', async () => {
    const name = newName();
    const [locks, others] = [counting(), counting()];
    const mutex = new Mutex({ name });
    await (await contend(locks, name)).release();
    const held = await locks.lock(name).acquire();
    locks.resetStats(name);
    expect(locks.stats(name)).toMatchObject(counts({ holders: 1 }));
    expect(locks.stats(name)!.wait).toMatchObject({ count: 0, min: 0, max: 0 });
    expect(locks.stats(name)!.recent).toEqual([]);
    expect(others.stats(name)).toMatchObject({ acquisitions: 3, releases: 2, contended: 1 });
    expect(mutex.stats()).toMatchObject({ acquisitions: 3, releases: 2 });
    await held.release();
    await (await contend(locks, name)).release();
    expect(locks.stats(name)).toMatchObject(counts({ acquisitions: 2, releases: 3, contended: 1 }));
    const { wait } = locks.stats(name)!;
    expect(wait.count).toBe(1);
    expect(wait.min).toBeLessThanOrEqual(wait.avg * 1.001);
    expect(wait.max).toBeGreaterThanOrEqual(wait.avg * 0.999);

    const scope = locks.scope(newName());
    scope.lock('x').withLockSync(() => undefined);
    scope.resetStats();
    expect(scope.stats('x')).toMatchObject(counts({}));
    expect(locks.stats(name)).toMatchObject({ acquisitions: 2 });
    locks.resetStats();
    expect(locks.stats().every(({ acquisitions }) => acquisitions === 0)).toBe(true);
  });

  test('counts what is opened again after cleanup() from 0, and not from below', async () => {
    const locks = counting();
    const name = newName();
    for (let i = 0; i < 5; i++) locks.lock(name).acquireSync().release();
    locks.resetStats();
    await locks.cleanup();
    expect(locks.stats(name)).toBe(undefined);
    locks.lock(name).acquireSync().release();
    expect(locks.stats(name)).toMatchObject(counts({ acquisitions: 1, releases: 1 }));
  });
});

describe('cleanup', () => {
  test('of one manager leaves the counts of another one in the same thread', async () => {
    const [locks, others] = [counting(), counting()];
    const name = newName();
    for (const one of [locks, others]) one.lock(name).acquireSync().release();
    await locks.cleanup();
    others.lock(name).acquireSync().release();
    expect(locks.stats(name)).toMatchObject(counts({ acquisitions: 3, releases: 3 }));
    await others.cleanup();
    expect(locks.stats(name)).toBe(undefined);
  });

  test('keeps what others have open, and forgets the rest with the last of them', async () => {
    const locks = counting();
    const name = newName();
    locks.lock(name).acquireSync().release();
    const thread = await startThread();
    await thread.run(({ LockManager, guards }, name) => {
      const locks = new LockManager({ statistics: true });
      guards.set('locks', locks as never);
      locks.lock(name).acquireSync().release();
    }, name);
    await locks.cleanup();
    expect(locks.get(name)).toBe(undefined);
    expect(locks.stats(name)).toMatchObject({ acquisitions: 2, releases: 2 });
    locks.lock(name).acquireSync().release();
    expect(locks.stats(name)).toMatchObject({ acquisitions: 3, releases: 3 });
    await locks.cleanup();
    await thread.run(
      async ({ guards }) => (guards.get('locks') as unknown as LockScope).cleanup(),
      undefined,
    );
    expect(locks.stats(name)).toBe(undefined);
  });

  test('forgets those of threads that ended, and never those in use', async () => {
    const locks = counting();
    const [name, used] = [newName(), newName()];
    const thread = await startThread();
    await thread.run(
      ({ LockManager }, name) => new LockManager({ statistics: true }).lock(name).acquireSync().release(),
      name,
    );
    await thread.terminate();
    expect(locks.stats(name)).toMatchObject({ acquisitions: 1 });
    using _guard = locks.lock(used).acquireSync();
    await locks.cleanup();
    expect(locks.stats(name)).toBe(undefined);
    expect(locks.stats(used)).toMatchObject({ acquisitions: 1, holders: 1 });
  });

  test('gives the memory of names back, however many there were', async () => {
    const locks = counting();
    await locks.cleanup();
    const use = async (): Promise<number> => {
      for (let i = 0; i < 1000; i++) locks.lock(newName()).acquireSync().release();
      return locks.cleanup();
    };
    await use();
    const before = board.byteLength;
    for (let round = 0; round < 10; round++) expect(await use()).toBeGreaterThanOrEqual(1000);
    expect(board.byteLength).toBe(before);
    expect(locks.scope('counted').stats()).toEqual([]);
  });

  test('takes up again where a thread left off, while others have the name open', async () => {
    const [locks, name] = [counting(), newName()];
    locks.lock(name);
    const thread = await startThread();
    const before = board.byteLength;
    await thread.run(async ({ LockManager }, name) => {
      const locks = new LockManager({ statistics: true });
      for (let i = 0; i < 3000; i++) {
        locks.lock(name).acquireSync().release();
        await locks.cleanup();
      }
    }, name);
    expect(locks.stats(name)).toMatchObject(counts({ acquisitions: 3000, releases: 3000 }));
    expect(board.byteLength).toBe(before);
  });

  test('is not needed of managers that were forgotten', async () => {
    const name = newName();
    const other = counting();
    (() => counting().lock(name).acquireSync().release())();
    await until(() => {
      gc!();
      return other.stats(name) === undefined;
    }, 'the row was given back');
  });
});

test('a worker that has inherited nothing counts for itself', async () => {
  const { stdout } = await runFixture('manager/uninherited.mjs', [join(folder, 'uninherited')]);
  expect(JSON.parse(stdout)).toEqual({ there: 1, here: 0 });
});

test('a thread that ends while it counts leaves others counting', async () => {
  const locks = counting();
  const name = newName();
  const worker = new Worker(
    `import('mortise').then(({ LockManager }) => {
       const lock = new LockManager({ statistics: true }).lock(require('node:worker_threads').workerData);
       require('node:worker_threads').parentPort.postMessage('ready');
       for (;;) lock.acquireSync().release();
     });`,
    { eval: true, workerData: name },
  );
  await once(worker, 'message');
  await until(() => locks.stats(name)!.acquisitions > 1000, 'it counts');
  await worker.terminate();
  const { acquisitions, releases, abandoned, holders } = locks.stats(name)!;
  expect([acquisitions - releases - abandoned, holders]).toEqual([0, 0]);
  expect(abandoned).toBeLessThan(2);
});

test('deadlocks are found of locks that are counted', async () => {
  const locks = counting();
  const [one, other] = [newName(), newName()];
  const thread = await startThread();
  await thread.run(({ LockManager, guards }, name) => {
    guards.set('held', new LockManager({ statistics: true }).lock(name).acquireSync());
  }, other);
  using _held = locks.lock(one).acquireSync();
  const blocked = thread
    .run(({ LockManager }, name) => {
      const lock = new LockManager({ statistics: true }).lock(name);
      lock.acquireSync({ timeout: 2000 });
    }, one)
    .catch((error: { code: string }) => error.code);
  await until(() => locks.stats(one)!.waiters === 1, 'the thread is blocked');
  const waiting = locks.lock(other).acquire({ timeout: 1500 });
  const [found] = await locks.detectDeadlocks();
  expect(found!.members.map(({ holds, waitsFor }) => [holds.name, waitsFor.name]).sort()).toEqual([
    [one, other],
    [other, one],
  ]);
  await expect(waiting).rejects.toThrow(/within 1500 ms/);
  expect(await blocked).toBe('ERR_LOCK_TIMEOUT');
  expect(locks.stats(one)).toMatchObject({ timeouts: 1, holders: 1 });
});
