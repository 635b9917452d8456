import { afterAll, describe, expect, test } from 'vitest';
import { DeadlockError, ReadWriteLock, open } from 'mortise';
import { expectRefused } from './contract/guards.ts';
import { describeLock } from './contract/lock.ts';
import { endThreads, startThread } from './fixtures/thread.ts';
import { until, words } from './fixtures/until.ts';

const make = (name?: string): ReadWriteLock => new ReadWriteLock(name === undefined ? {} : { name });

describeLock(
  'Reader of a ReadWriteLock',
  (name) => {
    const rw = make(name);
    const faces = { face: 'reader', blockerFace: 'writer' } as const;
    return { lock: rw.reader, blocker: rw.writer, handle: rw.handle, ...faces, stats: () => rw.stats() };
  },
  { exclusive: false },
);

describeLock(
  'Writer of a ReadWriteLock',
  (name) => {
    const rw = make(name);
    const faces = { face: 'writer', blockerFace: 'writer' } as const;
    return { lock: rw.writer, blocker: rw.writer, handle: rw.handle, ...faces, stats: () => rw.stats() };
  },
  { exclusive: true },
);

describe('ReadWriteLock', () => {
  afterAll(endThreads);

  test('admits many readers at once, in one thread and several', async () => {
    const rw = make();
    const thread = await startThread();
    await thread.run(({ ReadWriteLock, guards }, handle) => {
      guards.set('read', ReadWriteLock.from(handle).acquireReadSync());
    }, rw.handle);
    const guards = [
      rw.acquireReadSync(),
      await rw.acquireRead(),
      (await rw.tryAcquireRead())!,
      rw.reader.acquireSync(),
    ];
    expect(rw.stats().holders).toBe(5);
    expect(rw.reader.isLockedSync()).toBe(true);
    expectRefused(await rw.tryAcquireWrite());
    for (const guard of guards) expect(guard.release()).toBe(true);
    expectRefused(rw.writer.tryAcquireSync());
    await thread.run(({ guards }) => guards.get('read')!.release(), undefined);
    expect((await rw.tryAcquireWrite())!.release()).toBe(true);
  });

  test('admits a writer alone', async () => {
    const rw = make();
    for (const write of [() => rw.acquireWriteSync(), () => rw.acquireWrite(), () => rw.tryAcquireWrite()!]) {
      const writer = await write();
      expectRefused(await rw.tryAcquireRead());
      expectRefused(rw.reader.tryAcquireSync());
      expectRefused(await rw.tryAcquireWrite());
      expectRefused(rw.writer.tryAcquireSync());
      expect(rw.writer.isOwnedSync()).toBe(true);
      writer.release();
    }
  });

  test('keeps the order of arrival: readers behind a writer wait for it, and it for the readers before', async () => {
    const rw = make();
    const reading = await rw.acquireRead();
    const order: string[] = [];
    const requests = [
      rw.acquireWrite().then((guard) => {
        order.push('writer');
        guard.release();
      }),
      rw.acquireRead().then((guard) => {
        order.push('reader');
        guard.release();
      }),
      rw.acquireRead().then((guard) => {
        order.push('reader');
        guard.release();
      }),
      rw.acquireWrite().then((guard) => {
        order.push('second writer');
        guard.release();
      }),
    ];
    await until(() => rw.stats().waiters === 4, 'all wait');
    expect(order).toEqual([]);
    reading.release();
    await Promise.all(requests);
    expect(order).toEqual(['writer', 'reader', 'reader', 'second writer']);
  });

  test('lets all leading readers in together', async () => {
    const rw = make();
    const writing = await rw.acquireWrite();
    const readers = [rw.acquireRead(), rw.acquireRead(), rw.acquireRead()];
    const last = rw.acquireWrite();
    writing.release();
    const guards = await Promise.all(readers);
    expect(rw.stats()).toMatchObject({ holders: 3, waiters: 1 });
    for (const guard of guards) guard.release();
    (await last).release();
  });

  test('lets the readers behind go when the writer before them gives up', async () => {
    const rw = make();
    const reading = await rw.acquireRead();
    const controller = new AbortController();
    const writer = rw.acquireWrite({ signal: controller.signal }).catch((reason: Error) => reason.name);
    const behind = rw.acquireRead();
    await until(() => rw.stats().waiters === 2, 'both wait');
    controller.abort();
    expect(await writer).toBe('AbortError');
    (await behind).release();
    reading.release();
  });

  test('gives a thread that reads further blocking reads past a waiting writer', async () => {
    const rw = make();
    const reading = rw.acquireReadSync();
    const thread = await startThread();
    const written = thread.run(
      ({ ReadWriteLock }, handle) => ReadWriteLock.from(handle).acquireWriteSync().release(),
      rw.handle,
    );
    await until(() => rw.stats().waiters === 1, 'the writer waits');
    const again = rw.acquireReadSync({ timeout: 5_000 });
    expect(again.held).toBe(true);
    expect(rw.stats()).toMatchObject({ holders: 2, waiters: 1 });
    again.release();
    reading.release();
    expect(await written).toBe(true);
  });

  test('gives a reader the fence of the last write', () => {
    const rw = make();
    const fences: bigint[] = [];
    for (let i = 0; i < 3; i++) {
      const { fence } = rw.writer.withLockSync((guard) => guard);
      expect(rw.reader.withLockSync((guard) => guard.fence)).toBe(fence);
      expect(rw.reader.withLockSync((guard) => guard.fence)).toBe(fence);
      fences.push(fence);
    }
    expect(fences[1]!).toBeGreaterThan(fences[0]!);
    expect(fences[2]!).toBeGreaterThan(fences[1]!);
  });

  test('keeps readers and writers of many threads apart', async () => {
    const rw = make();
    const w = words();
    const threads = await Promise.all([startThread(), startThread(), startThread()]);
    const torn = await Promise.all(
      threads.map((thread, index) =>
        thread.run(
          async ({ ReadWriteLock }, { handle, w, index }) => {
            const rw = ReadWriteLock.from(handle);
            let torn = 0;
            const write = (): void => {
              for (let word = 0; word < 8; word++) w[word]!++;
            };
            const read = (): void => {
              for (let word = 1; word < 8; word++) if (w[word] !== w[0]) torn++;
            };
            for (let i = index; i < 3_000; i++) {
              if (i % 7 === 0) rw.writer.withLockSync(write);
              else if (i % 11 === 0) await rw.writer.withLock(write);
              else if (i % 5 === 0) await rw.reader.withLock(read);
              else rw.reader.withLockSync(read);
            }
            return torn;
          },
          { handle: rw.handle, w, index },
        ),
      ),
    );
    expect(torn).toEqual([0, 0, 0]);
    expect(new Set(w.slice(0, 8)).size).toBe(1);
    expect(rw.stats()).toMatchObject({ holders: 0, waiters: 0 });
  });

  describe('downgrade()', () => {
    test('turns the write guard into a read guard, which other readers may join', async () => {
      const rw = make();
      const writing = rw.acquireWriteSync();
      const waiting = rw.acquireRead();
      const reading = writing.downgrade();
      expect(writing.held).toBe(false);
      expect(writing.release()).toBe(false);
      expect(reading.held).toBe(true);
      expect(reading.fence).toBe(writing.fence);
      const joined = await waiting;
      expect(rw.stats().holders).toBe(2);
      expectRefused(await rw.tryAcquireWrite());
      joined.release();
      expect(reading.release()).toBe(true);
      expect(reading.release()).toBe(false);
      rw.acquireWriteSync({ timeout: 0 }).release();
    });

    test('leaves no gap for a writer that waits', async () => {
      const rw = make();
      const writing = await rw.acquireWrite();
      let written = false;
      const writer = rw.acquireWrite().then((guard) => {
        written = true;
        guard.release();
      });
      await until(() => rw.stats().waiters === 1, 'the writer waits');
      const reading = writing.downgrade();
      await new Promise((resolve) => setImmediate(resolve));
      expect(written).toBe(false);
      reading.release();
      await writer;
    });

    test('wakes a thread that is blocked for reading', async () => {
      const rw = make();
      const writing = rw.acquireWriteSync();
      const thread = await startThread();
      const read = thread.run(
        ({ ReadWriteLock }, handle) => ReadWriteLock.from(handle).acquireReadSync().release(),
        rw.handle,
      );
      await until(() => rw.stats().waiters === 1, 'the thread waits');
      const reading = writing.downgrade();
      expect(await read).toBe(true);
      reading.release();
    });

    test('of a guard that is not held throws', () => {
      const rw = make();
      const writing = rw.acquireWriteSync();
      writing.release();
      expect(() => writing.downgrade()).toThrow('cannot be downgraded');
      const again = rw.acquireWriteSync({ timeout: 0 });
      const reading = again.downgrade();
      expect(() => again.downgrade()).toThrow('cannot be downgraded');
      reading.release();
      expect(rw.reader.isLockedSync()).toBe(false);
    });
  });

  test('opens as a ReadWriteLock with the same two faces', () => {
    const rw = make();
    using _reading = rw.acquireReadSync();
    for (const same of [open(rw.handle), ReadWriteLock.from(rw.handle)]) {
      expect(same).toBeInstanceOf(ReadWriteLock);
      expect(same.reader.isOwnedSync()).toBe(true);
      expectRefused(same.writer.tryAcquireSync());
    }
  });

  test('has the options of acquireRead, acquireWrite and their blocking forms checked', async () => {
    const rw = make();
    await expect(rw.acquireRead({ timeout: -1 })).rejects.toThrow(/timeout.*-1/);
    await expect(rw.acquireWrite({ timeout: -1 })).rejects.toThrow(/timeout.*-1/);
    expect(() => rw.acquireReadSync({ timeout: -1 })).toThrow(/timeout.*-1/);
    expect(() => rw.acquireWriteSync({ timeout: -1 })).toThrow(/timeout.*-1/);
  });

  test('tells a thread that would wait for itself', () => {
    const rw = make();
    using _reading = rw.acquireReadSync();
    expect(() => rw.acquireWriteSync()).toThrow(DeadlockError);
  });
});
