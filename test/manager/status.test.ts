/** Who holds and who waits, as managers tell. */
import { hostname } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, test } from 'vitest';
import { LockManager, Mutex, fileBackend, memoryBackend, sharedMemoryBackend } from 'mortise';
import { folder, newRegion } from '../fixtures/space-open/region.ts';
import { endProcesses, Process } from '../fixtures/process.ts';
import { endThreads, startThread } from '../fixtures/thread.ts';
import { until } from '../fixtures/until.ts';

afterAll(endThreads);
afterAll(endProcesses);

let names = 0;
const newName = (): string => `status ${names++}`;
const here = { pid: process.pid, host: hostname() };

test('tells the threads that hold a lock and wait for it, since when, and what they are called', async () => {
  const name = newName();
  const locks = new LockManager({ statistics: { label: 'front' } });
  const thread = await startThread();
  const before = Date.now();
  await thread.run(async ({ LockManager, guards }, name) => {
    const locks = new LockManager({ statistics: { label: 'worker' } });
    guards.set('held', await locks.lock(name).acquire());
  }, name);
  const after = Date.now();
  const { threadId } = thread.worker;
  const told = locks.status(name)!;
  expect(told).toMatchObject({ name, backend: 'memory', waiters: [], info: null });
  expect(told.holders).toMatchObject([
    { mode: 'lock', count: 1, threadId, label: 'worker', fence: 1n, ...here },
  ]);
  expect(told.holders[0]!.since).toBeGreaterThan(before - 60);
  expect(told.holders[0]!.since).toBeLessThan(after + 2);

  const waiting = [locks.lock(name).acquire(), locks.lock(name).acquire()];
  const busy = locks.status(name)!;
  expect(busy.waiters).toMatchObject([{ mode: 'lock', count: 2, threadId: 0, label: 'front', ...here }]);
  expect(busy.waiters[0]!.since).toBeGreaterThanOrEqual(after - 2);
  expect(busy.info).toMatchObject({ name, holders: 1, waiters: 2, owner: expect.stringMatching(/^thread/) });

  await thread.terminate();
  expect(locks.status(name)!.holders.filter(({ label }) => label === 'worker')).toEqual([]);
  const guard = await waiting[0]!;
  expect(guard.abandoned).toBe(true);
  expect(locks.status(name)).toMatchObject({
    holders: [{ threadId: 0, fence: 2n }],
    waiters: [{ count: 1 }],
  });
  await guard.release();
  await (await waiting[1]!).release();
  expect(locks.status(name)).toMatchObject({ holders: [], waiters: [] });
});

test('tells of a thread that waits, blocked', async () => {
  const name = newName();
  const locks = new LockManager({ statistics: true });
  const guard = locks.lock(name).acquireSync();
  const thread = await startThread();
  const done = thread.run(({ LockManager }, name) => {
    const lock = new LockManager({ statistics: true }).lock(name);
    return lock.withLockSync((guard) => Number(guard.fence));
  }, name);
  await until(() => locks.status(name)!.waiters.length === 1, 'it waits');
  expect(locks.status(name)!.waiters).toMatchObject([{ count: 1, threadId: thread.worker.threadId }]);
  guard.release();
  expect(await done).toBe(2);
  expect(locks.status(name)).toMatchObject({ holders: [], waiters: [] });
});

test('tells since when there has been a holder without a pause', async () => {
  const name = newName();
  const lock = new LockManager({ statistics: true }).semaphore(name, 3);
  const status = (): number => new LockManager({ statistics: true }).status(name)!.holders[0]!.since;
  const begun = Date.now();
  const first = lock.acquireSync();
  await until(() => Date.now() - begun > 250, 'some time has passed');
  const second = lock.acquireSync();
  expect(status()).toBeLessThan(begun + 100);
  first.release();
  expect(status()).toBeLessThan(begun + 100);
  second.release();
  using _third = lock.acquireSync();
  expect(status()).toBeGreaterThan(begun + 100);
});

test('tells modes apart, and how many guards there are', async () => {
  const [table, slots] = [newName(), newName()];
  const locks = new LockManager({ statistics: true });
  const guards = [
    await locks.readLock(table).acquire(),
    locks.readLock(table).acquireSync(),
    await locks.semaphore(slots, 5).acquire({ weight: 3 }),
  ];
  const writing = locks.writeLock(table).acquire();
  expect(locks.status(table)).toMatchObject({
    holders: [{ mode: 'read', count: 2, fence: undefined, label: undefined }],
    waiters: [{ mode: 'write', count: 1 }],
    info: { holders: 2, waiters: 1 },
  });
  expect(locks.status(slots)!.holders).toMatchObject([{ mode: 'semaphore', count: 1, fence: undefined }]);
  for (const guard of guards) await guard.release();
  const writer = await writing;
  expect(locks.status(table)).toMatchObject({
    holders: [{ mode: 'write', fence: writer.fence }],
    waiters: [],
  });
  await writer.release();
});

test('tells what a lock says of other processes', async () => {
  const path = newRegion();
  const [dir, other] = [join(folder, 'status'), Process.fork()];
  const managers = [
    new LockManager({ statistics: true, backend: sharedMemoryBackend(path, { locks: 16, threads: 8 }) }),
    new LockManager({ statistics: true, backend: fileBackend(dir) }),
  ];
  await other.run(
    ({ LockManager, fileBackend, sharedMemoryBackend, guards }, { path, dir }) => {
      for (const backend of [sharedMemoryBackend(path), fileBackend(dir)])
        guards.set(backend.id, new LockManager({ backend }).lock('report').acquireSync());
    },
    { path, dir },
  );
  for (const locks of managers) {
    locks.lock('report');
    const { holders, info } = locks.status('report')!;
    expect(holders).toEqual([]);
    expect(info).toMatchObject({ name: 'report', holders: 1 });
    expect(info!.owner).toContain(`process ${other.pid}`);
  }
  await other.kill();
  for (const locks of managers) {
    await until(() => locks.status('report')!.info!.holders === 0, 'its death is known');
    using guard = locks.lock('report').acquireSync();
    expect(locks.status('report')!.holders).toMatchObject([{ fence: guard.fence, ...here }]);
  }
});

test('without statistics tells what the locks say', async () => {
  const locks = new LockManager();
  const [name, table] = [newName(), newName()];
  using _guard = locks.lock(name).acquireSync();
  using _reading = locks.readLock(table).acquireSync();
  expect(locks.status(name)).toMatchObject({ holders: [], waiters: [], info: { name, holders: 1 } });
  expect(locks.status(table)).toMatchObject({ holders: [], info: { name: table, holders: 1 } });
  await locks.cleanup();
  expect(locks.status('unknown')).toBe(undefined);
});

test('asks no lock that answers promises only', async () => {
  const memory = memoryBackend();
  const backend = { ...memory, id: 'far', capabilities: { ...memory.capabilities, sync: false } };
  const locks = new LockManager({ backend, statistics: true });
  const guard = await locks.lock(newName()).acquire();
  expect(locks.status()).toMatchObject([{ backend: 'far', holders: [{ fence: guard.fence }], info: null }]);
  await guard.release();
});

test('is of all names or one, in a scope of its own, of registered ones too', async () => {
  const locks = new LockManager({ statistics: true });
  const tenant = locks.scope(newName());
  expect(tenant.status()).toEqual([]);
  tenant.register('own', new Mutex());
  using _guard = tenant.lock('db').acquireSync();
  expect(tenant.status().map(({ name, backend, holders }) => [name, backend, holders.length])).toEqual([
    ['own', undefined, 0],
    ['db', 'memory', 1],
  ]);
  expect(tenant.status('db')).toMatchObject({ name: 'db', info: { holders: 1 } });
  expect(tenant.status('d')).toBe(undefined);
  expect(locks.status(tenant.lock('db').name)!.name).toBe(tenant.lock('db').name);
  expect(() => tenant.status(5 as never)).toThrow(/^name must be a string, not 5/);
});
