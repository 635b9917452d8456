import { syncBuiltinESMExports } from 'node:module';
import timers from 'node:timers';
import { afterAll, describe, expect, test, vi } from 'vitest';
import { LockTimeoutError, Mutex, ReadWriteLock, Semaphore, Space } from 'mortise';
import { runFixture } from './fixtures/child.ts';
import { endThreads, startThread } from './fixtures/thread.ts';
import { until, words } from './fixtures/until.ts';

afterAll(endThreads);

describe('A process', () => {
  test('that imported and used the package exits at once when there is nothing left to do', async () => {
    const { code, stdout, stderr } = await runFixture('event-loop/idle.mjs');
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
    expect(Number(stdout)).toBeLessThan(1_000);
  });

  test('exits at once also after waits, aborts and timeouts with long limits were settled', async () => {
    const { code, stdout, stderr } = await runFixture('event-loop/settled.mjs');
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
    expect(Number(stdout)).toBeLessThan(1_000);
  });

  test('exits while it holds locks', async () => {
    const { code, stdout } = await runFixture('event-loop/holding.mjs');
    expect({ code, stdout }).toEqual({ code: 0, stdout: 'holding\n' });
  });

  for (const where of ['main', 'worker']) {
    for (const kind of ['mutex', 'semaphore', 'reader', 'writer', 'reentrant']) {
      test(`is kept alive by a pending acquire until it settles: ${kind}, ${where} thread`, async () => {
        const { code, stdout, stderr } = await runFixture('event-loop/pending.mjs', [where, kind]);
        expect({ code, stderr, stdout }).toEqual({ code: 0, stderr: '', stdout: 'waiting\nacquired\n' });
      });
    }
  }

  test('is kept alive by a pending acquire until its timeout or its signal ends it', async () => {
    for (const how of ['timeout', 'signal']) {
      const { code, stdout } = await runFixture('event-loop/gives-up.mjs', [how]);
      expect({ code, stdout }).toEqual({ code: 0, stdout: `waiting\n${how}\n` });
    }
  });

  test('is not kept alive by a worker that only waits for messages and was unref()ed', async () => {
    const { code, stdout } = await runFixture('event-loop/unref.mjs');
    expect({ code, stdout }).toEqual({ code: 0, stdout: 'worker used it\n' });
  });

  test('may be told to exit by process.exit() while acquires are pending', async () => {
    const { code, stderr } = await runFixture('event-loop/exit-pending.mjs');
    expect({ code, stderr }).toEqual({ code: 5, stderr: '' });
  });
});

describe('Ten thousand pending acquires on one thread', () => {
  const many = 10_000;
  const inOrder = Array.from({ length: many }, (_, index) => index);

  for (const [kind, make] of [
    ['a mutex', () => new Mutex()],
    ['a semaphore', () => new Semaphore(1)],
    ['a writer', () => new ReadWriteLock().writer],
    ['a reentrant mutex', () => new Mutex({ reentrant: true })],
  ] as const) {
    test(`settle in order: ${kind}`, async () => {
      const lock = make();
      const guard = await lock.acquire();
      const order: number[] = [];
      const all = inOrder.map(async (index) => {
        const mine = await lock.acquire();
        order.push(index);
        mine.release();
      });
      expect(lock.infoSync().waiters).toBe(many);
      guard.release();
      await Promise.all(all);
      expect(order).toEqual(inOrder);
      expect(lock.infoSync()).toMatchObject({ holders: 0, waiters: 0 });
    });
  }

  test('settle in order with weights from 1 to all permits', async () => {
    const semaphore = new Semaphore(7);
    const guard = await semaphore.acquire({ weight: 7 });
    const order: number[] = [];
    const all = inOrder.map(async (index) => {
      const mine = await semaphore.acquire({ weight: (index % 7) + 1 });
      order.push(index);
      await null;
      mine.release();
    });
    guard.release();
    await Promise.all(all);
    expect(order).toEqual(inOrder);
    expect(semaphore.availableSync()).toBe(7);
  });

  test('can all give up, and leave the lock as it was', async () => {
    const mutex = new Mutex();
    const guard = await mutex.acquire();
    const controller = new AbortController();
    const all = inOrder.map((index) =>
      mutex.acquire(index % 2 === 0 ? { signal: controller.signal } : { timeout: 20 }).then(
        () => 'acquired',
        (error: Error) => error.name,
      ),
    );
    controller.abort();
    expect(new Set(await Promise.all(all))).toEqual(new Set(['AbortError', 'LockTimeoutError']));
    expect(mutex.stats()).toMatchObject({ holders: 1, waiters: 0, timeouts: many / 2 });
    guard.release();
    mutex.acquireSync({ timeout: 0 }).release();
  });

  test('let those who stay settle in order when every other one gives up', async () => {
    const mutex = new Mutex();
    const guard = await mutex.acquire();
    const controller = new AbortController();
    const order: number[] = [];
    const all = inOrder.map((index) =>
      mutex
        .withLock(() => void order.push(index), index % 2 === 0 ? { signal: controller.signal } : {})
        .catch(() => undefined),
    );
    controller.abort();
    guard.release();
    await Promise.all(all);
    expect(order).toEqual(inOrder.filter((index) => index % 2 === 1));
  });
});

describe('A waiter that gives up at the moment it could have been served', () => {
  test('loses nothing for the others: aborted in the turn of the release', async () => {
    const mutex = new Mutex();
    for (let i = 0; i < 200; i++) {
      const guard = await mutex.acquire();
      const controller = new AbortController();
      const first = mutex.acquire({ signal: controller.signal }).then(
        (it) => it.release(),
        () => false,
      );
      const second = mutex.acquire();
      if (i % 2 === 0) {
        guard.release();
        controller.abort();
      } else {
        controller.abort();
        guard.release();
      }
      await first;
      expect((await second).release()).toBe(true);
    }
    expect(mutex.stats()).toMatchObject({ holders: 0, waiters: 0 });
  });

  test('either has the lock or rejects, never both or neither: released when the timeout is due', async () => {
    const semaphore = new Semaphore(3);
    const outcomes = { acquired: 0, timedOut: 0 };
    for (let i = 0; i < 100; i++) {
      const guard = await semaphore.acquire({ weight: 2 });
      const large = semaphore.acquire({ weight: 3, timeout: 2 }).then(
        (it) => {
          outcomes.acquired++;
          expect(semaphore.availableSync()).toBe(0);
          it.release();
        },
        (error: unknown) => {
          outcomes.timedOut++;
          expect(error).toBeInstanceOf(LockTimeoutError);
        },
      );
      const small = semaphore.acquire();
      const due = performance.now() + 1.2 + (i % 10) * 0.2;
      while (performance.now() < due) await new Promise((resolve) => setImmediate(resolve));
      guard.release();
      await large;
      (await small).release();
      expect(semaphore.availableSync()).toBe(3);
    }
    expect(outcomes.acquired + outcomes.timedOut).toBe(100);
  });
});

test('A body may take long: timers and other tasks of the thread run meanwhile, also for those who wait', async () => {
  const mutex = new Mutex();
  let ticks = 0;
  const timer = setInterval(() => ticks++, 1);
  const body = mutex.withLock(async () => {
    while (ticks < 5) await new Promise((resolve) => setImmediate(resolve));
  });
  await mutex.withLock(() => expect(ticks).toBeGreaterThanOrEqual(5));
  await body;
  clearInterval(timer);
});

test('Requests for many locks, in several spaces, wait side by side and settle as each lock is released', async () => {
  const spaces = [
    Space.default(),
    new Space({ locks: 100, threads: 4 }),
    new Space({ locks: 100, threads: 4 }),
  ];
  const mutexes = Array.from({ length: 240 }, (_, index) => new Mutex({ space: spaces[index % 3]! }));
  const guards = mutexes.map((mutex) => mutex.acquireSync());
  const settled: number[] = [];
  const waiting = mutexes.map((mutex, index) => mutex.withLock(() => void settled.push(index)));
  const order = mutexes.map((_, index) => (index * 77) % mutexes.length);
  for (const index of order) {
    guards[index]!.release();
    await waiting[index];
  }
  expect(settled).toEqual(order);
  for (const mutex of mutexes) mutex.dispose();
});

test('A timeout longer than timers can be does not end at once', async () => {
  const mutex = new Mutex();
  const guard = mutex.acquireSync();
  const outcomes: string[] = [];
  const waiting = [2 ** 31, 2 ** 40, Number.MAX_VALUE].map((timeout) =>
    mutex
      .withLock(() => void outcomes.push('acquired'), { timeout })
      .catch((error: Error) => outcomes.push(error.name)),
  );
  for (let i = 0; i < 3; i++) await mutex.acquire({ timeout: 5 }).catch(() => undefined);
  expect(outcomes).toEqual([]);
  guard.release();
  await Promise.all(waiting);
  expect(outcomes).toEqual(['acquired', 'acquired', 'acquired']);
});

test('A timeout longer than timers can be ends when as many timers as it takes have', async () => {
  const longest = 2 ** 31 - 1;
  const fired: [() => void, number][] = [];
  const fake = vi.spyOn(timers, 'setTimeout').mockImplementation(((callback: () => void, delay: number) => {
    fired.push([callback, delay]);
  }) as never);
  syncBuiltinESMExports();
  try {
    const mutex = new Mutex();
    const guard = mutex.acquireSync();
    for (const [timeout, delays] of [
      [longest, [longest]],
      [2 * longest + 10, [longest, longest, 10]],
    ] as const) {
      const outcome = mutex.acquire({ timeout }).catch((error: unknown) => error);
      for (const delay of delays) {
        expect(mutex.stats().waiters).toBe(1);
        const [end, asked] = fired.shift()!;
        expect(asked).toBe(delay);
        end();
      }
      expect(await outcome).toBeInstanceOf(LockTimeoutError);
      expect(fired).toEqual([]);
    }
    guard.release();
  } finally {
    fake.mockRestore();
    syncBuiltinESMExports();
  }
});

test('A thread that is blocked for one lock holds up nobody with its async requests for others', async () => {
  const [blockedOn, wanted, permits] = [new Mutex(), new Mutex(), new Semaphore(2)];
  const outer = blockedOn.acquireSync();
  const guards = [wanted.acquireSync(), permits.acquireSync({ weight: 2 })];
  const w = words();
  const thread = await startThread();
  const served = thread.run(
    async ({ open, Mutex }, { blockedOn, wanted, permits, w }) => {
      const requests = [open(wanted).acquire(), open(permits).acquire({ weight: 2 })];
      const blocking = Mutex.from(blockedOn).acquireSync();
      Atomics.store(w, 0, 1);
      blocking.release();
      let released = 0;
      for (const guard of await Promise.all(requests)) released += Number(guard.release());
      return released;
    },
    { blockedOn: blockedOn.handle, wanted: wanted.handle, permits: permits.handle, w },
  );
  await until(() => blockedOn.stats().waiters === 1, 'the thread blocks');
  expect([wanted.stats().waiters, permits.stats().waiters]).toEqual([1, 1]);
  for (const guard of guards) guard.release();
  for (let i = 0; i < 20; i++) {
    const begin = performance.now();
    const mine = await Promise.all([wanted.acquire(), permits.acquire({ weight: 2 })]);
    expect(performance.now() - begin).toBeLessThan(1_000);
    for (const guard of mine) guard.release();
  }
  expect(Atomics.load(w, 0)).toBe(0);
  outer.release();
  expect(await served).toBe(2);
});

test('Waiting takes next to no processor time, blocked or pending', async () => {
  const [mutex, semaphore] = [new Mutex(), new Semaphore(1)];
  const guards = [mutex.acquireSync(), semaphore.acquireSync()];
  const threads = await Promise.all([startThread(), startThread()]);
  const served = [
    threads[0].run(({ Mutex }, handle) => Mutex.from(handle).acquireSync().release(), mutex.handle),
    threads[1].run(
      async ({ Semaphore }, handle) => (await Semaphore.from(handle).acquire()).release(),
      semaphore.handle,
    ),
  ];
  const pending = [mutex.acquire(), semaphore.acquire()];
  await until(() => mutex.stats().waiters + semaphore.stats().waiters === 4, 'all wait');
  const before = process.cpuUsage();
  const nap = 400;
  await new Promise((resolve) => setTimeout(resolve, nap));
  const { user, system } = process.cpuUsage(before);
  for (const guard of guards) guard.release();
  for (const request of pending) void request.then((guard) => guard.release());
  expect(await Promise.all(served)).toEqual([true, true]);
  // One thread that spins would need all of it.
  expect((user + system) / 1_000).toBeLessThan(nap / 2);
});
