/** A blocking acquire that this thread itself stands in the way of says so at once, instead of blocking for ever. */
import { afterAll, describe, expect, test } from 'vitest';
import { DeadlockError, LockError, LockTimeoutError, Mutex, ReadWriteLock, Semaphore } from 'mortise';
import { endThreads, startThread } from './fixtures/thread.ts';
import { until } from './fixtures/until.ts';

afterAll(endThreads);

function expectDeadlock(call: () => unknown, name: string): void {
  let error: unknown;
  try {
    call();
  } catch (reason) {
    error = reason;
  }
  expect(error).toBeInstanceOf(DeadlockError);
  expect(error).toBeInstanceOf(LockError);
  expect(error).toMatchObject({ code: 'ERR_LOCK_DEADLOCK', name: 'DeadlockError' });
  expect((error as Error).message).toMatch(/^ERR_LOCK_DEADLOCK\b/);
  expect((error as Error).message).toContain(name);
}

describe('Mutex', () => {
  test('that this thread holds, however it got it', async () => {
    const mutex = new Mutex({ name: 'deadlock mutex' });
    for (const acquire of [() => mutex.acquireSync(), () => mutex.acquire()]) {
      const guard = await acquire();
      expectDeadlock(() => mutex.acquireSync(), 'deadlock mutex');
      expectDeadlock(() => mutex.acquireSync({ timeout: 10_000 }), 'deadlock mutex');
      expectDeadlock(() => mutex.withLockSync(() => expect.fail('the body ran')), 'deadlock mutex');
      expectDeadlock(() => Mutex.from(mutex.handle).acquireSync(), 'deadlock mutex');
      // The hold is as it was.
      expect(guard.held).toBe(true);
      expect(mutex.stats()).toMatchObject({ holders: 1, waiters: 0 });
      expect(guard.release()).toBe(true);
      mutex.acquireSync({ timeout: 0 }).release();
    }
  });

  test('that this thread holds is waited for by acquire(), which does not block it', async () => {
    const mutex = new Mutex();
    const guard = mutex.acquireSync();
    const waiting = mutex.acquire();
    guard.release();
    (await waiting).release();
  });

  test('that another thread holds is waited for', async () => {
    const mutex = new Mutex();
    const thread = await startThread();
    await thread.run(
      ({ Mutex, guards }, handle) => void guards.set('held', Mutex.from(handle).acquireSync()),
      mutex.handle,
    );
    expect(() => mutex.acquireSync({ timeout: 1 })).toThrow(LockTimeoutError);
  });

  test('that is held in a withLock body', async () => {
    const mutex = new Mutex({ name: 'deadlock in body' });
    await mutex.withLock(() => expectDeadlock(() => mutex.acquireSync(), 'deadlock in body'));
    mutex.withLockSync(() => expectDeadlock(() => mutex.withLockSync(() => undefined), 'deadlock in body'));
    expect(mutex.isLockedSync()).toBe(false);
  });
});

describe('Semaphore', () => {
  test('of which this thread holds so many permits that the rest can never be enough', async () => {
    const semaphore = new Semaphore(3, { name: 'deadlock semaphore' });
    for (const acquire of [
      () => semaphore.acquireSync({ weight: 2 }),
      () => semaphore.acquire({ weight: 2 }),
    ]) {
      const guard = await acquire();
      expectDeadlock(() => semaphore.acquireSync({ weight: 2 }), 'deadlock semaphore');
      expectDeadlock(() => semaphore.acquireSync({ weight: 3 }), 'deadlock semaphore');
      semaphore.acquireSync({ weight: 1 }).release();
      guard.release();
      semaphore.acquireSync({ weight: 3 }).release();
    }
  });

  test('of which the holds of this thread add up', () => {
    const semaphore = new Semaphore(3, { name: 'deadlock sum' });
    const guards = [semaphore.acquireSync(), semaphore.acquireSync()];
    expectDeadlock(() => semaphore.acquireSync({ weight: 2 }), 'deadlock sum');
    guards[0]!.release();
    semaphore.acquireSync({ weight: 2 }).release();
    guards[1]!.release();
  });

  test('of which another thread holds what is missing is waited for', async () => {
    const semaphore = new Semaphore(3);
    const thread = await startThread();
    await thread.run(({ Semaphore, guards }, handle) => {
      guards.set('held', Semaphore.from(handle).acquireSync({ weight: 2 }));
    }, semaphore.handle);
    using _mine = semaphore.acquireSync();
    expect(() => semaphore.acquireSync({ weight: 2, timeout: 1 })).toThrow(LockTimeoutError);
    await thread.run(({ guards }) => guards.get('held')!.release(), undefined);
    semaphore.acquireSync({ weight: 2 }).release();
  });
});

describe('ReadWriteLock', () => {
  test('that this thread reads cannot be written by it', async () => {
    const rw = new ReadWriteLock({ name: 'deadlock read' });
    for (const read of [() => rw.acquireReadSync(), () => rw.acquireRead()]) {
      const reading = await read();
      expectDeadlock(() => rw.acquireWriteSync(), 'deadlock read');
      expectDeadlock(() => rw.writer.withLockSync(() => undefined), 'deadlock read');
      rw.acquireReadSync().release();
      reading.release();
      rw.acquireWriteSync().release();
    }
  });

  test('that this thread writes can neither be read nor written again by it', async () => {
    const rw = new ReadWriteLock({ name: 'deadlock write' });
    for (const write of [() => rw.acquireWriteSync(), () => rw.acquireWrite()]) {
      const writing = await write();
      expectDeadlock(() => rw.acquireWriteSync(), 'deadlock write');
      expectDeadlock(() => rw.acquireReadSync(), 'deadlock write');
      const reading = writing.downgrade();
      expectDeadlock(() => rw.acquireWriteSync(), 'deadlock write');
      rw.acquireReadSync().release();
      reading.release();
    }
    expect(rw.stats()).toMatchObject({ holders: 0, waiters: 0 });
  });

  test('that other threads read and write is waited for', async () => {
    const rw = new ReadWriteLock();
    const thread = await startThread();
    await thread.run(({ ReadWriteLock, guards }, handle) => {
      guards.set('held', ReadWriteLock.from(handle).acquireReadSync());
    }, rw.handle);
    expect(() => rw.acquireWriteSync({ timeout: 1 })).toThrow(LockTimeoutError);
  });
});

test('A thread blocked for a lock while its own async request waits for the same one gets it, and both are served', async () => {
  const mutex = new Mutex();
  const thread = await startThread();
  await thread.run(
    ({ Mutex, guards }, handle) => void guards.set('held', Mutex.from(handle).acquireSync()),
    mutex.handle,
  );
  const waiting = mutex.acquire();
  await until(() => mutex.stats().waiters === 1, 'the request waits');
  // The other thread releases as soon as it sees two waiters, of which this blocked thread must be served.
  const released = thread.run(({ Mutex, guards }, handle) => {
    const mutex = Mutex.from(handle);
    const limit = Date.now() + 10_000;
    while (mutex.stats().waiters < 2 && Date.now() < limit);
    return guards.get('held')!.release();
  }, mutex.handle);
  const blocking = mutex.acquireSync({ timeout: 10_000 });
  expect(blocking.held).toBe(true);
  blocking.release();
  expect(await released).toBe(true);
  (await waiting).release();
});
