/**
 * What every lock of the package promises, as a suite that is run for each of them.
 */
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { LockError, LockTimeoutError } from 'mortise';
import type { LockStats, SyncGuard, SyncLock } from 'mortise';
import { expectRefused } from './guards.ts';
import { endThreads, startThread, type Thread } from '../fixtures/thread.ts';
import { until, words } from '../fixtures/until.ts';
import { rejection } from '../fixtures/rejection.ts';

/** A lock of its own for each test. */
export interface Subject {
  /** What is tested. */
  lock: SyncLock;
  /** Whose hold by anybody keeps `lock` from being acquired: mostly `lock` itself, for a reader the writer. */
  blocker: SyncLock;
  /** Opens as the lock in another thread, */
  handle: object;
  /** where these are the faces of it, if it has several. */
  face?: 'reader' | 'writer';
  blockerFace?: 'reader' | 'writer';
  stats?: () => LockStats;
}

export interface Traits {
  /** Only one holder at a time; fences and `abandoned` belong to it. */
  exclusive: boolean;
  /** Does it live in a space, with a name that is free to choose, and statistics? Default true. */
  inSpace?: boolean;
}

/** Holds `subject.blocker` in another thread until `release` is called. */
async function holdElsewhere(thread: Thread, { handle, blockerFace }: Subject): Promise<() => Promise<void>> {
  await thread.run(
    ({ lockOf, guards }, argument) => {
      const lock = lockOf(argument);
      guards.set('held', lock.acquireSync());
    },
    { handle, face: blockerFace },
  );
  return async () => {
    await thread.run(({ guards }) => guards.get('held')!.release(), undefined);
  };
}

/** What a function threw. */
function thrown(body: () => unknown): unknown {
  try {
    body();
  } catch (error) {
    return error;
  }
  return expect.fail('did not throw');
}

export function describeLock(name: string, factory: (name?: string) => Subject, traits: Traits): void {
  describe(`${name} as a lock`, () => {
    let thread: Thread;
    let subject: Subject;
    let lock: SyncLock;
    let blocker: SyncLock;
    const waiters = (): number => lock.infoSync().waiters;

    beforeAll(async () => {
      thread = await startThread();
    });
    afterAll(endThreads);
    beforeEach(() => {
      subject = factory();
      ({ lock, blocker } = subject);
    });

    describe('asynchronous', () => {
      test('acquire() of a free lock gives a guard that holds it until it is released', async () => {
        const guard = await lock.acquire();
        expect(guard.held).toBe(true);
        expect(await lock.isLocked()).toBe(true);
        expect(guard.release()).toBe(true);
        expect(await lock.isLocked()).toBe(false);
      });

      test('acquire() of a taken lock waits until it is released', async () => {
        const guard = await blocker.acquire();
        let settled = false;
        const waiting = lock.acquire().then((it) => {
          settled = true;
          return it;
        });
        await until(() => waiters() === 1, 'it waits');
        expect(settled).toBe(false);
        guard.release();
        const next = await waiting;
        expect(next.held).toBe(true);
        next.release();
      });

      test('acquire() gets a lock that another thread releases', async () => {
        const release = await holdElsewhere(thread, subject);
        const waiting = lock.acquire();
        await until(() => waiters() === 1, 'it waits');
        await release();
        expect((await waiting).release()).toBe(true);
      });

      test('another thread gets a lock, asynchronously, that this one releases', async () => {
        const guard = await blocker.acquire();
        const got = thread.run(
          async ({ lockOf }, argument) => {
            const face = lockOf(argument);
            return (await face.acquire()).release();
          },
          { handle: subject.handle, face: subject.face },
        );
        await until(() => waiters() === 1, 'it waits');
        guard.release();
        expect(await got).toBe(true);
      });

      test('tryAcquire() gives a guard or, at once, null', async () => {
        const guard = await blocker.acquire();
        expectRefused(await lock.tryAcquire());
        guard.release();
        const mine = await lock.tryAcquire();
        expect(mine?.held).toBe(true);
        mine?.release();
      });

      test('acquire({ timeout: 0 }) makes one attempt', async () => {
        const guard = await blocker.acquire();
        expect(await rejection(lock.acquire({ timeout: 0 }))).toBeInstanceOf(LockTimeoutError);
        expect(waiters()).toBe(0);
        if (subject.stats) expect(subject.stats().timeouts).toBe(0);
        guard.release();
        (await lock.acquire({ timeout: 0 })).release();
      });

      test('acquire({ timeout }) rejects when the time is up, not before, and then waits no more', async () => {
        const guard = await blocker.acquire();
        const begin = performance.now();
        const error = await rejection(lock.acquire({ timeout: 30 }));
        expect(performance.now() - begin).toBeGreaterThan(28);
        expect(error).toBeInstanceOf(LockTimeoutError);
        expect(waiters()).toBe(0);
        guard.release();
        expect(await lock.isLocked()).toBe(false);
      });

      test('acquire({ timeout }) gets a lock that is released in time', async () => {
        const guard = await blocker.acquire();
        const waiting = lock.acquire({ timeout: 20_000 });
        guard.release();
        expect((await waiting).release()).toBe(true);
      });

      test('acquire({ timeout: Infinity }) waits as no timeout does', async () => {
        const guard = await blocker.acquire();
        const waiting = lock.acquire({ timeout: Infinity });
        guard.release();
        expect((await waiting).release()).toBe(true);
      });

      test('acquire({ signal }) rejects with the reason of a signal that is aborted already', async () => {
        const reason = new Error('changed my mind');
        expect(await rejection(lock.acquire({ signal: AbortSignal.abort(reason) }))).toBe(reason);
        expect(await lock.isLocked()).toBe(false);
        if (subject.stats) expect(subject.stats().acquisitions).toBe(0);
      });

      test('acquire({ signal }) rejects with the reason of a signal that is aborted while it waits', async () => {
        const guard = await blocker.acquire();
        const controller = new AbortController();
        const waiting = rejection(lock.acquire({ signal: controller.signal }));
        await until(() => waiters() === 1, 'it waits');
        const reason = { any: 'value' };
        controller.abort(reason);
        expect(await waiting).toBe(reason);
        expect(waiters()).toBe(0);
        guard.release();
        expect(await lock.isLocked()).toBe(false);
      });

      test('acquire({ signal }) does not mind a signal that is aborted after it has settled', async () => {
        const controller = new AbortController();
        const guard = await lock.acquire({ signal: controller.signal });
        controller.abort();
        expect(guard.held).toBe(true);
        expect(guard.release()).toBe(true);
      });

      test('acquire({ signal }) is not granted by the abort of the request before it, which is its own as well', async () => {
        const guard = await blocker.acquire();
        const controller = new AbortController();
        const reason = new Error('enough');
        const aborted = [1, 2, 3, 4].map(() => rejection(lock.acquire({ signal: controller.signal })));
        const last = lock.acquire();
        guard.release();
        controller.abort(reason);
        expect(await Promise.all(aborted)).toEqual([reason, reason, reason, reason]);
        (await last).release();
      });

      test('leaves nothing behind on a signal that many acquires share', async () => {
        const { signal } = new AbortController();
        let listeners = 0;
        const { addEventListener, removeEventListener } = signal;
        signal.addEventListener = (...args: Parameters<typeof addEventListener>): void => {
          listeners++;
          addEventListener.apply(signal, args);
        };
        signal.removeEventListener = (...args: Parameters<typeof removeEventListener>): void => {
          listeners--;
          removeEventListener.apply(signal, args);
        };
        const guard = await blocker.acquire();
        const waiting = Promise.all([1, 2, 3].map(() => lock.withLock(() => undefined, { signal })));
        guard.release();
        await waiting;
        expect(listeners).toBe(0);
        const again = await blocker.acquire();
        expect(await rejection(lock.acquire({ signal, timeout: 1 }))).toBeInstanceOf(LockTimeoutError);
        again.release();
        expect(listeners).toBe(0);
      });

      test('acquires settle in the order in which they were made', async () => {
        const guard = await blocker.acquire();
        const order: number[] = [];
        const acquires = Array.from({ length: 20 }, async (_, index) => {
          const mine = await lock.acquire(index % 3 === 0 ? { timeout: 20_000 } : {});
          order.push(index);
          mine.release();
        });
        guard.release();
        await Promise.all(acquires);
        expect(order).toEqual(Array.from({ length: 20 }, (_, index) => index));
      });

      test('an acquire that gives up does not hold up those behind it', async () => {
        const guard = await blocker.acquire();
        const controller = new AbortController();
        const order: string[] = [];
        const note = (what: string) => (): void => void order.push(what);
        const settling = [
          lock.withLock(note('first')),
          lock.withLock(note('never'), { signal: controller.signal }).catch(note('aborted')),
          lock.withLock(note('never'), { timeout: 1 }).catch(note('timed out')),
          lock.withLock(note('last')),
        ];
        controller.abort();
        await settling[1];
        await settling[2];
        guard.release();
        await Promise.all(settling);
        expect(order).toEqual(['aborted', 'timed out', 'first', 'last']);
      });
    });

    describe('blocking', () => {
      test('acquireSync() of a free lock gives a guard that holds it until it is released', () => {
        const guard = lock.acquireSync();
        expect(guard.held).toBe(true);
        expect(lock.isLockedSync()).toBe(true);
        expect(guard.release()).toBe(true);
        expect(lock.isLockedSync()).toBe(false);
      });

      test('acquireSync() blocks its thread until another thread releases', async () => {
        const guard = await blocker.acquire();
        const w = words();
        const got = thread.run(
          ({ lockOf }, argument) => {
            const face = lockOf(argument);
            const mine = face.acquireSync();
            Atomics.store(argument.w, 0, 1);
            return mine.release();
          },
          { handle: subject.handle, face: subject.face, w },
        );
        await until(() => waiters() === 1, 'it waits');
        expect(Atomics.load(w, 0)).toBe(0);
        guard.release();
        expect(await got).toBe(true);
      });

      test('tryAcquireSync() gives a guard or, at once, null', async () => {
        const release = await holdElsewhere(thread, subject);
        expectRefused(lock.tryAcquireSync());
        await release();
        const mine = lock.tryAcquireSync();
        expect(mine?.held).toBe(true);
        mine?.release();
      });

      test('acquireSync({ timeout: 0 }) makes one attempt', async () => {
        const release = await holdElsewhere(thread, subject);
        expect(thrown(() => lock.acquireSync({ timeout: 0 }))).toBeInstanceOf(LockTimeoutError);
        expect(waiters()).toBe(0);
        if (subject.stats) expect(subject.stats().timeouts).toBe(0);
        await release();
        lock.acquireSync({ timeout: 0 }).release();
      });

      test('acquireSync({ timeout }) throws when the time is up, not before, and then waits no more', async () => {
        const release = await holdElsewhere(thread, subject);
        const begin = performance.now();
        const error = thrown(() => lock.acquireSync({ timeout: 30 }));
        expect(performance.now() - begin).toBeGreaterThan(28);
        expect(error).toBeInstanceOf(LockTimeoutError);
        expect(waiters()).toBe(0);
        await release();
        expect(lock.isLockedSync()).toBe(false);
      });

      test('acquireSync({ timeout: Infinity }) waits as no timeout does', async () => {
        await holdElsewhere(thread, subject);
        const released = thread.run(
          ({ lockOf, guards }, sent) => {
            const lock = lockOf(sent);
            for (const limit = Date.now() + 10_000; lock.infoSync().waiters === 0 && Date.now() < limit;);
            return guards.get('held')!.release();
          },
          { handle: subject.handle, face: subject.face },
        );
        lock.acquireSync({ timeout: Infinity }).release();
        expect(await released).toBe(true);
      });
    });

    describe('withLock', () => {
      test('gives what the body returned, and has released by then', async () => {
        const result = await lock.withLock((guard) => {
          expect(guard.held).toBe(true);
          return { told: 'value' };
        });
        expect(result).toEqual({ told: 'value' });
        expect(await lock.isLocked()).toBe(false);
      });

      test('holds the lock until the promise of the body settles', async () => {
        let finish = (): void => undefined;
        const body = lock.withLock(() => new Promise<void>((resolve) => (finish = resolve)));
        await until(() => lock.isLocked(), 'the body runs');
        await new Promise((resolve) => setImmediate(resolve));
        expect(await lock.isLocked()).toBe(true);
        finish();
        await body;
        expect(await lock.isLocked()).toBe(false);
      });

      test('rejects with what the body threw, and has released by then', async () => {
        const error = new Error('from the body');
        const synchronous = lock.withLock(() => {
          throw error;
        });
        expect(await rejection(synchronous)).toBe(error);
        expect(await lock.isLocked()).toBe(false);
        expect(await rejection(lock.withLock(() => Promise.reject(error)))).toBe(error);
        expect(await lock.isLocked()).toBe(false);
      });

      test('does not mind a body that has released by itself', async () => {
        expect(await lock.withLock((guard) => guard.release())).toBe(true);
        const error = new Error('from the body');
        const failing = lock.withLock((guard) => {
          void guard.release();
          throw error;
        });
        expect(await rejection(failing)).toBe(error);
        expect(await lock.isLocked()).toBe(false);
      });

      test('does not run the body when the lock was not acquired', async () => {
        const guard = await blocker.acquire();
        let ran = false;
        const body = (): void => {
          ran = true;
        };
        const reason = new Error('changed my mind');
        expect(await rejection(lock.withLock(body, { timeout: 0 }))).toBeInstanceOf(LockTimeoutError);
        expect(await rejection(lock.withLock(body, { signal: AbortSignal.abort(reason) }))).toBe(reason);
        expect(ran).toBe(false);
        guard.release();
      });
    });

    describe('withLockSync', () => {
      test('gives what the body returned, and has released by then', () => {
        const result = lock.withLockSync((guard) => {
          expect(guard.held).toBe(true);
          expect(lock.isLockedSync()).toBe(true);
          return 'value';
        });
        expect(result).toBe('value');
        expect(lock.isLockedSync()).toBe(false);
      });

      test('throws what the body threw, and has released by then', () => {
        const error = new Error('from the body');
        const body = (): never => {
          throw error;
        };
        expect(thrown(() => lock.withLockSync(body))).toBe(error);
        expect(lock.isLockedSync()).toBe(false);
      });

      test('does not mind a body that has released by itself', () => {
        expect(lock.withLockSync((guard) => guard.release())).toBe(true);
        expect(lock.isLockedSync()).toBe(false);
      });

      test('does not run the body when the lock was not acquired', async () => {
        const release = await holdElsewhere(thread, subject);
        let ran = false;
        const body = (): void => {
          ran = true;
        };
        expect(thrown(() => lock.withLockSync(body, { timeout: 0 }))).toBeInstanceOf(LockTimeoutError);
        expect(ran).toBe(false);
        await release();
      });
    });

    describe('Guard', () => {
      for (const [how, acquire] of [
        ['acquire', () => lock.acquire()],
        ['tryAcquire', () => lock.tryAcquire()],
        ['acquireSync', () => lock.acquireSync()],
        ['tryAcquireSync', () => lock.tryAcquireSync()],
      ] as const) {
        test(`of ${how}: release() is true once, then false`, async () => {
          const guard = (await acquire())!;
          expect(guard.held).toBe(true);
          expect(guard.abandoned).toBe(false);
          expect(typeof guard.fence).toBe('bigint');
          expect(guard.release()).toBe(true);
          expect(guard.held).toBe(false);
          expect(guard.release()).toBe(false);
          expect(guard.release()).toBe(false);
        });
      }

      test('cannot unlock for somebody else once it is released', async () => {
        const first = await blocker.acquire();
        first.release();
        const second = await blocker.acquire();
        expect(first.release()).toBe(false);
        expect(second.held).toBe(true);
        expectRefused(await lock.tryAcquire());
        second.release();
      });

      test('`using` releases at the end of the block, whether it is left by return or throw', () => {
        const leave = (how: 'return' | 'throw'): SyncGuard => {
          using guard = lock.acquireSync();
          expect(lock.isLockedSync()).toBe(true);
          if (how === 'throw') throw new Error('left');
          return guard;
        };
        expect(leave('return').held).toBe(false);
        expect(lock.isLockedSync()).toBe(false);
        expect(() => leave('throw')).toThrow('left');
        expect(lock.isLockedSync()).toBe(false);
      });

      test('`await using` releases at the end of the block', async () => {
        {
          await using guard = await lock.acquire();
          expect(guard.held).toBe(true);
          expect(await lock.isLocked()).toBe(true);
        }
        expect(await lock.isLocked()).toBe(false);
      });

      test('`using` does not mind a guard that was released before', () => {
        using guard = lock.acquireSync();
        expect(guard.release()).toBe(true);
        guard[Symbol.dispose]();
        expect(guard.held).toBe(false);
      });

      if (traits.exclusive) {
        test('has a fence that grows with every acquisition, in whatever form', async () => {
          const fences: bigint[] = [];
          const note = (guard: SyncGuard | null): void => {
            fences.push(guard!.fence);
            guard!.release();
          };
          for (let round = 0; round < 3; round++) {
            note(await lock.acquire());
            note(lock.acquireSync());
            note(await lock.tryAcquire());
            note(lock.tryAcquireSync());
            await lock.withLock((guard) => void fences.push(guard.fence));
            lock.withLockSync((guard) => void fences.push(guard.fence));
          }
          for (let i = 1; i < fences.length; i++) expect(fences[i]!).toBeGreaterThan(fences[i - 1]!);
        });

        test('has a fence that grows from thread to thread', async () => {
          const fenceElsewhere = async (): Promise<bigint> =>
            thread.run(
              ({ lockOf }, argument) => {
                const face = lockOf(argument);
                return face.withLockSync((guard) => guard.fence);
              },
              { handle: subject.handle, face: subject.face },
            );
          const fences = [
            lock.withLockSync((guard) => guard.fence),
            await fenceElsewhere(),
            lock.withLockSync((guard) => guard.fence),
            await fenceElsewhere(),
          ];
          for (let i = 1; i < fences.length; i++) expect(fences[i]!).toBeGreaterThan(fences[i - 1]!);
        });
      }
    });

    const inSpace = traits.inSpace ?? true;

    describe('tells', () => {
      test('isLocked and isOwned of a lock that nobody, this thread, another thread holds', async () => {
        const tell = async (): Promise<boolean[]> => [
          await blocker.isLocked(),
          blocker.isLockedSync(),
          await blocker.isOwned(),
          blocker.isOwnedSync(),
        ];
        expect(await tell()).toEqual([false, false, false, false]);
        const guard = await blocker.acquire();
        expect(await tell()).toEqual([true, true, true, true]);
        guard.release();
        const release = await holdElsewhere(thread, subject);
        expect(await tell()).toEqual([true, true, false, false]);
        await release();
        expect(await tell()).toEqual([false, false, false, false]);
      });

      test.runIf(inSpace)('info of a free lock, a held one, one that is waited for', async () => {
        expect(await lock.info()).toEqual(lock.infoSync());
        expect(lock.infoSync()).toMatchObject({
          name: undefined,
          owner: null,
          holders: 0,
          waiters: 0,
          ttl: null,
        });

        const guard = await blocker.acquire();
        expect(blocker.infoSync()).toMatchObject({ holders: 1, waiters: 0 });
        const waiting = lock.acquire();
        expect(await lock.info()).toMatchObject({ waiters: 1 });
        const { acquiredAt, owner } = blocker.infoSync();
        if (traits.exclusive) expect(owner).toMatch(new RegExp(`^thread \\d+ of process ${process.pid}$`));
        if (acquiredAt !== null) expect(Math.abs(Date.now() - acquiredAt)).toBeLessThan(60_000);
        guard.release();
        const second = await waiting;
        if (traits.exclusive) {
          const since = lock.infoSync().acquiredAt;
          expect(since).toBeTypeOf('number');
          expect(Math.abs(Date.now() - since!)).toBeLessThan(10_000);
        }
        second.release();
        const third = lock.acquireSync();
        expect(lock.infoSync().acquiredAt).toBeNull();
        third.release();
        expect(lock.infoSync()).toMatchObject({ owner: null, acquiredAt: null, holders: 0, waiters: 0 });
      });

      test.runIf(inSpace)('name, which is undefined or as given', () => {
        expect(lock.name).toBeUndefined();
        const given = `contract ${name} ${crypto.randomUUID()}`;
        const named = factory(given);
        expect(named.lock.name).toBe(given);
        expect(named.lock.infoSync().name).toBe(given);
        expect(named.stats!().name).toBe(given);
      });

      test.runIf(inSpace)('stats of what happened, in this thread and others', async () => {
        expect(subject.stats!()).toMatchObject({
          acquisitions: 0,
          releases: 0,
          contended: 0,
          timeouts: 0,
          abandoned: 0,
          holders: 0,
          waiters: 0,
          wait: { count: 0, min: 0, avg: 0, max: 0, p50: 0, p99: 0, histogram: [] },
        });
        for (let i = 0; i < 3; i++) lock.acquireSync().release();
        await thread.run(
          ({ lockOf }, argument) => {
            const face = lockOf(argument);
            for (let i = 0; i < 4; i++) face.acquireSync().release();
          },
          { handle: subject.handle, face: subject.face },
        );
        expect(subject.stats!()).toMatchObject({ acquisitions: 7, releases: 7, contended: 0, holders: 0 });

        const guard = await blocker.acquire();
        expect(subject.stats!()).toMatchObject({ acquisitions: 8, releases: 7, holders: 1, waiters: 0 });
        await rejection(lock.acquire({ timeout: 1 }));
        const waiting = lock.acquire();
        await until(() => waiters() === 1, 'it waits');
        guard.release();
        (await waiting).release();

        const { wait, ...stats } = subject.stats!();
        expect(stats).toMatchObject({
          acquisitions: 9,
          releases: 9,
          contended: 1,
          timeouts: 1,
          abandoned: 0,
          holders: 0,
          waiters: 0,
        });
        expect(wait.count).toBeGreaterThan(0);
        expect(wait.max).toBeGreaterThan(0);
        expect(wait.min).toBeLessThanOrEqual(wait.avg);
        expect(wait.avg).toBeLessThanOrEqual(wait.max);
        expect(wait.p50).toBeLessThanOrEqual(wait.p99);
        expect(wait.histogram.reduce((sum, bucket) => sum + bucket.count, 0)).toBe(wait.count);
      });

      test.runIf(inSpace)('the waiting times so that quantiles can be read from them', async () => {
        const times = [1, 1, 1, 1, 1, 1, 1, 1, 1, 40];
        for (const time of times) {
          const guard = await blocker.acquire();
          const waiting = lock.acquire();
          const end = performance.now() + time;
          await until(() => performance.now() > end, 'the time has passed');
          guard.release();
          (await waiting).release();
        }
        const { wait } = subject.stats!();
        expect(wait.count).toBe(times.length);
        expect(wait.min).toBeGreaterThan(0.9);
        expect(wait.max).toBeGreaterThan(39);
        expect(wait.p50).toBeLessThan(wait.p99);
        expect(wait.p99).toBeGreaterThan(39);
      });
    });

    describe('refuses', () => {
      /** The interface gives the try forms no options; those with a weight take some. */
      type TryForms = Record<'tryAcquire' | 'tryAcquireSync', (options: unknown) => unknown>;
      const everyForm = (options: unknown): [string, () => unknown][] => [
        ['acquire', () => lock.acquire(options as never)],
        ['acquireSync', () => lock.acquireSync(options as never)],
        ['tryAcquire', () => (lock as unknown as TryForms).tryAcquire(options)],
        ['tryAcquireSync', () => (lock as unknown as TryForms).tryAcquireSync(options)],
        ['withLock', () => lock.withLock(() => expect.fail('the body ran'), options as never)],
        ['withLockSync', () => lock.withLockSync(() => expect.fail('the body ran'), options as never)],
      ];

      const outcome = async (call: () => unknown): Promise<Error> => {
        try {
          await call();
        } catch (error) {
          return error as Error;
        }
        return expect.fail('was accepted');
      };

      for (const [timeout, type, shown] of [
        [-1, RangeError, '-1'],
        [NaN, RangeError, 'NaN'],
        [-Infinity, RangeError, '-Infinity'],
        ['100', TypeError, '100'],
        [null, TypeError, 'null'],
        [10n, TypeError, '10n'],
        [{}, TypeError, '{}'],
      ] as const) {
        test(`timeout ${typeof timeout} ${shown}: ${type.name} that names the option and the value`, async () => {
          for (const [form, call] of everyForm({ timeout })) {
            const error = await outcome(call);
            expect(error, form).toBeInstanceOf(type);
            expect(error.message, form).toContain('timeout');
            expect(error.message, form).toContain(shown);
          }
          expect(lock.isLockedSync()).toBe(false);
        });
      }

      for (const [signal, shown] of [
        [{ aborted: false }, 'aborted'],
        ['signal', 'signal'],
        [null, 'null'],
        [1, '1'],
      ] as const) {
        test(`signal ${JSON.stringify(signal)}: TypeError that names the option and the value`, async () => {
          for (const [form, call] of everyForm({ signal })) {
            const error = await outcome(call);
            expect(error, form).toBeInstanceOf(TypeError);
            expect(error.message, form).toContain('signal');
            expect(error.message, form).toContain(shown);
          }
          expect(lock.isLockedSync()).toBe(false);
        });
      }

      for (const options of [null, 5, 'fast', true]) {
        test(`options ${JSON.stringify(options)}: TypeError`, async () => {
          for (const [form, call] of everyForm(options)) {
            const error = await outcome(call);
            expect(error, form).toBeInstanceOf(TypeError);
            expect(error.message, form).toContain(String(options));
          }
          expect(lock.isLockedSync()).toBe(false);
        });
      }

      test('a body that is not a function: TypeError, and nothing is left held', async () => {
        expect(await rejection(lock.withLock('body' as never))).toBeInstanceOf(TypeError);
        expect(thrown(() => lock.withLockSync(undefined as never))).toBeInstanceOf(TypeError);
        expect(lock.isLockedSync()).toBe(false);
      });

      test('asynchronous forms reject and never throw', () => {
        const promises = [
          lock.acquire({ timeout: -1 }),
          lock.acquire(null as never),
          lock.withLock(() => undefined, { timeout: -1 }),
        ];
        for (const promise of promises) {
          expect(promise).toBeInstanceOf(Promise);
          promise.catch(() => undefined);
        }
      });
    });

    test('LockTimeoutError has a code that starts its message, and the message tells name and time', async () => {
      const given = `contract ${name} ${crypto.randomUUID()}`;
      const named = factory(given);
      const guard = await named.blocker.acquire();
      for (const timeout of [0, 5]) {
        const error = (await rejection(named.lock.acquire({ timeout }))) as LockTimeoutError;
        expect(error).toBeInstanceOf(LockTimeoutError);
        expect(error).toBeInstanceOf(LockError);
        expect(error.code).toBe('ERR_LOCK_TIMEOUT');
        expect(error.name).toBe('LockTimeoutError');
        expect(error.message).toMatch(/^ERR_LOCK_TIMEOUT\b/);
        expect(error.message).toContain(given);
        expect(error.message).toContain(timeout === 0 ? 'at the first attempt' : `within ${timeout} ms`);
        if (inSpace) expect(error.message).toMatch(/\b0 waiting$/);
      }
      guard.release();
    });
  });
}
