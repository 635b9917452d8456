/** Several locks at once. */
import { once } from 'node:events';
import { join } from 'node:path';
import { Worker } from 'node:worker_threads';
import { afterAll, describe, expect, test } from 'vitest';
import {
  LockManager,
  LockTimeoutError,
  Mutex,
  NameConflictError,
  fileBackend,
  memoryBackend,
  sharedMemoryBackend,
  type Backend,
  type Guard,
} from 'mortise';
import { expectRefused } from '../contract/guards.ts';
import { endThreads } from '../fixtures/thread.ts';
import { folder, newRegion } from '../fixtures/space-open/region.ts';
import { until } from '../fixtures/until.ts';

afterAll(endThreads);

let managers = 0;
/** A scope of its own for each test: managers share the locks of the process. */
const newLocks = (): ReturnType<LockManager['scope']> => new LockManager().scope(`set ${managers++}`);

async function rejection(promise: Promise<unknown>): Promise<Error> {
  return promise.then(
    () => expect.fail('was not rejected'),
    (reason: Error) => reason,
  );
}

describe('acquireAll', () => {
  test('holds all of them, of any mode and backend, until its guard is released', async () => {
    const locks = new LockManager().scope(`set ${managers++}`);
    const files = fileBackend(join(folder, 'sets'));
    const memory = sharedMemoryBackend(newRegion(), { locks: 8, threads: 4 });
    const db = locks.lock('db');
    const cache = locks.readLock('cache', { backend: files });
    const index = locks.writeLock('index', { backend: memory });
    const slots = locks.semaphore('slots', 3);
    const all = await locks.acquireAll([
      'db',
      { name: 'cache', mode: 'read' },
      { name: 'slots', mode: 'semaphore', weight: 2 },
      { name: 'index', mode: 'write' },
    ]);
    expect([...all.names].sort()).toEqual(['cache', 'db', 'index', 'slots']);
    expect([all.held, all.abandoned]).toEqual([true, false]);
    for (const lock of [db, index, locks.readLock('index'), locks.writeLock('cache')])
      expectRefused(await lock.tryAcquire());
    await cache.withLock(() => undefined);
    expect(await slots.available()).toBe(1);

    expect(all.release()).toBe(true);
    expect([all.held, all.release()]).toEqual([false, false]);
    for (const lock of [db, cache, index, slots]) expect(await lock.isLocked()).toBe(false);
  });

  test('releases at the end of a using declaration', async () => {
    const locks = newLocks();
    {
      await using all = await locks.acquireAll(['a', 'b']);
      expect(all.held).toBe(true);
    }
    {
      using all = await locks.acquireAll(['a', 'b']);
      expect(all.held).toBe(true);
    }
    expect(await locks.lock('a').isLocked()).toBe(false);
  });

  test('gives the guard of each, with its fence', async () => {
    const locks = newLocks();
    const before = await locks.lock('a').withLock(({ fence }) => fence);
    const all = await locks.acquireAll(['b', 'a']);
    expect(all.get('a')!.fence > before).toBe(true);
    expect(all.get('c')).toBe(undefined);
    expect(await all.get('a')!.release()).toBe(true);
    expect([all.held, await locks.lock('b').isLocked()]).toEqual([false, true]);
    expect(all.release()).toBe(true);
  });

  test('acquires in the same order, whatever the order of the requests', async () => {
    const order: string[] = [];
    const noting = (id: string): Backend => {
      const memory = memoryBackend();
      return {
        ...memory,
        id,
        lock: (key) => {
          const lock = memory.lock(`${id} ${key}`);
          return Object.assign(lock, {
            acquire: (options: object): Promise<Guard> => {
              order.push(`${id}/${key}`);
              return Object.getPrototypeOf(lock).acquire.call(lock, options) as Promise<Guard>;
            },
          });
        },
      };
    };
    const [one, two] = [noting('one'), noting('two')];
    const locks = newLocks();
    locks.lock('a', { backend: two, key: 'a' });
    locks.lock('z', { backend: one, key: 'z' });
    locks.lock('Z', { backend: one, key: 'Z' });
    locks.lock('é', { backend: one, key: 'é' });
    locks.register('mine', new Mutex());
    const expected = ['one/Z', 'one/z', 'one/é', 'two/a'];
    for (const names of [
      ['a', 'mine', 'z', 'Z', 'é'],
      ['é', 'Z', 'z', 'mine', 'a'],
    ]) {
      order.length = 0;
      const all = await locks.acquireAll(names);
      expect(order).toEqual(expected);
      expect(all.names.at(-1)).toBe('mine');
      await all.release();
    }
  });

  test('counts the same name and mode once', async () => {
    const locks = newLocks();
    const all = await locks.acquireAll([
      'a',
      'a',
      { name: 'a' },
      { name: 't', mode: 'read' },
      { name: 't', mode: 'read' },
    ]);
    expect(all.names).toEqual(['a', 't']);
    await all.release();
  });

  test('gives everything back when one is not to be had in time, and says which', async () => {
    const locks = newLocks();
    const guard = await locks.lock('b').acquire();
    const begin = performance.now();
    const error = await rejection(locks.acquireAll(['c', 'b', 'a'], { timeout: 30 }));
    expect(performance.now() - begin).toBeGreaterThan(28);
    expect(error).toBeInstanceOf(LockTimeoutError);
    expect(error.message).toMatch(
      /ERR_LOCK_TIMEOUT: 'a', 'b', 'c' were not all acquired within 30 ms, and none is held: 'b' was not free \(.*held by/,
    );
    expect(error.cause).toBeInstanceOf(LockTimeoutError);
    for (const name of ['a', 'c']) expect(await locks.lock(name).isLocked()).toBe(false);
    await guard.release();
    expect(await locks.lock('b').isLocked()).toBe(false);
  });

  test('has one deadline for all: what the first took is not there for the next', async () => {
    const locks = newLocks();
    const [first, second] = [await locks.lock('a').acquire(), await locks.lock('b').acquire()];
    const limits: number[] = [];
    const lock = locks.lock('b');
    const { acquire } = lock;
    lock.acquire = (options): Promise<Guard> => {
      limits.push(options?.timeout ?? -1);
      return acquire.call(lock, options);
    };
    const failing = rejection(locks.acquireAll(['a', 'b'], { timeout: 80 }));
    const begin = performance.now();
    await until(() => performance.now() - begin > 20, 'a while has passed');
    await first.release();
    expect(await failing).toBeInstanceOf(LockTimeoutError);
    expect(limits).toHaveLength(1);
    expect(limits[0]).toBeLessThanOrEqual(60);
    await second.release();
  });

  test('makes one attempt with timeout: 0', async () => {
    const locks = newLocks();
    const guard = await locks.lock('b').acquire();
    const error = await rejection(locks.acquireAll(['a', 'b'], { timeout: 0 }));
    expect(error.message).toContain('at the first attempt');
    expect(await locks.lock('a').isLocked()).toBe(false);
    await guard.release();
    await (await locks.acquireAll(['a', 'b'], { timeout: 0 })).release();
  });

  test('has the longest time limit of its modes if it is given none', async () => {
    const locks = new LockManager({ timeouts: { lock: 20, read: 5 } }).scope(`set ${managers++}`);
    const guard = await locks.lock('a').acquire();
    const error = await rejection(locks.acquireAll(['a', { name: 'table', mode: 'read' }]));
    expect(error.message).toContain('within 20 ms');
    await guard.release();
  });

  test('gives everything back when it is aborted, and rejects with the reason', async () => {
    const locks = newLocks();
    const guard = await locks.lock('b').acquire();
    const controller = new AbortController();
    const failing = rejection(locks.acquireAll(['a', 'b'], { signal: controller.signal }));
    await until(async () => (await locks.lock('b').info()).waiters === 1, 'it waits');
    expect(await locks.lock('a').isLocked()).toBe(true);
    const reason = new Error('changed my mind');
    controller.abort(reason);
    expect(await failing).toBe(reason);
    expect(await locks.lock('a').isLocked()).toBe(false);
    expect(await rejection(locks.acquireAll(['a'], { signal: controller.signal }))).toBe(reason);
    await guard.release();
  });

  test('never makes two wait for each other, whatever orders they ask in', async () => {
    const locks = newLocks();
    const names = ['a', 'b', 'c', 'd'];
    const orders = Array.from({ length: 40 }, (_, i) => [...names.slice(i % 4), ...names.slice(0, i % 4)]);
    let inside = 0;
    await Promise.all(
      orders.map(async (order) => {
        const all = await locks.acquireAll(order, { timeout: 20_000 });
        expect(++inside).toBe(1);
        await null;
        inside--;
        await all.release();
      }),
    );
  });

  test('moves money between accounts in several threads, and none is lost', async () => {
    const balances = new Int32Array(new SharedArrayBuffer(5 * 4)).fill(1000);
    const url = new URL('../fixtures/manager/bank-worker.mjs', import.meta.url);
    const workers = [1, 2, 3].map(() => new Worker(url, { workerData: { balances, transfers: 500 } }));
    const ends = workers.map((worker) => once(worker, 'exit'));
    await Promise.all(workers.map((worker) => once(worker, 'message')));
    await Promise.all(ends);
    expect(balances.reduce((sum, balance) => sum + balance)).toBe(5000);
  });

  test('tells that the last holder of one of them died', async () => {
    const locks = newLocks();
    const worker = new Worker(
      `import('mortise').then(({ LockManager }) => {
         globalThis.guard = new LockManager().lock(require('node:worker_threads').workerData).acquireSync();
         process.exit();
       });`,
      { eval: true, workerData: locks.lock('a').name },
    );
    await once(worker, 'exit');
    const all = await locks.acquireAll(['a', 'b']);
    expect(all.abandoned).toBe(true);
    await all.release();
  });

  test('refuses requests that are wrong, and says which', async () => {
    const locks = newLocks();
    for (const [requests, message] of [
      ['ab', /^requests must be an array of names and objects, not 'ab'/],
      [[], /^requests must name at least one lock/],
      [['a', 5], /^requests\[1\] must be an object, not 5/],
      [[{}], /^requests\[0\].name must be a string, not undefined/],
      [[''], /^name must have 1 to 255 bytes/],
      [[{ name: 'a', mode: 'exclusive' }], /^requests\[0\].mode must be .*not 'exclusive'/],
      [[{ name: 'a', weight: 2 }], /^requests\[0\].weight is for mode 'semaphore', not for 'lock'/],
      [['a', { name: 'a', mode: 'read' }], /^requests\[1\] asks for 'a' a second time/],
      [[{ name: 's', mode: 'semaphore' }], /^there is no semaphore 's' yet/],
    ] as const) {
      const error = await rejection(locks.acquireAll(requests as never));
      expect(error).toSatisfy((it) => it instanceof TypeError || it instanceof RangeError);
      expect(error.message).toMatch(message);
    }
    locks.semaphore('s', 2);
    const twice = { name: 's', mode: 'semaphore' } as const;
    expect(await rejection(locks.acquireAll([twice, twice]))).toBeInstanceOf(RangeError);
    expect(await rejection(locks.acquireAll([{ ...twice, weight: 3 }]))).toBeInstanceOf(RangeError);
    expect(await rejection(locks.acquireAll(['s']))).toBeInstanceOf(NameConflictError);
    expect(await rejection(locks.acquireAll(['a'], { timeout: -1 }))).toBeInstanceOf(RangeError);
    locks.lock('one', { key: 'the same' });
    locks.lock('other', { key: 'the same' });
    const same = await rejection(locks.acquireAll(['other', 'one']));
    expect(same.message).toMatch(/^requests ask for one lock by two names: 'other', 'one'/);
    expect(await locks.lock('a').isLocked()).toBe(false);
  });

  /** A mutex whose guards are released as `release` does it. */
  function mutexWith(release: (original: () => boolean) => boolean | Promise<boolean>): Mutex {
    const mutex = new Mutex();
    const acquire = mutex.acquire.bind(mutex);
    mutex.acquire = async (options) => {
      const guard = await acquire(options);
      const original = guard.release.bind(guard);
      guard.release = (() => release(original)) as never;
      return guard;
    };
    return mutex;
  }

  const failure = new Error('no connection');
  const failing = (original: () => boolean): never => {
    original();
    throw failure;
  };

  test('gives back the others when one cannot be given back, and tells why', async () => {
    const locks = newLocks();
    locks.register('broken', mutexWith(failing));
    locks.register(
      'late',
      mutexWith(async (original) => failing(original)),
    );
    const one = await locks.acquireAll(['a', 'broken']);
    expect(() => one.release()).toThrow(failure);
    expect([one.held, one.release()]).toEqual([false, false]);
    const both = await locks.acquireAll(['a', 'broken', 'late']);
    await expect(both.release()).rejects.toThrow(AggregateError);
    expect(await locks.lock('a').isLocked()).toBe(false);
  });

  test('tells why it did not acquire all, and warns of one that could not be given back', async () => {
    const locks = newLocks();
    locks.register('broken', mutexWith(failing));
    locks.register('taken', new Mutex());
    const guard = await locks.lock('taken').acquire();
    const warned = once(process, 'warning');
    const error = await rejection(locks.acquireAll(['a', 'broken', 'taken'], { timeout: 0 }));
    expect(error).toBeInstanceOf(LockTimeoutError);
    expect(await warned).toEqual([failure]);
    expect(await locks.lock('a').isLocked()).toBe(false);
    await guard.release();
  });

  test('releases with a promise if one of them does', async () => {
    const locks = newLocks();
    locks.register(
      'remote',
      mutexWith(async (original) => original()),
    );
    const all = await locks.acquireAll(['a', 'remote']);
    const released = all.release();
    expect(released).toBeInstanceOf(Promise);
    expect(await released).toBe(true);
    expect(await all.release()).toBe(false);
  });
});

describe('releaseAll', () => {
  test('ends the newest guard with exactly these names, in any order', async () => {
    const locks = newLocks();
    const [older, newer] = [
      await locks.acquireAll([
        { name: 't', mode: 'read' },
        { name: 'u', mode: 'read' },
      ]),
      await locks.acquireAll([
        { name: 'u', mode: 'read' },
        { name: 't', mode: 'read' },
      ]),
    ];
    expect(await locks.releaseAll(['t'])).toBe(false);
    expect(await locks.releaseAll(['t', 'u', 'v'])).toBe(false);
    expect(await locks.releaseAll(['u', 't'])).toBe(true);
    expect([older.held, newer.held]).toEqual([true, false]);
    expect(await locks.releaseAll(['t', 'u'])).toBe(true);
    expect(older.held).toBe(false);
    expect(await locks.releaseAll(['t', 'u'])).toBe(false);
  });

  test('does not end what its guard has released already', async () => {
    const locks = newLocks();
    const first = await locks.acquireAll(['a', 'b']);
    await first.release();
    expect(await locks.releaseAll(['a', 'b'])).toBe(false);
  });

  test('knows the names of its scope only', async () => {
    const manager = new LockManager();
    const scope = manager.scope(`set ${managers++}`);
    const all = await scope.acquireAll(['a']);
    expect(await manager.releaseAll(['a'])).toBe(false);
    expect(await manager.releaseAll([scope.lock('a').name])).toBe(true);
    expect(all.held).toBe(false);
  });

  test('refuses what are no names', async () => {
    await expect(newLocks().releaseAll('ab' as never)).rejects.toThrow(TypeError);
    await expect(newLocks().releaseAll([5] as never)).rejects.toThrow(TypeError);
  });
});
