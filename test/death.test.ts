/**
 * A thread that dies takes nothing with it, in whatever way it dies, whatever it is doing.
 *
 * "No stall" is asserted generously here; the real figures come from `npm run stress`.
 */
import { once } from 'node:events';
import { Worker } from 'node:worker_threads';
import { afterAll, describe, expect, test } from 'vitest';
import {
  Mutex,
  ReadWriteLock,
  Semaphore,
  type LockStats,
  type SemaphoreAcquireOptions,
  type SyncGuard,
} from 'mortise';
import { expectRefused, seen } from './contract/guards.ts';
import { runFixture } from './fixtures/child.ts';
import { endThreads, startThread, type Sent, type Thread } from './fixtures/thread.ts';
import { until, words } from './fixtures/until.ts';

afterAll(endThreads);

const STALL = 1_000;

interface Way {
  /** Ends the thread; gives when it began to. */
  end: (thread: Thread) => Promise<void>;
  /** Options its thread is started with. */
  options?: object;
  /** Whether the thread must run its event loop to die so. */
  byItself: boolean;
}

const ways: Record<string, Way> = {
  'worker.terminate()': { end: (thread) => thread.terminate(), byItself: false },
  'process.exit() in it': {
    end: async (thread) => {
      thread.abandon(() => process.exit(3), undefined);
      expect(await thread.exited).toBe(3);
    },
    byItself: true,
  },
  'an uncaught error': {
    end: async (thread) => {
      thread.abandon(() => {
        setImmediate(() => {
          throw new Error('uncaught in a test');
        });
      }, undefined);
      expect(await thread.exited).toBe(1);
      expect(thread.error?.message).toBe('uncaught in a test');
    },
    byItself: true,
  },
  'an unhandled rejection': {
    end: async (thread) => {
      thread.abandon(() => {
        void Promise.reject(new Error('unhandled in a test'));
      }, undefined);
      expect(await thread.exited).toBe(1);
      expect(thread.error?.message).toBe('unhandled in a test');
    },
    byItself: true,
  },
  'running out of heap': {
    end: async (thread) => {
      thread.abandon(() => {
        // Small objects: newer versions of V8 can hang for ever where a built-in function finds no room.
        let list: object | null = null;
        for (let i = 0; ; i++) list = { list, i, text: `number ${i}` };
      }, undefined);
      await thread.exited;
      expect(thread.error).toMatchObject({ code: 'ERR_WORKER_OUT_OF_MEMORY' });
    },
    options: { resourceLimits: { maxOldGenerationSizeMb: 16, maxYoungGenerationSizeMb: 2 } },
    byItself: true,
  },
};

/** Takes a lock in `thread` and keeps it. */
async function hold(thread: Thread, sent: Sent, how: 'sync' | 'async', weight?: number): Promise<void> {
  await thread.run(
    async ({ lockOf, guards }, { sent, how, weight }) => {
      const lock = lockOf(sent);
      const options: SemaphoreAcquireOptions = weight === undefined ? {} : { weight };
      guards.set(
        `held ${guards.size}`,
        how === 'sync' ? lock.acquireSync(options) : await lock.acquire(options),
      );
    },
    { sent, how, weight },
  );
}

function waitFor(thread: Thread, sent: Sent, how: 'sync' | 'async', weight?: number): void {
  thread.abandon(
    async ({ lockOf }, { sent, how, weight }) => {
      const lock = lockOf(sent);
      const options: SemaphoreAcquireOptions = weight === undefined ? {} : { weight };
      if (how === 'sync') lock.acquireSync(options);
      else await lock.acquire(options);
    },
    { sent, how, weight },
  );
}

interface Queue {
  /** What the thread that dies waits for, */
  sent: Sent;
  weight?: number;
  /** because of this hold, */
  take: () => SyncGuard;
  /** and who comes behind it. */
  next: () => Promise<SyncGuard>;
  /** What lets the one behind in, once the thread is gone. */
  moveUp: (guard: SyncGuard) => void;
  stats: () => LockStats;
}

const queues: Record<string, () => Queue> = {
  'a mutex': () => {
    const mutex = new Mutex();
    return {
      sent: { handle: mutex.handle },
      take: () => mutex.acquireSync(),
      next: () => mutex.acquire(),
      moveUp: (guard) => guard.release(),
      stats: () => mutex.stats(),
    };
  },
  'more permits than are left, before a request that fits': () => {
    const semaphore = new Semaphore(2);
    return {
      sent: { handle: semaphore.handle },
      weight: 2,
      take: () => semaphore.acquireSync(),
      next: () => semaphore.acquire(),
      moveUp: () => undefined,
      stats: () => semaphore.stats(),
    };
  },
  'writing, before a reader': () => {
    const rw = new ReadWriteLock();
    return {
      sent: { handle: rw.handle, face: 'writer' },
      take: () => rw.acquireReadSync(),
      next: () => rw.acquireRead(),
      moveUp: () => undefined,
      stats: () => rw.stats(),
    };
  },
  'reading, behind a writer': () => {
    const rw = new ReadWriteLock();
    return {
      sent: { handle: rw.handle, face: 'reader' },
      take: () => rw.acquireWriteSync(),
      next: () => rw.acquireWrite(),
      moveUp: (guard) => guard.release(),
      stats: () => rw.stats(),
    };
  },
};

for (const [name, way] of Object.entries(ways)) {
  describe(`A thread that ends by ${name}`, () => {
    for (const how of ['sync', 'async'] as const) {
      test(`while it holds (${how}): a mutex, a writer and a reader, permits pass to those who wait`, async () => {
        const mutex = new Mutex();
        const written = new ReadWriteLock();
        const read = new ReadWriteLock();
        const semaphore = new Semaphore(5);
        const thread = await startThread(way.options);
        await hold(thread, { handle: mutex.handle }, how);
        await hold(thread, { handle: written.handle, face: 'writer' }, how);
        await hold(thread, { handle: read.handle, face: 'reader' }, how);
        await hold(thread, { handle: semaphore.handle }, how, 4);
        const waiting = Promise.all([
          mutex.acquire(),
          written.acquireRead(),
          read.acquireWrite(),
          semaphore.acquire({ weight: 5 }),
        ]);
        await way.end(thread);
        const ended = performance.now();
        const [owner, reader, writer, permits] = await waiting;
        expect(performance.now() - ended).toBeLessThan(STALL);
        expect(seen(owner)).toEqual({ held: true, abandoned: true });
        expect(seen(reader)).toEqual({ held: true, abandoned: true });
        expect(seen(writer)).toEqual({ held: true, abandoned: false });
        expect(seen(permits)).toEqual({ held: true, abandoned: false });
        for (const guard of [owner, reader, writer, permits]) expect(guard.release()).toBe(true);
        expect(mutex.stats()).toMatchObject({ abandoned: 1, holders: 0, waiters: 0 });
        expect(semaphore.availableSync()).toBe(5);
      });
    }

    // A thread that is blocked in acquireSync cannot end itself.
    for (const how of way.byItself ? (['async'] as const) : (['sync', 'async'] as const)) {
      for (const [kind, make] of Object.entries(queues)) {
        test(`while it waits (${how}) for ${kind}: those behind it move up, and nobody is told`, async () => {
          const { sent, weight, stats, take, next, moveUp } = make();
          const thread = await startThread(way.options);
          const guard = take();
          waitFor(thread, sent, how, weight);
          await until(() => stats().waiters === 1, 'the thread waits');
          const behind = next();
          await way.end(thread);
          const ended = performance.now();
          moveUp(guard);
          const mine = await behind;
          expect(performance.now() - ended).toBeLessThan(STALL);
          expect(mine.abandoned).toBe(false);
          mine.release();
          guard.release();
          expect(stats()).toMatchObject({ waiters: 0, holders: 0, abandoned: 0 });
        });
      }
    }
  });
}

describe('When the owner dies', () => {
  test('a thread that is blocked in acquireSync takes over', async () => {
    const mutex = new Mutex();
    const [owner, waiter] = await Promise.all([startThread(), startThread()]);
    await hold(owner, { handle: mutex.handle }, 'sync');
    const taken = waiter.run(({ Mutex }, handle) => {
      const guard = Mutex.from(handle).acquireSync();
      const { abandoned } = guard;
      return { abandoned, released: guard.release() };
    }, mutex.handle);
    await until(() => mutex.stats().waiters === 1, 'the waiter waits');
    const begin = performance.now();
    await owner.terminate();
    expect(await taken).toEqual({ abandoned: true, released: true });
    expect(performance.now() - begin).toBeLessThan(STALL);
  });

  test('a main thread that is blocked, so that no event tells it, takes over', async () => {
    const mutex = new Mutex();
    const w = words();
    const owner = await startThread();
    await owner.run(
      ({ Mutex, guards }, handle) => void guards.set('held', Mutex.from(handle).acquireSync()),
      mutex.handle,
    );
    // Ends when the main thread is about to block, or does.
    owner.abandon((_, w) => {
      Atomics.wait(w, 0, 0);
      process.exit(0);
    }, w);
    Atomics.store(w, 0, 1);
    Atomics.notify(w, 0);
    const guard = mutex.acquireSync({ timeout: 10_000 });
    expect(guard.abandoned).toBe(true);
    guard.release();
  });

  test('the fence of the next one is higher', async () => {
    const mutex = new Mutex();
    const before = mutex.withLockSync((guard) => guard.fence);
    const thread = await startThread();
    const dead = await thread.run(({ Mutex, guards }, handle) => {
      const guard = Mutex.from(handle).acquireSync();
      guards.set('held', guard);
      return guard.fence;
    }, mutex.handle);
    await thread.terminate();
    const guard = await mutex.acquire({ timeout: 10_000 });
    expect(dead).toBeGreaterThan(before);
    expect(guard.fence).toBeGreaterThan(dead);
    guard.release();
  });

  test('exactly one of those who come after is told, whichever thread it is in', async () => {
    const threads = await Promise.all([startThread(), startThread()]);
    for (let round = 0; round < 4; round++) {
      const mutex = new Mutex();
      const owner = await startThread();
      await hold(owner, { handle: mutex.handle }, round % 2 === 0 ? 'async' : 'sync');
      const elsewhere = threads.map((thread) =>
        thread.run(async ({ Mutex }, handle) => {
          const mutex = Mutex.from(handle);
          const told = Array.from({ length: 5 }, () => mutex.withLock((guard) => guard.abandoned));
          return (await Promise.all(told)).filter(Boolean).length;
        }, mutex.handle),
      );
      const here = Array.from({ length: 5 }, () => mutex.withLock((guard) => guard.abandoned));
      await until(() => mutex.stats().waiters === 15, 'all wait');
      await owner.terminate();
      const told = (await Promise.all(here)).filter(Boolean).length;
      const toldElsewhere = await Promise.all(elsewhere);
      expect(told + toldElsewhere[0]! + toldElsewhere[1]!).toBe(1);
    }
  });

  test('the one who is told need not repair anything for the next to come in clean', async () => {
    const mutex = new Mutex();
    const thread = await startThread();
    await hold(thread, { handle: mutex.handle }, 'sync');
    const waiting = Array.from({ length: 10 }, () => mutex.withLock((guard) => guard.abandoned));
    await thread.terminate();
    expect(await Promise.all(waiting)).toEqual([true, ...Array.from({ length: 9 }, () => false)]);
  });

  test('it is told even though somebody only tried, timed out or asked in between', async () => {
    const mutex = new Mutex();
    const thread = await startThread();
    await hold(thread, { handle: mutex.handle }, 'sync');
    await expect(mutex.acquire({ timeout: 1 })).rejects.toMatchObject({ code: 'ERR_LOCK_TIMEOUT' });
    await thread.terminate();
    mutex.isLockedSync();
    mutex.infoSync();
    mutex.stats();
    let guard = mutex.tryAcquireSync();
    await until(() => (guard ??= mutex.tryAcquireSync()) !== null, 'the dead owner is found out', STALL);
    expect(guard!.abandoned).toBe(true);
    guard!.release();
    expect(mutex.withLockSync((it) => it.abandoned)).toBe(false);
  });

  test('again and again, each time one is told', async () => {
    const mutex = new Mutex();
    for (let i = 0; i < 8; i++) {
      const thread = await startThread();
      await hold(thread, { handle: mutex.handle }, i % 2 === 0 ? 'sync' : 'async');
      await thread.terminate();
      if (i % 3 === 0) continue;
      const guard = await mutex.acquire({ timeout: 10_000 });
      expect(guard.abandoned).toBe(true);
      guard.release();
      expect(await mutex.withLock((it) => it.abandoned)).toBe(false);
    }
    expect(mutex.stats().abandoned).toBe(8);
  });
});

describe.runIf(process.platform === 'linux')('When the owner dies and nobody is told of it', () => {
  for (const kind of ['mutex', 'writer', 'reader', 'permits'] as const) {
    test(`those who only try get it: ${kind}`, async () => {
      const lock = { mutex: new Mutex(), rw: new ReadWriteLock(), semaphore: new Semaphore(3) };
      const w = words();
      const thread = await startThread();
      const handles = { mutex: lock.mutex.handle, rw: lock.rw.handle, semaphore: lock.semaphore.handle };
      await thread.run(
        ({ Mutex, ReadWriteLock, Semaphore }, { handles, w }) => {
          Mutex.from(handles.mutex).acquireSync();
          ReadWriteLock.from(handles.rw).acquireWriteSync();
          Semaphore.from(handles.semaphore).acquireSync({ weight: 3 });
          setTimeout(() => {
            Atomics.store(w, 0, 1);
            process.exit();
          }, 1);
        },
        { handles, w },
      );
      const attempts = {
        mutex: () => lock.mutex.tryAcquireSync(),
        writer: () => lock.rw.writer.tryAcquireSync(),
        reader: () => lock.rw.reader.tryAcquireSync(),
        permits: () => lock.semaphore.tryAcquireSync({ weight: 3 }),
      };
      // Without a turn of the event loop, so that no event tells this thread.
      while (Atomics.load(w, 0) === 0);
      let guard: SyncGuard | null = null;
      for (const end = performance.now() + 10_000; guard === null && performance.now() < end;)
        guard = attempts[kind]();
      expect(guard?.abandoned).toBe(kind !== 'permits');
      guard?.release();
    });
  }
});

describe('A thread with a busy event loop and pending requests', () => {
  for (const kind of ['mutex', 'writer', 'reader', 'permits'] as const) {
    test(`does not keep out those who only try: ${kind}`, async () => {
      const lock = { mutex: new Mutex(), rw: new ReadWriteLock(), semaphore: new Semaphore(3) };
      const held = [
        lock.mutex.acquireSync(),
        lock.rw.acquireWriteSync(),
        lock.semaphore.acquireSync({ weight: 3 }),
      ];
      const w = words();
      const thread = await startThread();
      const handles = { mutex: lock.mutex.handle, rw: lock.rw.handle, semaphore: lock.semaphore.handle };
      await thread.run(
        ({ Mutex, ReadWriteLock, Semaphore }, { handles, w }) => {
          const pending = [
            Mutex.from(handles.mutex).acquire(),
            ReadWriteLock.from(handles.rw).acquireWrite(),
            Semaphore.from(handles.semaphore).acquire({ weight: 2 }),
          ];
          for (const request of pending) void request.then((guard) => guard.release());
          setTimeout(() => {
            Atomics.store(w, 0, 1);
            while (Atomics.load(w, 1) === 0);
          }, 1);
        },
        { handles, w },
      );
      await until(() => Atomics.load(w, 0) === 1, 'the thread is busy');
      for (const guard of held) guard.release();
      const attempts = {
        mutex: () => lock.mutex.tryAcquireSync(),
        writer: () => lock.rw.writer.tryAcquireSync(),
        reader: () => lock.rw.reader.tryAcquireSync(),
        permits: () => lock.semaphore.tryAcquireSync({ weight: 2 }),
      };
      let guard: SyncGuard | null = null;
      for (const end = performance.now() + 10_000; guard === null && performance.now() < end;)
        guard = attempts[kind]();
      expect(guard).not.toBeNull();
      Atomics.store(w, 1, 1);
      guard?.release();
    });
  }
});

describe('When a writer dies', () => {
  test('every read guard is abandoned until a writer was told', async () => {
    const rw = new ReadWriteLock();
    const [writer, reader] = await Promise.all([startThread(), startThread()]);
    await hold(writer, { handle: rw.handle, face: 'writer' }, 'sync');
    await writer.terminate();
    const readElsewhere = (): Promise<boolean> =>
      reader.run(
        ({ ReadWriteLock }, handle) =>
          ReadWriteLock.from(handle).reader.withLockSync((guard) => guard.abandoned, { timeout: 10_000 }),
        rw.handle,
      );
    for (let i = 0; i < 3; i++) {
      expect(await rw.reader.withLock((guard) => guard.abandoned, { timeout: 10_000 })).toBe(true);
      expect(rw.reader.withLockSync((guard) => guard.abandoned)).toBe(true);
      expect(await readElsewhere()).toBe(true);
    }
    expect(rw.writer.withLockSync((guard) => guard.abandoned)).toBe(true);
    expect(await readElsewhere()).toBe(false);
    expect(rw.reader.withLockSync((guard) => guard.abandoned)).toBe(false);
    expect(rw.writer.withLockSync((guard) => guard.abandoned)).toBe(false);
  });

  test('it is told even after readers have come, gone and died in between', async () => {
    const rw = new ReadWriteLock();
    const [writer, reader] = await Promise.all([startThread(), startThread()]);
    await hold(writer, { handle: rw.handle, face: 'writer' }, 'sync');
    await writer.terminate();
    const mine = await rw.acquireRead({ timeout: 10_000 });
    await hold(reader, { handle: rw.handle, face: 'reader' }, 'sync');
    await reader.terminate();
    await until(() => rw.stats().holders === 1, 'its hold returns', STALL);
    expect(rw.reader.withLockSync((guard) => guard.abandoned)).toBe(true);
    mine.release();
    expect(rw.writer.withLockSync((guard) => guard.abandoned)).toBe(true);
    expect(rw.writer.withLockSync((guard) => guard.abandoned)).toBe(false);
  });

  test('all readers that wait come in, and a writer after them is told', async () => {
    const rw = new ReadWriteLock();
    const thread = await startThread();
    await hold(thread, { handle: rw.handle, face: 'writer' }, 'async');
    const readers = [rw.acquireRead(), rw.acquireRead()];
    const writer = rw.acquireWrite();
    await thread.terminate();
    const guards = await Promise.all(readers);
    expect(guards.map((guard) => guard.abandoned)).toEqual([true, true]);
    for (const guard of guards) guard.release();
    const writing = await writer;
    expect(writing.abandoned).toBe(true);
    const reading = writing.downgrade();
    expect(reading.held).toBe(true);
    reading.release();
    expect(rw.reader.withLockSync((guard) => guard.abandoned)).toBe(false);
  });

  test('after it has downgraded, it dies as a reader, of which nobody is told', async () => {
    const rw = new ReadWriteLock();
    const thread = await startThread();
    await thread.run(({ ReadWriteLock, guards }, handle) => {
      guards.set('read', ReadWriteLock.from(handle).acquireWriteSync().downgrade());
    }, rw.handle);
    const writer = rw.acquireWrite();
    await thread.terminate();
    const guard = await writer;
    expect(guard.abandoned).toBe(false);
    guard.release();
  });
});

describe('When one of several readers or permit holders dies', () => {
  test('only its own holds return', async () => {
    const rw = new ReadWriteLock();
    const semaphore = new Semaphore(10);
    const [dies, lives] = await Promise.all([startThread(), startThread()]);
    for (const thread of [dies, lives]) {
      await hold(thread, { handle: rw.handle, face: 'reader' }, 'sync');
      await hold(thread, { handle: rw.handle, face: 'reader' }, 'async');
      await hold(thread, { handle: semaphore.handle }, 'sync', 1);
      await hold(thread, { handle: semaphore.handle }, 'async', 3);
    }
    expect(semaphore.availableSync()).toBe(2);
    await dies.terminate();
    await until(() => semaphore.availableSync() === 6, 'its permits return', STALL);
    await until(() => rw.stats().holders === 2, 'its read holds return', STALL);
    expectRefused(rw.writer.tryAcquireSync());
    expectRefused(semaphore.tryAcquireSync({ weight: 7 }));
    const waiting = Promise.all([rw.acquireWrite(), semaphore.acquire({ weight: 10 })]);
    await lives.terminate();
    const guards = await waiting;
    expect(guards.map((guard) => guard.abandoned)).toEqual([false, false]);
    for (const guard of guards) guard.release();
    expect(semaphore.availableSync()).toBe(10);
  });
});

describe('A thread that dies between the wake-up and the claim', () => {
  test('passes the lock on: of many waiters that are killed at the moment of the release, the last is served', async () => {
    const mutex = new Mutex();
    const semaphore = new Semaphore(3);
    for (let round = 0; round < 6; round++) {
      const threads = await Promise.all([startThread(), startThread()]);
      const guards = [mutex.acquireSync(), semaphore.acquireSync({ weight: 3 })];
      waitFor(threads[0], { handle: mutex.handle }, round % 2 === 0 ? 'sync' : 'async');
      waitFor(threads[1], { handle: semaphore.handle }, round % 2 === 0 ? 'sync' : 'async', 2);
      await until(() => mutex.stats().waiters === 1 && semaphore.stats().waiters === 1, 'they wait');
      const dying = threads.map((thread) => thread.terminate());
      for (const guard of guards) guard.release();
      const mine = [
        await mutex.acquire({ timeout: 10_000 }),
        await semaphore.acquire({ weight: 3, timeout: 10_000 }),
      ];
      for (const guard of mine) guard.release();
      await Promise.all(dying);
      await until(() => semaphore.availableSync() === 3, 'permits return', STALL);
    }
  });
});

describe('A thread whose event loop is busy for a second', () => {
  test('holds up nobody but itself, whatever it waits for', async () => {
    const mutex = new Mutex();
    const semaphore = new Semaphore(2);
    const rw = new ReadWriteLock();
    const w = words();
    const thread = await startThread();
    const guards = [mutex.acquireSync(), semaphore.acquireSync({ weight: 2 }), rw.acquireWriteSync()];
    const busy = thread.run(
      async ({ lockOf }, { mutex, semaphore, rw, w }) => {
        const pending = [
          lockOf({ handle: mutex }).acquire(),
          lockOf({ handle: semaphore }).acquire(),
          lockOf({ handle: rw, face: 'writer' }).acquire(),
        ];
        Atomics.store(w, 0, 1);
        // Busy, and nothing but time ends it: that is what is tested.
        for (const end = performance.now() + 1_000; performance.now() < end;);
        Atomics.store(w, 1, 1);
        let released = 0;
        for (const guard of await Promise.all(pending)) released += Number(guard.release());
        return released;
      },
      { mutex: mutex.handle, semaphore: semaphore.handle, rw: rw.handle, w },
    );
    await until(() => Atomics.load(w, 0) === 1, 'the thread is busy');
    for (const guard of guards) guard.release();
    let rounds = 0;
    while (Atomics.load(w, 1) === 0) {
      // One at a time: the busy thread takes all three together once it is free, and would wait for us in a circle.
      for (const lock of [mutex, semaphore, rw.reader]) {
        const begin = performance.now();
        const guard = await lock.acquire();
        const waited = performance.now() - begin;
        guard.release();
        if (Atomics.load(w, 1) === 0) expect(waited).toBeLessThan(500);
      }
      rounds++;
      await new Promise((resolve) => setImmediate(resolve));
    }
    expect(rounds).toBeGreaterThan(5);
    // What it did not claim in time is still served to it afterwards.
    expect(await busy).toBe(3);
  });

  test('while it holds up nobody, its own release is what the others wait for, and no longer', async () => {
    const mutex = new Mutex();
    const w = words();
    const thread = await startThread();
    const held = thread.run(
      ({ Mutex }, { handle, w }) => {
        const guard = Mutex.from(handle).acquireSync();
        Atomics.store(w, 0, 1);
        for (const end = performance.now() + 300; performance.now() < end;);
        const { abandoned } = guard;
        return [abandoned, guard.release()];
      },
      { handle: mutex.handle, w },
    );
    await until(() => Atomics.load(w, 0) === 1, 'the thread holds');
    const guard = await mutex.acquire();
    // A living thread, however busy, is not taken for dead.
    expect(guard.abandoned).toBe(false);
    guard.release();
    expect(await held).toEqual([false, true]);
  });
});

describe('A process', () => {
  const told = [
    [true, false, false, true],
    [true, false, false, true],
    [true, false, false, true],
    [true, false, false, true],
  ];

  test('is told of the dead where the system shows its threads', async () => {
    const { code, stdout, stderr } = await runFixture('death/owner-dies.mjs');
    expect({ code, stderr, told: JSON.parse(stdout) as unknown }).toEqual({ code: 0, stderr: '', told });
  });

  test('is told of the dead where the system does not show them', async () => {
    const preload = new URL('./fixtures/death/hide-proc.mjs', import.meta.url).href;
    const { code, stdout, stderr } = await runFixture('death/owner-dies.mjs', [], {
      execArgv: ['--import', preload],
    });
    expect({ code, stderr, told: JSON.parse(stdout) as unknown }).toEqual({ code: 0, stderr: '', told });
  });

  test('logs deaths with NODE_DEBUG=mortise', async () => {
    const { code, stderr } = await runFixture('death/owner-dies.mjs', [], { env: { NODE_DEBUG: 'mortise' } });
    expect(code).toBe(0);
    expect(stderr).toMatch(/^MORTISE \d+: .*(died|dead)/m);
  });
});

test('A worker of a worker that dies together with its parent takes nothing with it', async () => {
  for (const depth of [1, 2]) {
    const mutex = new Mutex();
    const worker = new Worker(new URL('./fixtures/death/nested.mjs', import.meta.url), {
      workerData: { handle: mutex.handle, depth },
    });
    await once(worker, 'message');
    const waiting = mutex.acquire();
    await worker.terminate();
    const ended = performance.now();
    const guard = await waiting;
    expect(performance.now() - ended).toBeLessThan(STALL);
    expect(guard.abandoned).toBe(true);
    guard.release();
  }
});
