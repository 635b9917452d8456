/** Deadlocks among the tasks of one thread, and what their managers are told. */
import { subscribe, unsubscribe } from 'node:diagnostics_channel';
import { join } from 'node:path';
import { describe, expect, onTestFinished, test } from 'vitest';
import {
  DeadlockError,
  LockManager,
  Semaphore,
  fileBackend,
  locked,
  memoryBackend,
  type LockScope,
} from 'mortise';
import { runFixture } from '../fixtures/child.ts';
import { codesOf, inShort, listen, meeting, newLocks, nextDeadlock } from '../fixtures/manager/deadlocks.ts';
import { folder } from '../fixtures/space-open/region.ts';
import { until } from '../fixtures/until.ts';

/** Long enough for any look, short enough to end a test. */
const WHILE = 1000;
/** Looks that take their time on a busy machine. */
const PATIENCE = 900;

/** Two tasks that take two locks in opposite orders; the second one gives up after a while. */
function cross(locks: LockScope, timeout = WHILE): Promise<unknown>[] {
  const met = meeting(2);
  const task = (first: string, second: string): Promise<unknown> =>
    locks.lock(first).withLock(async () => {
      await met();
      return locks.lock(second).withLock(() => 'both', { timeout });
    });
  return [task('a', 'b'), task('b', 'a')];
}

describe('A deadlock of two tasks', () => {
  test('is told of once, with all that is known of it', async () => {
    const { locks, told } = newLocks();
    const before = Date.now();
    const tasks = cross(locks);
    const report = await nextDeadlock(locks);
    expect(inShort(report)).toEqual(['lock a, lock b', 'lock b, lock a']);
    expect(report.certain).toBe(true);
    expect(new Set(report.members.map(({ owner }) => owner.task)).size).toBe(2);
    for (const { owner, waitsFor, holds, isQueued } of report.members) {
      expect(owner).toMatchObject({
        process: process.pid,
        task: expect.any(Number),
        host: expect.any(String),
      });
      expect(isQueued).toBe(false);
      for (const use of [waitsFor, holds]) {
        expect(use).toMatchObject({ mode: 'lock', weight: 1, backend: 'memory' });
        expect(use.since).toBeGreaterThanOrEqual(before);
        expect(use.since).toBeLessThanOrEqual(Date.now());
        expect(use.where).toMatch(/^ {4}at .*deadlock\.test\.ts/);
        expect(use.where).not.toMatch(/mortise|attended|node:/);
      }
    }
    await codesOf(tasks);
    expect(told).toEqual([report]);
  });

  test('is told of within the interval', async () => {
    for (const deadlockInterval of [100, 40]) {
      const { locks } = newLocks({ deadlockInterval });
      const next = nextDeadlock(locks);
      const tasks = cross(locks, 300);
      const { members } = await next;
      const begun = Math.max(...members.map(({ waitsFor }) => waitsFor.since!));
      // Twice as long, for a busy machine.
      expect(Date.now() - begun).toBeLessThan(2 * deadlockInterval);
      await codesOf(tasks);
    }
  });

  test('is found when it is asked for, until it ends', async () => {
    const { locks } = newLocks({ deadlockInterval: 60_000 });
    expect(await locks.detectDeadlocks()).toEqual([]);
    const tasks = cross(locks);
    for (let times = 0; times < 2; times++)
      expect((await locks.detectDeadlocks()).map(inShort)).toEqual([['lock a, lock b', 'lock b, lock a']]);
    await codesOf(tasks);
    expect(await locks.detectDeadlocks()).toEqual([]);
  });

  test('is left to its time limits by the policy report', async () => {
    const { locks } = newLocks({ deadlocks: 'report' });
    const codes = await codesOf(cross(locks, 300));
    expect(codes).toContain('ERR_LOCK_TIMEOUT');
    expect(codes).not.toContain('ERR_LOCK_DEADLOCK');
  });

  test('is ended by the policy error, for the one that began to wait last', async () => {
    const { locks, told } = newLocks({ deadlocks: 'error' });
    const met = meeting(2);
    let isFirst = false;
    const first = locks.lock('a').withLock(async () => {
      await met();
      const second = locks.lock('b').withLock(() => 'both');
      isFirst = true;
      return second;
    });
    const last = locks.lock('b').withLock(async () => {
      await met();
      await until(() => isFirst, 'the other one waits');
      return locks.lock('a').withLock(() => 'both');
    });
    const error: unknown = await last.catch((reason: unknown) => reason);
    expect(error).toBeInstanceOf(DeadlockError);
    expect(error).toMatchObject({ code: 'ERR_LOCK_DEADLOCK' });
    expect((error as Error).message).toMatch(/a'? would be waited for.*holds '.*:a' and waits for '.*:b'/);
    expect(await first).toBe('both');
    expect(told).toHaveLength(1);
    for (const name of ['a', 'b']) expect(await locks.lock(name).isLocked()).toBe(false);
  });

  test('is nobody’s business with the policy off', async () => {
    const { locks, told } = newLocks({ deadlocks: 'off' });
    const tasks = cross(locks, 300);
    expect(await locks.detectDeadlocks()).toEqual([]);
    await codesOf(tasks);
    expect(told).toEqual([]);
  });

  test('is told on the channel mortise:deadlock', async () => {
    const { locks, told } = newLocks();
    const heard: unknown[] = [];
    const note = (message: unknown): void => void heard.push(message);
    subscribe('mortise:deadlock', note);
    onTestFinished(() => void unsubscribe('mortise:deadlock', note));
    await codesOf(cross(locks, 300));
    expect(heard).toEqual(told);
    expect(heard).toHaveLength(1);
  });

  test('is told to scopes that have one of its names, and to managers of the same backend', async () => {
    const { locks } = newLocks();
    const other = listen(new LockManager().scope('somebody else'));
    const elsewhere = listen(new LockManager({ backend: fileBackend(join(folder, 'elsewhere')) }));
    const all = listen(new LockManager({ backend: memoryBackend() }));
    await codesOf(cross(locks, 300));
    expect([all.length, other.length, elsewhere.length]).toEqual([1, 0, 0]);
  });
});

describe('Found as well are', () => {
  test('five philosophers, as one cycle', async () => {
    const { locks } = newLocks({ deadlocks: 'error' });
    const met = meeting(5);
    const philosophers = [0, 1, 2, 3, 4].map((seat) =>
      locks.lock(`${seat}`).withLock(async () => {
        await met();
        return locks.lock(`${(seat + 1) % 5}`).withLock(() => 'eats');
      }),
    );
    const report = await nextDeadlock(locks);
    expect(report.members).toHaveLength(5);
    const codes = await codesOf(philosophers);
    expect(codes.filter((code) => code === 'ERR_LOCK_DEADLOCK')).toHaveLength(1);
    expect(codes.filter((code) => code === undefined)).toHaveLength(4);
  });

  test('a wrapped function that calls itself under the same lock', async () => {
    const { locks } = newLocks({ deadlocks: 'error' });
    const again: (depth: number) => Promise<string> = locked('a', { manager: locks })(
      async (depth: number) => (depth === 0 ? 'done' : again(depth - 1)),
    );
    await expect(again(1)).rejects.toThrow(DeadlockError);
    expect(await again(0)).toBe('done');
  });

  test('two readers who both want to write', async () => {
    const { locks } = newLocks();
    const met = meeting(2);
    const tasks = [1, 2].map(() =>
      locks.readLock('db').withLock(async () => {
        await met();
        return locks.writeLock('db').withLock(() => undefined, { timeout: WHILE });
      }),
    );
    const report = await nextDeadlock(locks);
    expect(report.certain).toBe(true);
    // Each waits for its own read hold at least.
    for (const { holds, waitsFor } of report.members)
      expect([holds.mode, waitsFor.mode]).toEqual(['read', 'write']);
    await codesOf(tasks);
  });

  test('a reader behind a writer who waits for another reader', async () => {
    const { locks } = newLocks();
    const [met, goOn] = [meeting(3), meeting(3)];
    const first = locks.readLock('db').withLock(async () => {
      await met();
      await goOn();
      return locks.lock('a').withLock(() => undefined, { timeout: WHILE });
    });
    const second = locks.lock('a').withLock(async () => {
      await met();
      await goOn();
      return locks.readLock('db').withLock(() => undefined, { timeout: WHILE });
    });
    await met();
    const writing = locks.writeLock('db').withLock(() => undefined, { timeout: WHILE });
    await goOn();
    const report = await nextDeadlock(locks);
    expect(report.certain).toBe(true);
    expect(inShort(report)).toEqual(['lock a, read db', 'queues for db, write db', 'read db, lock a']);
    await codesOf([first, second, writing]);
  });

  test('permits that together do not suffice', async () => {
    const { locks } = newLocks();
    const met = meeting(2);
    const tasks = [1, 2].map(() =>
      locks.semaphore('pool', 3).withLock(async () => {
        await met();
        return locks.semaphore('pool', 3).withLock(() => undefined, { weight: 2, timeout: WHILE });
      }),
    );
    const report = await nextDeadlock(locks);
    expect(report.members[0]).toMatchObject({ waitsFor: { mode: 'semaphore', weight: 2 } });
    await codesOf(tasks);
  });

  test('acquireAll in the middle of another body', async () => {
    const { locks } = newLocks();
    const guard = await locks.lock('b').acquire();
    const all = locks.lock('z').withLock(() => locks.acquireAll(['a', 'b'], { timeout: WHILE }));
    const other = locks.lock('c').withLock(async () => {
      await until(() => locks.lock('a').isLocked(), 'acquireAll has its first');
      return locks.lock('a').withLock(() => undefined, { timeout: WHILE });
    });
    // Nobody waits for c: no cycle so far.
    expect(await locks.detectDeadlocks()).toEqual([]);
    await guard.release();
    const set = await all;
    await set.release();
    await other;
    const held = locks.lock('b').withLock(async () => {
      const together = locks.acquireAll(['a', 'b'], { timeout: WHILE });
      await until(() => locks.lock('a').isLocked(), 'acquireAll has its first');
      return Promise.all([together, locks.lock('a').withLock(() => undefined, { timeout: WHILE })]);
    });
    const report = await nextDeadlock(locks);
    expect(report.certain).toBe(true);
    await codesOf([held]);
  });

  test('locks in files, and of one’s own', async () => {
    const locks = new LockManager({ backend: fileBackend(join(folder, 'files')) });
    locks.register('own', new Semaphore(1));
    const met = meeting(2);
    const first = locks.lock('file').withLock(async () => {
      await met();
      return locks.semaphore('own', 1).withLock(() => undefined, { timeout: WHILE });
    });
    const second = locks.semaphore('own', 1).withLock(async () => {
      await met();
      return locks.lock('file').withLock(() => undefined, { timeout: WHILE });
    });
    const report = await nextDeadlock(locks);
    expect(inShort(report)).toEqual(['lock file, semaphore own', 'semaphore own, lock file']);
    expect(report.certain).toBe(true);
    await codesOf([first, second]);
  });

  test('bare guards, as possible', async () => {
    for (const options of [{}, { backend: fileBackend(join(folder, 'bare')) }]) {
      const { locks } = newLocks({ ...options, deadlocks: 'error' });
      const [a, b] = [await locks.lock('a').acquire(), await locks.lock('b').acquire()];
      const waiting = ['a', 'b'].map((name) => locks.lock(name).acquire({ timeout: WHILE }));
      const report = await nextDeadlock(locks);
      expect(report.certain).toBe(false);
      expect(report.members.map(({ owner }) => owner.task)).toEqual([undefined, undefined]);
      // Nobody is ended for what is only possible.
      await a.release();
      await b.release();
      for (const guard of await Promise.all(waiting)) await guard.release();
    }
  });
});

describe('No deadlock is', () => {
  async function expectNone(locks: LockScope, told: readonly unknown[]): Promise<void> {
    expect(await locks.detectDeadlocks()).toEqual([]);
    expect(told).toEqual([]);
  }

  test('a cycle that somebody outside can open', async () => {
    const { locks, told } = newLocks();
    const pool = locks.semaphore('pool', 2);
    // One permit of two is held by the task that waits, the other by somebody who does not.
    const outside = await pool.acquire();
    const met = meeting(2);
    const first = pool.withLock(async () => {
      await met();
      return locks.lock('a').withLock(() => 'first');
    });
    const second = locks.lock('a').withLock(async () => {
      await met();
      return pool.withLock(() => 'second');
    });
    await until(async () => (await pool.info()).waiters === 1, 'the second waits');
    await expectNone(locks, told);
    await outside.release();
    expect(await Promise.all([first, second])).toEqual(['first', 'second']);
  });

  test('a queue behind a task that goes on', async () => {
    const { locks, told } = newLocks();
    const held = await locks.lock('b').acquire();
    const tasks = ['a', 'a', 'a'].map((name) =>
      locks.lock(name).withLock(() => locks.lock('b').withLock(() => 1)),
    );
    const readers = [1, 2].map(() => locks.readLock('rw').withLock(() => locks.lock('b').withLock(() => 1)));
    const writer = locks.writeLock('rw').withLock(() => 1);
    const late = locks.readLock('rw').withLock(() => 1);
    await expectNone(locks, told);
    await held.release();
    expect(await Promise.all([...tasks, ...readers, writer, late])).toEqual([1, 1, 1, 1, 1, 1, 1]);
    await expectNone(locks, told);
  });

  test('one bare guard that several wait for', async () => {
    const { locks, told } = newLocks();
    const held = await locks.lock('a').acquire();
    const tasks = [1, 2, 3].map(() => locks.lock('a').withLock(() => 1));
    await expectNone(locks, told);
    await held.release();
    await Promise.all(tasks);
  });

  test('what bare guards hold while one of the waits that may be theirs can go on', async () => {
    const { locks, told } = newLocks();
    const guards = [await locks.lock('a').acquire(), await locks.lock('b').acquire()];
    const goOn = meeting(2);
    const third = locks.lock('c').withLock(goOn);
    const waits = ['a', 'b', 'c'].map((name) => locks.lock(name).acquire());
    await expectNone(locks, told);
    // Then only those are left that may well wait for each other.
    void goOn();
    await third;
    await (await waits[2]!).release();
    expect((await nextDeadlock(locks)).certain).toBe(false);
    for (const guard of guards) await guard.release();
    for (const guard of await Promise.all(waits.slice(0, 2))) await guard.release();
  });

  test('a hold that its body has released early', async () => {
    const { locks, told } = newLocks();
    const met = meeting(2);
    const goOn = meeting(2);
    const first = locks.lock('a').withLock(async (guard) => {
      await met();
      await guard.release();
      return locks.lock('b').withLock(() => 1);
    });
    const second = locks.lock('b').withLock(async () => {
      await met();
      await goOn();
      return locks.lock('a').withLock(() => 1);
    });
    await expectNone(locks, told);
    void goOn();
    expect(await Promise.all([first, second])).toEqual([1, 1]);
  });
});

describe('The search', () => {
  test('tells every listener, whatever another one throws', async () => {
    const { locks, told } = newLocks();
    const failure = new Error('of a listener');
    const listeners = process.listeners('uncaughtException');
    process.removeAllListeners('uncaughtException');
    onTestFinished(() => {
      process.off('uncaughtException', catching);
      for (const listener of listeners) process.on('uncaughtException', listener);
    });
    const thrown: Error[] = [];
    const catching = (error: Error): void => void thrown.push(error);
    process.on('uncaughtException', catching);
    const heard: string[] = [];
    const other = new LockManager();
    const scoped = other.scope(locks.lock('a').name.split(':')[0]!);
    for (const [name, scope] of [
      ['own', locks],
      ['of another manager', scoped],
    ] as const) {
      scope.once('deadlock', () => {
        throw failure;
      });
      scope.on('deadlock', () => heard.push(name));
    }
    const met = meeting(2);
    const both = (first: string, second: string): Promise<unknown> =>
      locks.lock(first).withLock(async () => {
        await met();
        await locks.lock(second).withLock(() => 1, { timeout: 400 });
      });
    await Promise.allSettled([both('a', 'b'), both('b', 'a')]);
    expect(thrown).toEqual([failure, failure]);
    expect(heard.sort()).toEqual(['of another manager', 'own']);
    expect(told).toHaveLength(1);
  });

  test('keeps no process alive', async () => {
    const { stdout, elapsed } = await runFixture('manager/deadlock-exit.mjs');
    expect(stdout).toBe('told\n');
    expect(elapsed).toBeLessThan(20_000);
  });

  test('tells of a long wait, once', async () => {
    const locks = new LockManager({ deadlockThreshold: 30 }).scope(`long ${process.pid}`);
    const guard = await locks.lock('a').acquire();
    const told: unknown[] = [];
    locks.on('long-wait', (report) => told.push(report));
    const waiting = locks.lock('a').acquire();
    await until(() => told.length > 0, 'it is told of', PATIENCE);
    expect(told[0]).toMatchObject({
      owner: { process: process.pid },
      waitsFor: { name: expect.stringMatching(/:a$/) },
    });
    expect((told[0] as { waited: number }).waited).toBeGreaterThanOrEqual(30);
    await locks.detectDeadlocks();
    expect(told).toHaveLength(1);
    await guard.release();
    await (await waiting).release();
  });

  test('has options, which are checked', () => {
    const refuse = (options: object, what: RegExp): void => {
      expect(() => new LockManager(options)).toThrow(what);
    };
    refuse({ deadlocks: 'loud' }, /options\.deadlocks must be 'report', 'error' or 'off', not 'loud'/);
    refuse({ deadlockInterval: 0 }, /options\.deadlockInterval must be 1 to/);
    refuse({ deadlockInterval: Infinity }, /options\.deadlockInterval must be 1 to/);
    refuse({ deadlockInterval: '100' }, /options\.deadlockInterval must be a number/);
    refuse({ deadlockThreshold: NaN }, /options\.deadlockThreshold must be 1 to/);
    refuse({ orderInversions: 1 }, /options\.orderInversions must be true or false/);
    const { locks } = newLocks({ deadlockThreshold: Infinity });
    expect(() => locks.on('deadlocks' as never, () => undefined)).toThrow(/event must be 'deadlock'/);
    expect(() => locks.once('deadlock', 5 as never)).toThrow(/listener must be a function/);
  });
});
