/** SIGKILL of processes that share a space: at every step, while they hold or wait, and at random. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { closeSync, openSync, readFileSync, writeSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { afterEach, describe, expect, test } from 'vitest';
import { Space, type SyncGuard } from 'mortise';
import { runFixture } from './fixtures/child.ts';
import { endProcesses, Process } from './fixtures/process.ts';
import { newRegion } from './fixtures/space-open/region.ts';
import { endThreads, startThread } from './fixtures/thread.ts';
import { until } from './fixtures/until.ts';
import { ProcessStress, processFailures } from './stress/processes.mjs';

afterEach(endProcesses);
afterEach(endThreads);

const program = fileURLToPath(new URL('./fixtures/space-open/steps.mjs', import.meta.url));
const PERMITS = 3;
/** A retry more or less depends on the time. */
const STOPPED = /^(stopped before \w+|\d+ steps)$/m;

/** How many steps there are. */
async function countSteps(region: string, what: string): Promise<number> {
  const { stdout, stderr } = await runFixture('space-open/steps.mjs', [region, what]);
  expect(stderr).toBe('');
  return Number(/^(\d+) steps$/m.exec(stdout)![1]);
}

/** Runs a process and kills it before its so many-th step. Returns what it was about to do. */
async function killBefore(step: number, region: string, what: string): Promise<string> {
  const child = spawn(process.execPath, [program, region, what, String(step)], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  let text = '';
  child.stdout.setEncoding('utf8').on('data', (more: string) => {
    text += more;
    child.kill('SIGKILL');
  });
  await once(child, 'close');
  return text;
}

/** Everything that `steps.mjs` uses can be had, and there is room for no more. */
function expectAllFree(region: string): void {
  const space = Space.open(region);
  const semaphore = space.semaphore('semaphore', PERMITS);
  const table = space.readWriteLock('table');
  const locks = [space.mutex('mutex'), space.mutex('name'), table.writer, table.reader];
  for (const lock of locks) lock.acquireSync({ timeout: 2000 }).release();
  semaphore.acquireSync({ weight: PERMITS, timeout: 2000 }).release();
  expect(semaphore.availableSync()).toBe(PERMITS);
  for (const { stats } of [semaphore, table].map((it) => ({ stats: it.stats() })))
    expect(stats).toMatchObject({ holders: 0, waiters: 0 });
}

/** Calls `each` with every number up to `last`, a few at a time. */
async function forEachStep(last: number, each: (step: number) => Promise<void>): Promise<void> {
  let step = 1;
  const goOn = async (): Promise<void> => {
    while (step <= last) await each(step++);
  };
  await Promise.all([goOn(), goOn(), goOn()]);
}

describe('A process that is killed', () => {
  test('while it makes a region, before any step, leaves a file that the next one makes a region of', async () => {
    const last = await countSteps(newRegion(), 'open');
    const told = new Set<string>();
    await forEachStep(last, async (step) => {
      const region = newRegion();
      told.add(await killBefore(step, region, 'open'));
      Space.open(region, { locks: 4, threads: 3 });
      expectAllFree(region);
    });
    for (const name of ['mkdirSync', 'openSync', 'flock', 'writeSync', 'lifeInit', 'lifeHold', 'store'])
      expect(told).toContain(`stopped before ${name}\n`);
  }, 120_000);

  test.each(['that nobody uses', 'that others use'])(
    'while it opens a region %s, before any step, has no place in it',
    async (which) => {
      const region = newRegion();
      await countSteps(region, 'open');
      const others = which === 'that others use' ? Space.open(region) : undefined;
      const last = await countSteps(region, 'open');
      for (let step = 1; step <= last; step++) {
        expect(await killBefore(step, region, 'open')).toMatch(STOPPED);
        // There is room for three threads: whoever left one behind would be found out soon.
        if (others === undefined) await countSteps(region, 'open');
        else expectAllFree(region);
      }
      expectAllFree(region);
    },
    120_000,
  );

  test.each(['mutex', 'semaphore', 'read-write lock', 'name'])(
    'before any step of the queue of a lock (%s) leaves it free',
    async (what) => {
      const first = newRegion();
      Space.open(first, { locks: 4, threads: 3 });
      const last = await countSteps(first, what);
      await forEachStep(last, async (step) => {
        // Of its own: in a latch, a process that is stopped, and not dead yet, keeps everybody waiting.
        const region = newRegion();
        Space.open(region, { locks: 4, threads: 3 });
        expect(await killBefore(step, region, what)).toMatch(STOPPED);
        expectAllFree(region);
      });
    },
    120_000,
  );
});

describe('What a process that is killed', () => {
  /** Takes all locks of a region in a process, and is killed while it holds them. */
  async function holder(region: string): Promise<Process> {
    const holder = Process.fork();
    await holder.run(({ Space, guards }, region) => {
      const space = Space.open(region);
      guards.set('mutex', space.mutex('mutex').acquireSync());
      guards.set('semaphore', space.semaphore('semaphore', 3).acquireSync({ weight: 2 }));
      guards.set('written', space.readWriteLock('written').acquireWriteSync());
      guards.set('read', space.readWriteLock('read').acquireReadSync());
    }, region);
    return holder;
  }

  const small = { locks: 4, threads: 8 };

  test('held, passes on to those who wait: blocking and async, here and in other processes', async () => {
    const region = newRegion();
    const space = Space.open(region, small);
    const dying = await holder(region);
    const [blocking, asynchronous, thread] = [Process.fork(), Process.fork(), await startThread()];
    const waits = [
      blocking.run(({ Space }, region) => {
        const guard = Space.open(region).mutex('mutex').acquireSync();
        return [guard.abandoned, guard.release()];
      }, region),
      asynchronous.run(async ({ Space }, region) => {
        const guard = await Space.open(region).readWriteLock('written').acquireWrite();
        return [guard.abandoned, guard.release()];
      }, region),
      thread.run(({ Space }, region) => {
        const guard = Space.open(region).semaphore('semaphore', 3).acquireSync({ weight: 2 });
        return [guard.abandoned, guard.release()];
      }, region),
      space
        .readWriteLock('read')
        .acquireWrite()
        .then((guard) => [guard.abandoned, guard.release()]),
    ];
    const locks = [
      space.mutex('mutex'),
      space.readWriteLock('written'),
      space.semaphore('semaphore', 3),
      space.readWriteLock('read'),
    ];
    await until(() => locks.every((lock) => lock.stats().waiters === 1), 'all wait');
    const begin = performance.now();
    await dying.kill();
    expect(await Promise.all(waits)).toEqual([
      [true, true],
      [true, true],
      [false, true],
      [false, true],
    ]);
    // Whoever waits looks every 20 ms; the rest is for a busy machine.
    expect(performance.now() - begin).toBeLessThan(1000);
    expect(locks.map((lock) => lock.stats().abandoned)).toEqual([1, 1, 1, 1]);
  });

  test('held, can be had by those who only try', async () => {
    const region = newRegion();
    const space = Space.open(region, small);
    await (await holder(region)).kill();
    const taken: (SyncGuard | null)[] = [
      space.mutex('mutex').tryAcquireSync(),
      space.semaphore('semaphore', 3).tryAcquireSync({ weight: 3 }),
      space.readWriteLock('written').reader.tryAcquireSync(),
      space.readWriteLock('read').writer.tryAcquireSync(),
    ];
    expect(taken.map((guard) => guard?.abandoned)).toEqual([true, false, true, false]);
    for (const guard of taken) guard?.release();
  });

  test('held, is not held any more for those who come later', async () => {
    const region = newRegion();
    const dying = Process.fork();
    await dying.run(({ Space, guards }, region) => {
      guards.set('mutex', Space.open(region, { locks: 4, threads: 8 }).mutex('mutex').acquireSync());
    }, region);
    await dying.kill();
    const mutex = Space.open(region).mutex('mutex');
    expect(mutex.isLockedSync()).toBe(false);
    using guard = mutex.acquireSync({ timeout: 0 });
    expect(guard.abandoned).toBe(true);
  });

  test('waited for, goes to those behind it', async () => {
    const region = newRegion();
    const semaphore = Space.open(region, small).semaphore('semaphore', 3);
    const guard = semaphore.acquireSync({ weight: 2 });
    for (const wait of ['acquire', 'acquireSync'] as const) {
      const dying = Process.fork();
      dying.abandon(
        ({ Space }, { region, wait }) => Space.open(region).semaphore('semaphore', 3)[wait]({ weight: 3 }),
        { region, wait },
      );
      await until(() => semaphore.infoSync().waiters === 1, 'it waits');
      // First in, first out: nobody passes a living one.
      const behind = semaphore.acquire();
      await expect(semaphore.acquire({ timeout: 30 })).rejects.toMatchObject({ code: 'ERR_LOCK_TIMEOUT' });
      await dying.kill();
      expect((await behind).release()).toBe(true);
    }
    expect(semaphore.infoSync()).toMatchObject({ holders: 1, waiters: 0 });
    guard.release();
  });

  test('held in a worker of its own, passes on as well', async () => {
    const region = newRegion();
    const mutex = Space.open(region, small).mutex('mutex');
    const dying = Process.fork();
    await dying.run(async ({ Worker, self }, region) => {
      const worker = new Worker(new URL('./thread.mjs', self));
      const held = new Promise((resolve) => worker.once('message', resolve));
      const source = (
        { Space, guards }: typeof import('mortise') & { guards: Map<string, unknown> },
        region: string,
      ) => void guards.set('mutex', Space.open(region).mutex('mutex').acquireSync());
      worker.postMessage({ id: 1, source: source.toString(), argument: region });
      await held;
    }, region);
    expect(mutex.infoSync().owner).toMatch(`thread 1 of process ${dying.pid}`);
    await dying.kill();
    using guard = mutex.acquireSync({ timeout: 2000 });
    expect(guard.abandoned).toBe(true);
  });

  test('and is only stopped, holds on to', async () => {
    const region = newRegion();
    const mutex = Space.open(region, small).mutex('mutex');
    const stopped = await holder(region);
    process.kill(stopped.pid, 'SIGSTOP');
    await expect(mutex.acquire({ timeout: 100 })).rejects.toMatchObject({ code: 'ERR_LOCK_TIMEOUT' });
    process.kill(stopped.pid, 'SIGCONT');
    expect(await stopped.run(({ guards }) => guards.get('mutex')!.release(), undefined)).toBe(true);
    mutex.acquireSync({ timeout: 2000 }).release();
  });
});

test('A machine that stopped leaves no lives: nobody uses the file, so they are made anew', async () => {
  const region = newRegion();
  const dying = Process.fork();
  await dying.run(({ Space, guards }, region) => {
    guards.set('mutex', Space.open(region, { locks: 4, threads: 8 }).mutex('mutex').acquireSync());
  }, region);
  // What is on the disk when the power fails: the kernel has not told of anybody's death.
  const bytes = readFileSync(region);
  await dying.kill();
  const fd = openSync(region, 'r+');
  writeSync(fd, bytes);
  closeSync(fd);
  using guard = Space.open(region).mutex('mutex').acquireSync({ timeout: 2000 });
  expect(guard.abandoned).toBe(true);
});

test('Processes killed at random take nothing with them (a short run of `npm run stress -- --processes`)', async () => {
  const seed = (Math.random() * 2 ** 31) | 0;
  console.log(`processes seed ${seed}`);
  const result = await new ProcessStress({ seed, processes: 3 }).run({
    seconds: 8,
    // It has tried what it is for.
    enough: ({ kills, sections, abandoned }) => kills > 10 && sections > 1000 && abandoned > 0,
  });
  expect(processFailures(result, { maxStall: 1000 })).toEqual([]);
  expect(result.kills).toBeGreaterThan(10);
  expect(result.sections).toBeGreaterThan(1000);
  expect(result.abandoned).toBeGreaterThan(0);
}, 120_000);
