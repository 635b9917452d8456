import { afterAll, describe, expect, test } from 'vitest';
import { Mutex, open } from 'mortise';
import { expectRefused } from './contract/guards.ts';
import { describeLock } from './contract/lock.ts';
import { endThreads, startThread } from './fixtures/thread.ts';
import { until, words } from './fixtures/until.ts';

describeLock(
  'Mutex',
  (name) => {
    const mutex = new Mutex(name === undefined ? {} : { name });
    return { lock: mutex, blocker: mutex, handle: mutex.handle, stats: () => mutex.stats() };
  },
  { exclusive: true },
);

describe('Mutex', () => {
  afterAll(endThreads);

  test('lets one thread in at a time: no increment of a plain counter is lost', async () => {
    const mutex = new Mutex();
    const counter = words(1);
    const threads = await Promise.all([startThread(), startThread(), startThread()]);
    const rounds = 5_000;
    const [blocking, asynchronous, mixed] = threads;
    await Promise.all([
      blocking.run(
        ({ Mutex }, { handle, counter, rounds }) => {
          const mutex = Mutex.from(handle);
          for (let i = 0; i < rounds; i++) mutex.withLockSync(() => void counter[0]!++);
        },
        { handle: mutex.handle, counter, rounds },
      ),
      asynchronous.run(
        async ({ Mutex }, { handle, counter, rounds }) => {
          const mutex = Mutex.from(handle);
          const increment = async (): Promise<void> => {
            const before = counter[0]!;
            await null;
            counter[0] = before + 1;
          };
          for (let i = 0; i < rounds; i++) await mutex.withLock(increment);
        },
        { handle: mutex.handle, counter, rounds },
      ),
      mixed.run(
        async ({ Mutex }, { handle, counter, rounds }) => {
          const mutex = Mutex.from(handle);
          for (let i = 0; i < rounds; i++) {
            const guard = i % 2 === 0 ? mutex.acquireSync() : await mutex.acquire();
            counter[0]!++;
            void guard.release();
          }
        },
        { handle: mutex.handle, counter, rounds },
      ),
    ]);
    expect(counter[0]).toBe(3 * rounds);
    expect(mutex.stats()).toMatchObject({
      acquisitions: 3 * rounds,
      releases: 3 * rounds,
      holders: 0,
      waiters: 0,
    });
  });

  test('is not held by those who wait for it: many async tasks of one thread take turns', async () => {
    const mutex = new Mutex();
    let inside = 0;
    let most = 0;
    await Promise.all(
      Array.from({ length: 100 }, () =>
        mutex.withLock(async () => {
          inside++;
          most = Math.max(most, inside);
          await null;
          inside--;
        }),
      ),
    );
    expect(most).toBe(1);
  });

  test('is owned by a thread, so another object of the same lock in that thread owns it as well', () => {
    const mutex = new Mutex();
    const same = Mutex.from(mutex.handle);
    using _guard = mutex.acquireSync();
    expect(same.isOwnedSync()).toBe(true);
    expectRefused(same.tryAcquireSync());
  });

  test('of no name is a new lock every time', () => {
    const [first, second] = [new Mutex(), new Mutex()];
    using _guard = first.acquireSync();
    using guard = second.acquireSync({ timeout: 0 });
    expect(guard.held).toBe(true);
    expect(first.handle.cell).not.toBe(second.handle.cell);
  });

  test('opens as a Mutex', () => {
    expect(open(new Mutex().handle)).toBeInstanceOf(Mutex);
  });

  test('counts a thread that blocks among the waiters until it has given up', async () => {
    const mutex = new Mutex();
    const guard = mutex.acquireSync();
    const thread = await startThread();
    const waited = thread.run(({ Mutex, LockTimeoutError }, handle) => {
      try {
        Mutex.from(handle).acquireSync({ timeout: 50 });
        return 'acquired';
      } catch (error) {
        return error instanceof LockTimeoutError ? 'timed out' : String(error);
      }
    }, mutex.handle);
    await until(() => mutex.stats().waiters === 1, 'the thread waits');
    expect(await waited).toBe('timed out');
    expect(mutex.stats()).toMatchObject({ waiters: 0, timeouts: 1 });
    guard.release();
  });

  for (const options of [
    { name: 5 },
    { name: null },
    { space: {} },
    { space: 'default' },
    { reentrant: 'yes' },
  ]) {
    const [option, value] = Object.entries(options)[0]!;
    test(`refuses ${option} ${JSON.stringify(value)} with a TypeError that names both`, () => {
      let error: unknown;
      try {
        new Mutex(options as never);
      } catch (reason) {
        error = reason;
      }
      expect(error).toBeInstanceOf(TypeError);
      expect((error as Error).message).toContain(option);
      if (typeof value !== 'object') expect((error as Error).message).toContain(value);
    });
  }

  test('refuses options that are not an object', () => {
    expect(() => new Mutex(null as never)).toThrow(TypeError);
    expect(() => new Mutex('name' as never)).toThrow(TypeError);
  });
});
