/** The places of a region: one for each thread that uses it, which come back, under an id that nobody had before. */
import { closeSync, openSync, statSync } from 'node:fs';
import { isDeepStrictEqual } from 'node:util';
import { afterEach, describe, expect, test } from 'vitest';
import { Space } from 'mortise';
import { native } from '../dist/native.js';
import { MAX_THREADS, THREAD_INCARNATION, idOf, indexOf, threadAt } from '../dist/space/layout.js';
import { endProcesses, Process, type ProcessTools } from './fixtures/process.ts';
import { newRegion } from './fixtures/space-open/region.ts';
import { endThreads, startThread } from './fixtures/thread.ts';
import { until } from './fixtures/until.ts';

afterEach(endProcesses);
afterEach(endThreads);

/** A thread or a process. */
interface User {
  run(
    body: (tools: Pick<ProcessTools, 'Space' | 'guards'>, path: string) => number,
    path: string,
  ): Promise<number>;
}

describe('A region with eight places', () => {
  test('refuses the ninth thread, disturbs nobody, and has a place for it when a process was killed', async () => {
    const path = newRegion();
    const threads = await Promise.all(Array.from({ length: 5 }, () => startThread()));
    const processes = Array.from({ length: 4 }, () => Process.fork());
    const users: User[] = [...threads, ...processes];
    const takes: Parameters<User['run']>[0] = ({ Space, guards }, path) => {
      const semaphore = Space.open(path, { locks: 2, threads: 8 }).semaphore('seats', 9);
      guards.set('seat', semaphore.acquireSync());
      return semaphore.availableSync();
    };
    const outcomes = await Promise.allSettled(users.map((user) => user.run(takes, path)));
    const taken = outcomes.flatMap((it) => (it.status === 'fulfilled' ? [it.value] : []));
    expect(Math.min(...taken)).toBe(1);
    const refused = outcomes.flatMap((it, index) => (it.status === 'rejected' ? [index] : []));
    expect(refused).toHaveLength(1);
    const [ninth] = refused.map((index) => users[index]!);
    for (let again = 0; again < 3; again++)
      await expect(ninth!.run(takes, path)).rejects.toMatchObject({
        code: 'ERR_SPACE_FULL',
        message: expect.stringContaining(`the space ${path} has room for 8 threads, and all are in use`),
      });

    const dying = processes.find((it) => it !== ninth)!;
    await dying.kill();
    expect(await ninth!.run(takes, path)).toBe(1);
    const lets: Parameters<User['run']>[0] = ({ guards }) => Number(guards.get('seat')!.release());
    for (const user of users) if (user !== dying) expect(await user.run(lets, path)).toBe(1);
  });

  test('has them for one process after another, and what each left behind', async () => {
    const path = newRegion();
    const semaphore = Space.open(path, { locks: 2, threads: 2 }).semaphore('seats', 3);
    for (let times = 0; times < 5; times++) {
      const user = Process.fork();
      await user.run(({ Space, guards }, path) => {
        guards.set('seat', Space.open(path).semaphore('seats', 3).acquireSync({ weight: 3 }));
      }, path);
      await user.kill();
    }
    expect(semaphore.availableSync()).toBe(3);
  });
});

describe('The id of a place', () => {
  const moments = [
    0,
    1,
    2 ** 14 - 2,
    2 ** 14 - 1,
    2 ** 14,
    2 ** 31 - 2,
    2 ** 31 - 1,
    -(2 ** 31),
    -(2 ** 31) + 1,
    -1,
  ];

  test("is nobody else's, and that of the place, however often that was given to others", () => {
    for (const incarnation of moments) {
      const ids = Array.from({ length: MAX_THREADS + 1 }, (_, index) => idOf(index, incarnation));
      expect(new Set(ids).size).toBe(MAX_THREADS + 1);
      expect(ids.map(indexOf)).toEqual([...ids.keys()]);
      expect(ids.every((id) => id > 0 && id < 2 ** 24)).toBe(true);
    }
  });

  test('is not that of any of the 16,383 threads before, also where the number of incarnations wraps', () => {
    for (const first of moments) {
      const ids = new Set<number>();
      // As the memory keeps it.
      for (let more = 0; more < 2 ** 14; more++) ids.add(idOf(5, (first + more) | 0));
      expect(ids.size).toBe(2 ** 14);
    }
  });

  test.each([2 ** 14 - 1, 2 ** 31 - 1])('after incarnation %i is not that of the dead', async (last) => {
    const path = newRegion();
    const mutex = Space.open(path, { locks: 2, threads: 2 }).mutex('db');
    const words = wordsOf(path);
    // The second place, and the spare one.
    for (const index of [1, 2]) Atomics.store(words, threadAt(index) + THREAD_INCARNATION, last - 1);
    const ids = [];
    for (let times = 0; times < 3; times++) {
      const user = Process.fork();
      const found = await user.run(({ Space, guards }, path) => {
        const mutex = Space.open(path).mutex('db');
        const isOwned = mutex.isOwnedSync();
        const guard = mutex.acquireSync({ timeout: 10_000 });
        guards.set('db', guard);
        return [isOwned, guard.abandoned];
      }, path);
      expect(found).toEqual([false, times > 0]);
      ids.push(idOf(1, Atomics.load(words, threadAt(1) + THREAD_INCARNATION)));
      await user.kill();
    }
    expect(ids).toEqual([last, last + 1, last + 2].map((incarnation) => idOf(1, incarnation)));
    expect(new Set(ids).size).toBe(3);
    using guard = mutex.acquireSync({ timeout: 10_000 });
    expect(guard.abandoned).toBe(true);
  });
});

test('Hundreds of regions, opened, waited for and dropped, leave nothing in a process', async () => {
  const path = newRegion();
  const user = Process.fork();
  const open = async ({ Space, fs }: ProcessTools, path: string): Promise<void> => {
    for (let number = 0; number < 300; number++) {
      const mutex = Space.open(`${path}-${number}`, { locks: 2, threads: 2 }).mutex('db');
      const guard = mutex.acquireSync();
      const waiting = mutex.acquire();
      await null;
      guard.release();
      (await waiting).release();
      fs.rmSync(`${path}-${number}`);
    }
  };
  const look = async ({ fs }: ProcessTools, path: string): Promise<Record<string, number>> => {
    globalThis.gc!();
    await new Promise((resolve) => setImmediate(resolve));
    const maps = fs.readFileSync('/proc/self/maps', 'utf8').split('\n');
    return {
      mappings: maps.filter((line) => line.includes(path)).length,
      descriptors: fs.readdirSync('/proc/self/fd').length,
      threads: fs.readdirSync('/proc/self/task').length,
    };
  };
  const before = await user.run(look, path);
  await user.run(open, path);
  await until(async () => isDeepStrictEqual(await user.run(look, path), before), 'all has gone');
});

function wordsOf(path: string): Int32Array {
  const fd = openSync(path, 'r+');
  try {
    return new Int32Array(native().map(fd, statSync(path).size));
  } finally {
    closeSync(fd);
  }
}
