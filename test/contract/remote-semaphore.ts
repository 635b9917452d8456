/** What every semaphore promises that is kept on servers, as a suite that is run for each of them. */
import { beforeEach, describe, expect, test } from 'vitest';
import { LockTimeoutError, NameConflictError } from 'mortise';
import type { Lease, SemaphoreAcquireOptions } from 'mortise';
import { rejection } from '../fixtures/rejection.ts';
import { until } from '../fixtures/until.ts';
import { describeLease, type LeaseLock } from './lease.ts';

export interface LeaseSemaphore extends LeaseLock {
  acquire(options?: SemaphoreAcquireOptions): Promise<Lease>;
  tryAcquire(options?: SemaphoreAcquireOptions): Promise<Lease | null>;
  withLock<T>(body: (lease: Lease) => T | Promise<T>, options?: SemaphoreAcquireOptions): Promise<T>;
  available(): Promise<number>;
}

/** The same semaphore through one of five clients. */
export type SemaphoreMaker = (
  place: number,
  options: { permits: number; ttl?: number; autoExtend?: boolean },
) => LeaseSemaphore;

/**
 * @param factory makes semaphores of a name of its own for each test
 * @param shortest the shortest time to live that the server keeps to, in milliseconds
 */
export function describeSemaphore(name: string, factory: () => SemaphoreMaker, shortest: number): void {
  describeLease(
    `${name} with one permit`,
    () => {
      const of = factory();
      return {
        lock: of(0, { permits: 1 }),
        rival: of(1, { permits: 1 }),
        expiring: of(1, { permits: 1, ttl: shortest, autoExtend: false }),
      };
    },
    { isExclusive: false },
  );

  describe(`${name} as a semaphore`, () => {
    let of: SemaphoreMaker;
    beforeEach(() => {
      of = factory();
    });

    const waiters = async (semaphore: LeaseSemaphore, count: number): Promise<void> =>
      until(async () => (await semaphore.info()).waiters === count, `${count} wait`);

    test('as many are held as there are permits, whoever holds them', async () => {
      const [a, b] = [of(0, { permits: 3 }), of(1, { permits: 3 })];
      const leases = [await a.acquire(), await b.acquire(), await a.acquire()];
      expect(await a.available()).toBe(0);
      expect(await b.tryAcquire()).toBeNull();
      expect(await a.info()).toMatchObject({ holders: 3, waiters: 0 });
      expect(leases.map((lease) => lease.fence)).toEqual([0n, 0n, 0n]);
      await leases[1]?.release();
      expect(await b.available()).toBe(1);
      const again = await b.tryAcquire();
      expect(again?.held).toBe(true);
      for (const lease of [...leases, again]) await lease?.release();
      expect(await b.available()).toBe(3);
    });

    test('a large request is served in its turn, and small ones wait behind it', async () => {
      const small = of(0, { permits: 4 });
      const large = of(1, { permits: 4 });
      const first = await small.acquire();
      const order: string[] = [];
      const all = large.withLock(() => void order.push('large'), { weight: 4 });
      await waiters(small, 1);
      expect(await small.tryAcquire()).toBeNull();
      expect(await small.available()).toBe(3);
      const one = small.withLock(() => void order.push('small'));
      await waiters(small, 2);
      await first.release();
      await Promise.all([all, one]);
      expect(order).toEqual(['large', 'small']);
    });

    test('all who fit at the head of the queue go on at once', async () => {
      const semaphore = of(0, { permits: 4 });
      const held = await semaphore.acquire({ weight: 4 });
      const waiting: Promise<Lease>[] = [];
      for (const place of [1, 2, 3, 4]) {
        waiting.push(of(place, { permits: 4 }).acquire());
        await waiters(semaphore, waiting.length);
      }
      await held.release();
      const leases = await Promise.all(waiting);
      expect(await semaphore.available()).toBe(0);
      for (const lease of leases) await lease.release();
    });

    test('a request that gives up lets those behind it go on', async () => {
      const a = of(0, { permits: 2 });
      const b = of(1, { permits: 2 });
      const held = await a.acquire();
      const tooLarge = rejection(a.acquire({ weight: 2, timeout: 500 }));
      await waiters(b, 1);
      const waiting = b.acquire();
      await waiters(b, 2);
      expect(await tooLarge).toBeInstanceOf(LockTimeoutError);
      const lease = await waiting;
      expect(lease.held).toBe(true);
      await lease.release();
      await held.release();
    });

    test('tries at the same time take no more than there is, and not less', async () => {
      const semaphores = [0, 1, 2, 3, 4].map((place) => of(place, { permits: 3 }));
      const tries = await Promise.all(semaphores.map((it) => it.tryAcquire()));
      const held = tries.filter((lease) => lease !== null);
      expect(held).toHaveLength(3);
      for (const lease of held) expect(await lease.release()).toBe(true);
    });

    test('holds of different lengths each expire by themselves: the limit is never exceeded', async () => {
      const long = of(0, { permits: 1, ttl: 60_000 });
      const short = of(1, { permits: 1, ttl: shortest, autoExtend: false });
      const lease = await long.acquire();
      expect(await rejection(short.acquire({ timeout: 2 * shortest }))).toBeInstanceOf(LockTimeoutError);
      expect(lease.held).toBe(true);
      await lease.release();
      const brief = await short.acquire();
      const next = await long.acquire();
      expect(brief.held).toBe(false);
      expect(await short.tryAcquire()).toBeNull();
      expect(next.held).toBe(true);
      await next.release();
    });

    test('the same name with other permits is refused while it is used', async () => {
      const lease = await of(0, { permits: 2 }).acquire();
      const conflicting = of(0, { permits: 3 });
      expect(await rejection(conflicting.acquire())).toBeInstanceOf(NameConflictError);
      expect(await rejection(conflicting.tryAcquire())).toBeInstanceOf(NameConflictError);
      await waiters(of(0, { permits: 2 }), 0);
      await lease.release();
    });

    test.each([
      ['options.permits', { permits: 0 }, RangeError],
      ['options.permits', { permits: 1.5 }, RangeError],
      ['options.permits', { permits: '1' }, TypeError],
      ['options.permits', {}, TypeError],
    ])('%s is checked (%j)', (what, options, kind) => {
      const make = (): unknown => of(0, options as never);
      expect(make).toThrow(kind);
      expect(make).toThrow(what);
    });

    test('weights are checked', async () => {
      const semaphore = of(0, { permits: 2 });
      for (const weight of [0, -1, 1.5, 3]) {
        expect(await rejection(semaphore.acquire({ weight }))).toBeInstanceOf(RangeError);
        expect(await rejection(semaphore.tryAcquire({ weight }))).toBeInstanceOf(RangeError);
      }
      expect(await rejection(semaphore.acquire({ weight: '1' as never }))).toBeInstanceOf(TypeError);
      expect(await semaphore.info()).toMatchObject({ holders: 0, waiters: 0 });
    });
  });
}
