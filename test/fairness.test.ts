/** Whoever waits is served. Bounds are generous; the real figures come from `npm run bench`. */
import { afterAll, describe, expect, test } from 'vitest';
import { Mutex, ReadWriteLock, Semaphore, type SyncGuard } from 'mortise';
import { expectRefused } from './contract/guards.ts';
import { endThreads, startThread, type Sent, type Thread } from './fixtures/thread.ts';
import { until, words } from './fixtures/until.ts';

afterAll(endThreads);

const STOP = 0;
const SERVED = 1;
/** From here on: how often each thread of a flood got the lock. */
const TIMES = 4;

/** A thread that takes the lock again and again until it is told to stop. */
function flood(
  thread: Thread,
  index: number,
  sent: Sent,
  w: Int32Array,
  { how, spin }: { how: 'sync' | 'async'; spin: number },
): Promise<void> {
  return thread.run(
    async ({ lockOf }, { sent, w, how, spin, STOP, at }) => {
      const lock = lockOf(sent);
      const body = (): void => {
        Atomics.add(w, at, 1);
        for (let i = 0; i < spin; i++) Atomics.load(w, at);
      };
      while (Atomics.load(w, STOP) === 0) {
        if (how === 'sync') lock.withLockSync(body);
        else await lock.withLock(body);
      }
    },
    { sent, w, how, spin, STOP, at: TIMES + index },
  );
}

/**
 * Takes a lock, in turn by each of `forms`, while three threads flood it, until they and this thread have been
 * served often enough: nobody is left out, whoever else comes.
 */
async function expectAllServed(
  sent: Sent,
  spin: number,
  forms: (() => SyncGuard | Promise<SyncGuard>)[],
  check: () => void = () => undefined,
): Promise<void> {
  const w = words();
  const threads = await Promise.all([startThread(), startThread(), startThread()]);
  const floods = threads.map((thread, index) =>
    flood(thread, index, sent, w, { how: index === 0 ? 'async' : 'sync', spin }),
  );
  await until(() => threads.every((_, index) => Atomics.load(w, TIMES + index) > 0), 'the flood runs');
  const begin = [...w];
  for (let served = 0; ; served++) {
    const least = Math.min(
      ...threads.map((_, index) => Atomics.load(w, TIMES + index) - begin[TIMES + index]!),
    );
    if (served >= 60 && least >= 30) break;
    const asked = performance.now();
    const guard = await forms[served % forms.length]!();
    expect(performance.now() - asked).toBeLessThan(3_000);
    check();
    guard.release();
    if (served % 10 === 0) await new Promise((resolve) => setImmediate(resolve));
  }
  Atomics.store(w, STOP, 1);
  await Promise.all(floods);
}

describe('Semaphore', () => {
  test('serves requests for all ten permits in their turn under a flood of requests for one', async () => {
    const semaphore = new Semaphore(10);
    const weight = 10;
    await expectAllServed(
      { handle: semaphore.handle },
      20,
      [() => semaphore.acquireSync({ weight }), () => semaphore.acquire({ weight })],
      () => expect(semaphore.availableSync()).toBe(0),
    );
    expect(semaphore.availableSync()).toBe(10);
  });

  test('lets nothing that came later pass a large request at the head of the queue', async () => {
    const semaphore = new Semaphore(10);
    const w = words();
    const holder = semaphore.acquireSync();
    const thread = await startThread();
    const large = thread.run(
      ({ Semaphore }, { handle, w, SERVED }) => {
        const guard = Semaphore.from(handle).acquireSync({ weight: 10 });
        Atomics.store(w, SERVED, 1);
        return guard.release();
      },
      { handle: semaphore.handle, w, SERVED },
    );
    await until(() => {
      const guard = semaphore.tryAcquireSync();
      return guard === null || !guard.release();
    }, 'the large request stands in the queue');
    // Nine permits are free, and yet nobody gets one.
    for (let i = 0; i < 100; i++) {
      expectRefused(semaphore.tryAcquireSync());
      expectRefused(await semaphore.tryAcquire());
    }
    const small = semaphore.acquire().then((guard) => {
      const before = Atomics.load(w, SERVED);
      guard.release();
      return before;
    });
    holder.release();
    expect(await small).toBe(1);
    expect(await large).toBe(true);
  });
});

describe('ReadWriteLock', () => {
  test('serves a writer under a flood of readers that overlap', async () => {
    const rw = new ReadWriteLock();
    const forms = [() => rw.acquireWriteSync(), () => rw.acquireWrite()];
    await expectAllServed({ handle: rw.handle, face: 'reader' }, 500, forms);
  });

  test('serves a reader under a flood of writers', async () => {
    const rw = new ReadWriteLock();
    const forms = [() => rw.acquireReadSync(), () => rw.acquireRead()];
    await expectAllServed({ handle: rw.handle, face: 'writer' }, 20, forms);
  });

  test('keeps new readers behind a writer that waits', async () => {
    const rw = new ReadWriteLock();
    const [writer, reader, other] = await Promise.all([startThread(), startThread(), startThread()]);
    await reader.run(({ ReadWriteLock, guards }, handle) => {
      guards.set('read', ReadWriteLock.from(handle).acquireReadSync());
    }, rw.handle);
    const written = writer.run(
      ({ ReadWriteLock }, handle) => ReadWriteLock.from(handle).acquireWriteSync().release(),
      rw.handle,
    );
    // This thread reads nothing, so it may not pass the writer, as soon as that stands in the queue.
    await until(() => {
      const guard = rw.reader.tryAcquireSync();
      return guard === null || !guard.release();
    }, 'the writer stands in the queue');
    const passed = await other.run(
      ({ ReadWriteLock }, handle) => ReadWriteLock.from(handle).reader.tryAcquireSync() !== null,
      rw.handle,
    );
    expect(passed).toBe(false);
    expectRefused(rw.reader.tryAcquireSync());
    await reader.run(({ guards }) => guards.get('read')!.release(), undefined);
    expect(await written).toBe(true);
  });
});

describe('Mutex', () => {
  test('serves every thread that waits, though others barge in all the time', async () => {
    const mutex = new Mutex();
    await expectAllServed({ handle: mutex.handle }, 200, [() => mutex.acquireSync(), () => mutex.acquire()]);
  });

  test('lets nobody be passed again and again by a thread that hardly lets go of it', async () => {
    const mutex = new Mutex();
    const w = words();
    const thread = await startThread();
    // Sections of milliseconds, nanoseconds apart: a woken thread comes too late by itself.
    const flooding = flood(thread, 0, { handle: mutex.handle }, w, { how: 'sync', spin: 500_000 });
    await until(() => Atomics.load(w, TIMES) > 0, 'the flood runs');
    const passes: number[] = [];
    for (let i = 0; i < 15; i++) {
      const last = Atomics.load(w, TIMES);
      await until(() => Atomics.load(w, TIMES) > last, 'the flood has it again');
      const before = Atomics.load(w, TIMES);
      const guard = mutex.acquireSync();
      passes.push(Atomics.load(w, TIMES) - before);
      guard.release();
    }
    Atomics.store(w, STOP, 1);
    await flooding;
    expect(passes.toSorted((a, b) => a - b)[7]!).toBeLessThanOrEqual(4);
  });

  test('serves async tasks of one thread in order of arrival, though another thread takes turns with them', async () => {
    const mutex = new Mutex();
    const w = words();
    const thread = await startThread();
    const flooding = flood(thread, 0, { handle: mutex.handle }, w, { how: 'sync', spin: 20 });
    await until(() => Atomics.load(w, TIMES) > 0, 'the flood runs');
    const order: number[] = [];
    await Promise.all(
      Array.from({ length: 200 }, (_, index) => mutex.withLock(() => void order.push(index))),
    );
    Atomics.store(w, STOP, 1);
    expect(order).toEqual(Array.from({ length: 200 }, (_, index) => index));
    await flooding;
  });
});

describe('Hand-over between two threads', () => {
  const rounds = 200;
  for (const here of ['sync', 'async'] as const) {
    for (const there of ['sync', 'async'] as const) {
      test(`wakes who waits, and does not leave it to the next look: ${here} here, ${there} there`, async () => {
        // Each takes the next of three locks before it gives back the last: a rotation in which each waits for the other.
        const locks = [new Mutex(), new Mutex(), new Mutex()];
        const w = words();
        const thread = await startThread();
        const rotating = thread.run(
          async ({ Mutex }, { handles, w, there, rounds }) => {
            const locks = handles.map((handle) => Mutex.from(handle));
            let held = locks[1]!.acquireSync();
            Atomics.store(w, 0, 1);
            for (let i = 2; i < rounds + 2; i++) {
              const lock = locks[i % 3]!;
              const next = there === 'sync' ? lock.acquireSync() : await lock.acquire();
              held.release();
              held = next;
            }
            held.release();
          },
          { handles: locks.map((lock) => lock.handle), w, there, rounds },
        );
        let held = locks[0]!.acquireSync();
        await until(() => Atomics.load(w, 0) === 1, 'the other thread has its first');
        const waits: number[] = [];
        for (let i = 1; i < rounds + 1; i++) {
          const lock = locks[i % 3]!;
          const begin = performance.now();
          const next = here === 'sync' ? lock.acquireSync() : await lock.acquire();
          waits.push(performance.now() - begin);
          held.release();
          held = next;
        }
        held.release();
        await rotating;
        // A wake-up takes well under a millisecond; a thread that was not woken looks again after tens of them.
        expect(waits.toSorted((a, b) => a - b)[rounds / 2]!).toBeLessThan(20);
      });
    }
  }
});
