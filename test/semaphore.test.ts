import { afterAll, describe, expect, test } from 'vitest';
import { LockTimeoutError, Mutex, ReadWriteLock, Semaphore, open } from 'mortise';
import { expectRefused } from './contract/guards.ts';
import { describeLock } from './contract/lock.ts';
import { endThreads, startThread } from './fixtures/thread.ts';
import { until, words } from './fixtures/until.ts';

describeLock(
  'Semaphore of one permit',
  (name) => {
    const semaphore = new Semaphore(1, name === undefined ? {} : { name });
    return { lock: semaphore, blocker: semaphore, handle: semaphore.handle, stats: () => semaphore.stats() };
  },
  { exclusive: false },
);

describe('Semaphore', () => {
  afterAll(endThreads);

  test('hands out its permits and no more', async () => {
    const semaphore = new Semaphore(3);
    expect(semaphore.permits).toBe(3);
    const guards = [semaphore.acquireSync(), await semaphore.acquire(), semaphore.tryAcquireSync()!];
    expect(semaphore.availableSync()).toBe(0);
    expectRefused(semaphore.tryAcquireSync());
    expectRefused(await semaphore.tryAcquire());
    guards[1]!.release();
    expect(await semaphore.available()).toBe(1);
    using again = semaphore.acquireSync({ timeout: 0 });
    expect(again.held).toBe(true);
    guards[0]!.release();
    guards[2]!.release();
    expect(semaphore.availableSync()).toBe(2);
  });

  test('tryAcquire() of every lock takes a signal, and refuses an aborted one', async () => {
    const reason = new Error('too late');
    for (const lock of [new Semaphore(1), new ReadWriteLock().reader, new Mutex()]) {
      const guard = await lock.tryAcquire({ signal: new AbortController().signal });
      expect(guard!.release()).toBe(true);
      await expect(lock.tryAcquire({ signal: AbortSignal.abort(reason) })).rejects.toBe(reason);
    }
  });

  test('takes as many permits as the weight says and gives as many back', async () => {
    const semaphore = new Semaphore(10);
    const light = semaphore.acquireSync({ weight: 3 });
    expect(semaphore.availableSync()).toBe(7);
    const heavy = await semaphore.acquire({ weight: 7 });
    expect(semaphore.availableSync()).toBe(0);
    light.release();
    expect(semaphore.availableSync()).toBe(3);
    expectRefused(semaphore.tryAcquireSync({ weight: 4 }));
    using three = semaphore.tryAcquireSync({ weight: 3 });
    expect(three?.held).toBe(true);
    heavy.release();
    expect(semaphore.availableSync()).toBe(7);
    const all = [
      semaphore.withLockSync(() => semaphore.availableSync(), { weight: 7 }),
      await semaphore.withLock(() => semaphore.available(), { weight: 6 }),
      await semaphore
        .tryAcquire({ weight: 5 })
        .then((guard) => [semaphore.availableSync(), guard!.release()]),
    ];
    expect(all).toEqual([0, 1, [2, true]]);
    expect(semaphore.availableSync()).toBe(7);
  });

  test('gives permits back once, however often a guard is released', () => {
    const semaphore = new Semaphore(2);
    const guard = semaphore.acquireSync();
    using _other = semaphore.acquireSync();
    expect([guard.release(), guard.release(), guard.release()]).toEqual([true, false, false]);
    expect(semaphore.availableSync()).toBe(1);
  });

  test('serves a large request in its turn: small ones behind it wait, though there is room for them', async () => {
    const semaphore = new Semaphore(4);
    const guard = await semaphore.acquire({ weight: 2 });
    const order: string[] = [];
    const requests = [
      semaphore.withLock(() => void order.push('large'), { weight: 4 }),
      semaphore.withLock(() => void order.push('small'), { weight: 1 }),
    ];
    expectRefused(await semaphore.tryAcquire());
    expect(order).toEqual([]);
    guard.release();
    await Promise.all(requests);
    expect(order).toEqual(['large', 'small']);
  });

  test('lets the small ones behind go when the large one at the head gives up', async () => {
    for (const giveUp of ['timeout', 'signal'] as const) {
      const semaphore = new Semaphore(4);
      const guard = await semaphore.acquire({ weight: 2 });
      const controller = new AbortController();
      const large = semaphore
        .acquire({ weight: 4, ...(giveUp === 'timeout' ? { timeout: 5 } : { signal: controller.signal }) })
        .then(
          () => expect.fail('there was no room'),
          (reason: Error) => reason.name,
        );
      const small = [semaphore.acquire(), semaphore.acquire()];
      controller.abort();
      expect(await large).toBe(giveUp === 'timeout' ? 'LockTimeoutError' : 'AbortError');
      for (const it of await Promise.all(small)) it.release();
      guard.release();
      expect(semaphore.availableSync()).toBe(4);
    }
  });

  test('admits several waiters at once when a large guard makes room for them', async () => {
    const semaphore = new Semaphore(6);
    const guard = await semaphore.acquire({ weight: 6 });
    const waiting = [1, 2, 3].map((weight) => semaphore.acquire({ weight }));
    guard.release();
    const guards = await Promise.all(waiting);
    expect(semaphore.availableSync()).toBe(0);
    for (const it of guards) it.release();
    expect(semaphore.availableSync()).toBe(6);
  });

  test('never admits more than its permits, over threads and weights', async () => {
    const permits = 5;
    const semaphore = new Semaphore(permits);
    const w = words();
    const work = async (thread: Awaited<ReturnType<typeof startThread>>, seed: number): Promise<number> =>
      thread.run(
        async ({ Semaphore }, { handle, w, seed, permits }) => {
          const semaphore = Semaphore.from(handle);
          let most = 0;
          const inside = (weight: number): void => {
            most = Math.max(most, Atomics.add(w, 0, weight) + weight);
            for (let i = 0; i < 200; i++) Atomics.load(w, 1);
            Atomics.sub(w, 0, weight);
          };
          for (let i = 0; i < 1_500; i++) {
            const weight = ((i * seed) % permits) + 1;
            if (i % 3 === 0) await semaphore.withLock(() => inside(weight), { weight });
            else semaphore.withLockSync(() => inside(weight), { weight });
          }
          return most;
        },
        { handle: semaphore.handle, w, seed, permits },
      );
    const threads = await Promise.all([startThread(), startThread(), startThread()]);
    const most = Math.max(...(await Promise.all(threads.map((thread, index) => work(thread, index + 1)))));
    expect(most).toBeLessThanOrEqual(permits);
    expect(semaphore.availableSync()).toBe(permits);
    expect(semaphore.stats()).toMatchObject({ acquisitions: 4_500, releases: 4_500, holders: 0, waiters: 0 });
  });

  test('wakes a blocked thread that asked for many permits once they have come back one by one', async () => {
    const semaphore = new Semaphore(3);
    const guards = [semaphore.acquireSync(), semaphore.acquireSync(), semaphore.acquireSync()];
    const thread = await startThread();
    const got = thread.run(
      ({ Semaphore }, handle) => Semaphore.from(handle).acquireSync({ weight: 3 }).release(),
      semaphore.handle,
    );
    await until(() => semaphore.stats().waiters === 1, 'the thread waits');
    for (const guard of guards) guard.release();
    expect(await got).toBe(true);
  });

  test('has guards without fence, that are never abandoned', async () => {
    const semaphore = new Semaphore(2);
    const thread = await startThread();
    await thread.run(({ Semaphore, guards }, handle) => {
      guards.set('held', Semaphore.from(handle).acquireSync({ weight: 2 }));
    }, semaphore.handle);
    await thread.terminate();
    const guard = await semaphore.acquire({ weight: 2, timeout: 10_000 });
    expect([guard.fence, guard.abandoned]).toEqual([0n, false]);
    guard.release();
  });

  test('opens with the permits it was made with', () => {
    const semaphore = new Semaphore(7);
    for (const same of [open(semaphore.handle), Semaphore.from(semaphore.handle)]) {
      expect(same).toBeInstanceOf(Semaphore);
      expect(same.permits).toBe(7);
    }
  });

  for (const [weight, type] of [
    [0, RangeError],
    [-1, RangeError],
    [1.5, RangeError],
    [4, RangeError],
    [NaN, RangeError],
    [Infinity, RangeError],
    [2 ** 32 + 1, RangeError],
    ['2', TypeError],
    [null, TypeError],
    [1n, TypeError],
  ] as const) {
    test(`refuses weight ${typeof weight} ${weight} of 3 permits: ${type.name} that names option and value`, async () => {
      const semaphore = new Semaphore(3);
      const options = { weight } as never;
      const forms: Record<string, () => unknown> = {
        acquire: () => semaphore.acquire(options),
        acquireSync: () => semaphore.acquireSync(options),
        tryAcquire: () => semaphore.tryAcquire(options),
        tryAcquireSync: () => semaphore.tryAcquireSync(options),
        withLock: () => semaphore.withLock(() => undefined, options),
        withLockSync: () => semaphore.withLockSync(() => undefined, options),
      };
      for (const [form, call] of Object.entries(forms)) {
        const error = await (async () => call())().then(
          () => expect.fail(`${form} accepted it`),
          (reason: Error) => reason,
        );
        expect(error, form).toBeInstanceOf(type);
        expect(error.message, form).toContain('weight');
        expect(error.message, form).toContain(String(weight));
      }
      expect(semaphore.availableSync()).toBe(3);
    });
  }

  for (const [permits, type] of [
    [0, RangeError],
    [-1, RangeError],
    [2.5, RangeError],
    [NaN, RangeError],
    [2 ** 53, RangeError],
    ['3', TypeError],
    [undefined, TypeError],
    [null, TypeError],
  ] as const) {
    test(`refuses permits ${typeof permits} ${permits}: ${type.name} that names option and value`, () => {
      const make = (): Semaphore => new Semaphore(permits as never);
      expect(make).toThrow(type);
      expect(make).toThrow(/permits/);
      expect(make).toThrow(new RegExp(String(permits).replace('+', '\\+').slice(0, 4)));
    });
  }

  test('a request that timed out leaves its permits to others', async () => {
    const semaphore = new Semaphore(2);
    const guard = semaphore.acquireSync();
    await expect(semaphore.acquire({ weight: 2, timeout: 2 })).rejects.toThrow(LockTimeoutError);
    expect(semaphore.availableSync()).toBe(1);
    guard.release();
    semaphore.acquireSync({ weight: 2 }).release();
  });
});
