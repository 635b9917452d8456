/** Deadlocks between threads, and between processes. */
import { readdirSync } from 'node:fs';
import { afterAll, describe, expect, test } from 'vitest';
import { LockManager, sharedMemoryBackend, type DeadlockReport, type LockScope } from 'mortise';
import { inShort, listen, newLocks, nextDeadlock } from '../fixtures/manager/deadlocks.ts';
import { Process, endProcesses } from '../fixtures/process.ts';
import { newRegion } from '../fixtures/space-open/region.ts';
import { Thread, endThreads, startThread } from '../fixtures/thread.ts';
import { until, words } from '../fixtures/until.ts';

afterAll(endThreads);
afterAll(endProcesses);

type How = 'withLock' | 'bare' | 'blocking';

interface Part {
  how: How;
  first: string;
  second: string;
  policy: 'report' | 'error' | 'off';
  timeout?: number | undefined;
  interval?: number | undefined;
  /** Word 0 counts those who have their first lock: each waits until both have. */
  met: Int32Array;
}

interface Outcome {
  code: string | undefined;
  heard: DeadlockReport[];
}

/** In a thread: takes the first lock, then the second, and tells what became of it and what it heard. */
async function takeBoth(
  { LockManager }: typeof import('mortise'),
  { how, first, second, policy, timeout = 20_000, interval = 100, met }: Part,
): Promise<Outcome> {
  const locks = new LockManager({ deadlocks: policy, deadlockInterval: interval });
  const heard: DeadlockReport[] = [];
  locks.on('deadlock', (report) => heard.push(report));
  const meet = async (): Promise<void> => {
    Atomics.add(met, 0, 1);
    while (Atomics.load(met, 0) < 2) await new Promise((resolve) => setImmediate(resolve));
  };
  try {
    if (how === 'withLock')
      await locks.lock(first).withLock(async () => {
        await meet();
        await locks.lock(second).withLock(() => undefined, { timeout });
      });
    else {
      const guard = await locks.lock(first).acquire();
      try {
        await meet();
        const other =
          how === 'bare'
            ? await locks.lock(second).acquire({ timeout })
            : locks.lock(second).acquireSync({ timeout });
        await other.release();
      } finally {
        await guard.release();
      }
    }
    return { code: undefined, heard };
  } catch (error) {
    return { code: (error as { code: string }).code, heard };
  }
}

function start(
  threads: Thread[],
  hows: How[],
  locks: LockScope,
  policy: Part['policy'],
  timeout?: number,
  interval?: number,
) {
  const met = words();
  const names = ['a', 'b'].map((name) => locks.lock(name).name);
  return hows.map((how, index) => {
    const [first, second] = [names[index]!, names[1 - index]!];
    return threads[index]!.run<Part, Outcome>(takeBoth, {
      how,
      first,
      second,
      policy,
      timeout,
      interval,
      met,
    });
  });
}

const pairs: [How, How][] = [
  ['withLock', 'withLock'],
  ['withLock', 'blocking'],
  ['blocking', 'blocking'],
  ['bare', 'bare'],
  ['bare', 'blocking'],
];

describe.each(pairs)(
  'Two threads that take two locks in opposite orders, one by %s, one by %s',
  (...hows) => {
    const isCertain = !hows.includes('bare');

    test('are told of, each of them and who listens elsewhere, once', async () => {
      const threads = [await startThread(), await startThread()];
      const { locks, told } = newLocks();
      const ends = start(threads, hows, locks, 'report', 1500);
      const report = await nextDeadlock(locks);
      expect(report.certain).toBe(isCertain);
      expect(inShort(report)).toEqual(['lock a, lock b', 'lock b, lock a']);
      const ids = threads.map(({ worker }) => worker.threadId).sort();
      expect(report.members.map(({ owner }) => owner.thread).sort()).toEqual(ids);
      const results = await Promise.all(ends);
      expect(results.map(({ code }) => code)).toContain('ERR_LOCK_TIMEOUT');
      expect(told).toHaveLength(1);
      for (const [index, { heard }] of results.entries()) {
        // Of two that block, it is the last one who finds it.
        if (hows[index] === 'blocking') expect(heard.length).toBeLessThanOrEqual(1);
        else expect(heard.map(inShort)).toEqual([inShort(report)]);
      }
      await Promise.all(threads.map((thread) => thread.terminate()));
    });

    test('are told apart by the policy error, if it is certain', async () => {
      const threads = [await startThread(), await startThread()];
      const { locks } = newLocks();
      const ends = start(threads, hows, locks, 'error', isCertain ? undefined : 1000);
      const codes = (await Promise.all(ends)).map(({ code }) => code);
      if (isCertain) expect(codes.sort()).toEqual(['ERR_LOCK_DEADLOCK', undefined]);
      else expect(codes).not.toContain('ERR_LOCK_DEADLOCK');
      for (const name of ['a', 'b']) expect(await locks.lock(name).isLocked()).toBe(false);
      await Promise.all(threads.map((thread) => thread.terminate()));
    });
  },
);

test('A reader waits for a writer of another thread who stands before it', async () => {
  const [writer, reader] = [await startThread(), await startThread()];
  const { locks } = newLocks();
  const [db, a] = [locks.readLock('db'), locks.lock('a')];
  const names = { db: db.name, a: a.name };
  let goOn = (): void => undefined;
  const going = new Promise<void>((resolve) => (goOn = resolve));
  const own = db.withLock(async () => {
    await going;
    await a.withLock(() => undefined, { timeout: 2000 }).catch(() => undefined);
  });
  const writing = writer.run(async ({ LockManager }, { db }) => {
    await new LockManager().writeLock(db).withLock(() => undefined);
  }, names);
  // It waits a moment before it stands in the queue, where no reader passes it any more.
  const isRefused = (): Promise<boolean> =>
    reader.run(async ({ LockManager }, { db }) => {
      const guard = await new LockManager().readLock(db).tryAcquire();
      await guard?.release();
      return guard === null;
    }, names);
  await until(isRefused, 'the writer queues');
  const reading = reader.run(async ({ LockManager }, { db, a }) => {
    const locks = new LockManager();
    await locks.lock(a).withLock(() => locks.readLock(db).withLock(() => undefined));
  }, names);
  await until(async () => (await db.info()).waiters === 2, 'the reader queues');
  const next = nextDeadlock(locks);
  goOn();
  const report = await next;
  expect(report.certain).toBe(true);
  expect(inShort(report)).toEqual(['lock a, read db', 'queues for db, write db', 'read db, lock a']);
  const threads = report.members.map(({ owner, isQueued }) => [owner.thread, isQueued]);
  expect(threads).toContainEqual([writer.worker.threadId, true]);
  await Promise.all([own, writing, reading]);
});

test('Threads that hardly ever look by themselves are asked', async () => {
  const threads = [await startThread(), await startThread()];
  const { locks } = newLocks();
  const ends = start(threads, ['withLock', 'withLock'], locks, 'report', 1500, 60_000);
  let found: DeadlockReport[] = [];
  await until(async () => (found = await locks.detectDeadlocks()).length > 0, 'it is found');
  expect(found).toHaveLength(1);
  expect(found[0]!.certain).toBe(true);
  await Promise.all(ends);
  expect(await locks.detectDeadlocks()).toEqual([]);
});

test('A thread that blocks tells what it knows of the others', async () => {
  const threads = [await startThread(), await startThread()];
  const { locks } = newLocks();
  const ends = start(threads, ['blocking', 'blocking'], locks, 'report', 1500);
  const report = await nextDeadlock(locks);
  // It was told in time where at least one of them waits.
  const known = report.members.filter(({ waitsFor }) => waitsFor.where !== undefined);
  expect(known.length).toBeGreaterThan(0);
  for (const { waitsFor } of known) expect(waitsFor.since).toBeLessThanOrEqual(Date.now());
  await Promise.all(ends);
});

describe('Two processes of a shared memory', () => {
  const open = (path: string) => sharedMemoryBackend(path, { locks: 16, threads: 8 });

  interface Opposed extends Record<'path' | 'first' | 'second' | 'how' | 'policy', string> {
    timeout?: number;
  }
  type End = Awaited<ReturnType<typeof part>>;

  /** In a process: as takeBoth, and told by a flag that the other one has its first lock. */
  const part = async (
    { LockManager, sharedMemoryBackend }: typeof import('mortise'),
    { path, first, second, how, policy, timeout = 3000 }: Opposed,
  ) => {
    const backend = sharedMemoryBackend(path, { locks: 16, threads: 8 });
    const locks = new LockManager({ backend, deadlocks: policy as 'report' });
    const heard: DeadlockReport[] = [];
    locks.on('deadlock', (report) => heard.push(report));
    const meet = async (): Promise<void> => {
      while (!(await locks.lock(second).isLocked())) await new Promise((resolve) => setImmediate(resolve));
    };
    const outcome = locks.lock(first).withLock(async () => {
      await meet();
      if (how === 'blocking') locks.lock(second).acquireSync({ timeout }).release();
      else await locks.lock(second).withLock(() => undefined, { timeout });
      return undefined;
    });
    const code = await outcome.catch((error: unknown) => (error as { code: string }).code);
    return { code, heard, pid: process.pid };
  };

  test.each(['withLock', 'blocking'])(
    'that take two locks in opposite orders, by %s, are told of',
    async (how) => {
      const path = newRegion();
      open(path);
      const both = [Process.fork(), Process.fork()];
      const ends = await Promise.all([
        both[0]!.run(part as never, { path, first: 'a', second: 'b', how, policy: 'report' }),
        both[1]!.run(part as never, { path, first: 'b', second: 'a', how, policy: 'report' }),
      ] as ReturnType<typeof part>[]);
      const heard = ends.flatMap((end) => end.heard);
      expect(heard.length).toBeGreaterThan(0);
      for (const report of heard) {
        expect(report.certain).toBe(true);
        expect(inShort(report)).toEqual(['lock a, lock b', 'lock b, lock a']);
        expect(report.members.map(({ owner }) => owner.process).sort()).toEqual(
          ends.map(({ pid }) => pid).sort(),
        );
      }
      for (const end of ends) expect(end.heard.length).toBeLessThanOrEqual(1);
      if (how === 'withLock') expect(heard).toHaveLength(2);
    },
  );

  test.each(['withLock', 'blocking'])('are told apart, by %s', async (how) => {
    const path = newRegion();
    open(path);
    const both = [Process.fork(), Process.fork()];
    const ends = await Promise.all([
      both[0]!.run(part as never, { path, first: 'a', second: 'b', how, policy: 'error' }),
      both[1]!.run(part as never, { path, first: 'b', second: 'a', how, policy: 'error' }),
    ] as ReturnType<typeof part>[]);
    expect(ends.map(({ code }) => code).sort()).toEqual(['ERR_LOCK_DEADLOCK', undefined]);
  });

  test.each(['withLock', 'blocking'])(
    'are told apart, by %s, whatever killed ones have told of the same locks',
    async (how) => {
      const path = newRegion();
      const locks = new LockManager({ backend: open(path) });
      const cross = (both: Process[], how: string, policy: string): Promise<End>[] =>
        both.map((process, index) => {
          const [first, second] = ['ab'[index]!, 'ba'[index]!];
          return process.run<Opposed, End>(part, { path, first, second, how, policy, timeout: 20_000 });
        });
      const dead = [Process.fork(), Process.fork()];
      const leftovers = dead.map(({ pid }) => `${pid}.0.json`).sort();
      const left = (): string[] => readdirSync(`${path}.waits`).filter((name) => leftovers.includes(name));
      for (const end of cross(dead, 'withLock', 'report')) end.catch(() => undefined);
      await until(async () => (await locks.detectDeadlocks()).length > 0, 'it is found');
      await Promise.all(dead.map((process) => process.kill()));
      expect(left().sort()).toEqual(leftovers);
      const ends = await Promise.all(cross([Process.fork(), Process.fork()], how, 'error'));
      expect(ends.map(({ code }) => code).sort()).toEqual(['ERR_LOCK_DEADLOCK', undefined]);
      // They were there all the time.
      expect(left().sort()).toEqual(leftovers);
    },
  );

  test('are found by one that asks, until one of them dies', async () => {
    const path = newRegion();
    const locks = new LockManager({ backend: open(path) });
    const told = listen(locks);
    const both = [Process.fork(), Process.fork()];
    for (const [index, first] of ['a', 'b'].entries())
      both[index]!.abandon(
        async ({ LockManager, sharedMemoryBackend }, { path, first, second }) => {
          const locks = new LockManager({ backend: sharedMemoryBackend(path, { locks: 16, threads: 8 }) });
          await locks.lock(first).withLock(async () => {
            while (!(await locks.lock(second).isLocked()))
              await new Promise((resolve) => setImmediate(resolve));
            await locks.lock(second).withLock(() => undefined);
          });
        },
        { path, first, second: first === 'a' ? 'b' : 'a' },
      );
    let found: DeadlockReport[] = [];
    await until(async () => (found = await locks.detectDeadlocks()).length > 0, 'it is found');
    expect(found.map(inShort)).toEqual([['lock a, lock b', 'lock b, lock a']]);
    await both[0]!.kill();
    await until(async () => (await locks.detectDeadlocks()).length === 0, 'it is over');
    expect(told.length).toBeLessThanOrEqual(1);
  });
});
