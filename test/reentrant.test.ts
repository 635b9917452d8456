import { afterAll, describe, expect, test } from 'vitest';
import { DeadlockError, Mutex } from 'mortise';
import { expectRefused } from './contract/guards.ts';
import { describeLock } from './contract/lock.ts';
import { endThreads, startThread } from './fixtures/thread.ts';
import { until } from './fixtures/until.ts';

describeLock(
  'Reentrant mutex',
  (name) => {
    const mutex = new Mutex(name === undefined ? { reentrant: true } : { name, reentrant: true });
    return { lock: mutex, blocker: mutex, handle: mutex.handle, stats: () => mutex.stats() };
  },
  { exclusive: true },
);

describe('A reentrant mutex', () => {
  afterAll(endThreads);

  test('is acquired again by acquireSync where acquireSync holds it, and free after as many releases', () => {
    const mutex = new Mutex({ reentrant: true });
    const guards = [mutex.acquireSync(), mutex.acquireSync(), mutex.acquireSync()];
    for (const guard of guards) {
      expect(mutex.isLockedSync()).toBe(true);
      expect(guard.held).toBe(true);
      expect(guard.release()).toBe(true);
      expect(guard.release()).toBe(false);
    }
    expect(mutex.isLockedSync()).toBe(false);
  });

  test('counts re-entries as the one hold they are', () => {
    const mutex = new Mutex({ reentrant: true });
    mutex.withLockSync(() => mutex.withLockSync(() => undefined));
    expect(mutex.stats()).toMatchObject({ acquisitions: 1, releases: 1, holders: 0 });
  });

  test('has one fence for a hold and its re-entries', () => {
    const mutex = new Mutex({ reentrant: true });
    using outer = mutex.acquireSync();
    using inner = mutex.acquireSync();
    expect(inner.fence).toBe(outer.fence);
  });

  test('is acquired again by every blocking form', () => {
    const mutex = new Mutex({ reentrant: true });
    const depth = mutex.withLockSync(() =>
      mutex.withLockSync(() => {
        const guard = mutex.tryAcquireSync();
        const inner = mutex.acquireSync({ timeout: 0 });
        return [guard?.release(), inner.release()];
      }),
    );
    expect(depth).toEqual([true, true]);
    expect(mutex.isLockedSync()).toBe(false);
  });

  test('is acquired again by acquire inside a withLock body', async () => {
    const mutex = new Mutex({ reentrant: true });
    const result = await mutex.withLock(async () => {
      await null;
      const guard = await mutex.acquire();
      const inner = await mutex.withLock(async () => (await mutex.tryAcquire())!.release());
      return [guard.release(), inner];
    });
    expect(result).toEqual([true, true]);
    expect(mutex.isLockedSync()).toBe(false);
  });

  test('stays locked until an inner hold that outlives its withLock body is released', async () => {
    const mutex = new Mutex({ reentrant: true });
    const inner = await mutex.withLock(() => mutex.acquire());
    expect(inner.held).toBe(true);
    expect(mutex.isLockedSync()).toBe(true);
    expect(inner.release()).toBe(true);
    expect(mutex.isLockedSync()).toBe(false);
  });

  test('lets another async task of the thread wait like anybody else', async () => {
    const mutex = new Mutex({ reentrant: true });
    const order: string[] = [];
    let started = (): void => undefined;
    const outsiderWaits = new Promise<void>((resolve) => (started = resolve));
    const holder = mutex.withLock(async () => {
      await outsiderWaits;
      await mutex.withLock(() => void order.push('re-entered'));
      order.push('body ends');
    });
    const outsider = mutex.withLock(() => void order.push('outsider'));
    expectRefused(await mutex.tryAcquire());
    started();
    await Promise.all([holder, outsider]);
    expect(order).toEqual(['re-entered', 'body ends', 'outsider']);
  });

  test('does not take an acquire after the body for a re-entry, though its async context is the same', async () => {
    const mutex = new Mutex({ reentrant: true });
    let late: Promise<boolean> | undefined;
    let proceed = (): void => undefined;
    const ended = new Promise<void>((resolve) => (proceed = resolve));
    await mutex.withLock(() => {
      late = ended.then(async () => (await mutex.tryAcquire()) === null);
    });
    const guard = await mutex.acquire();
    proceed();
    expect(await late).toBe(true);
    guard.release();
  });

  test('does not take acquire for a re-entry of acquireSync', async () => {
    const mutex = new Mutex({ reentrant: true });
    const guard = mutex.acquireSync();
    expectRefused(await mutex.tryAcquire());
    const waiting = mutex.acquire();
    await until(() => mutex.stats().waiters === 1, 'it waits');
    guard.release();
    (await waiting).release();
  });

  test('does not take acquireSync for a re-entry of an asynchronous hold, which it could never outwait', async () => {
    const mutex = new Mutex({ reentrant: true });
    const guard = await mutex.acquire();
    expect(() => mutex.acquireSync()).toThrow(DeadlockError);
    expectRefused(mutex.tryAcquireSync());
    guard.release();
    mutex.acquireSync().release();
  });

  test('is not entered by another thread until the outermost hold has ended', async () => {
    const mutex = new Mutex({ reentrant: true });
    const thread = await startThread();
    const outer = mutex.acquireSync();
    const inner = mutex.acquireSync();
    const tryElsewhere = (): Promise<boolean> =>
      thread.run(({ Mutex }, handle) => {
        const guard = Mutex.from(handle).tryAcquireSync();
        return guard !== null && guard.release();
      }, mutex.handle);
    expect(await tryElsewhere()).toBe(false);
    inner.release();
    expect(await tryElsewhere()).toBe(false);
    outer.release();
    expect(await tryElsewhere()).toBe(true);
  });

  test('is reentrant through its handle and its name as well', () => {
    const name = 'reentrant by name';
    const mutex = new Mutex({ name, reentrant: true });
    for (const same of [Mutex.from(mutex.handle), new Mutex({ name, reentrant: true })]) {
      using _outer = mutex.acquireSync();
      using inner = same.acquireSync({ timeout: 0 });
      expect(inner.held).toBe(true);
    }
    expect(mutex.isLockedSync()).toBe(false);
  });

  test('passes `abandoned` of its outer hold on to re-entries', async () => {
    const mutex = new Mutex({ reentrant: true });
    const thread = await startThread();
    await thread.run(({ Mutex, guards }, handle) => {
      const mutex = Mutex.from(handle);
      guards.set('outer', mutex.acquireSync());
      guards.set('inner', mutex.acquireSync());
    }, mutex.handle);
    await thread.terminate();
    const outer = await mutex.acquire({ timeout: 10_000 });
    expect(outer.abandoned).toBe(true);
    outer.release();
    const next = mutex.acquireSync();
    const inner = mutex.acquireSync();
    expect([next.abandoned, inner.abandoned]).toEqual([false, false]);
    inner.release();
    next.release();
  });
});
