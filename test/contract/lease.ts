/**
 * What every lock promises that expires and is kept on servers, as a suite that is run for each of them.
 */
import { beforeEach, describe, expect, test } from 'vitest';
import { LockError, LockLostError, LockTimeoutError } from 'mortise';
import type { Lease, Lock, LockInfo } from 'mortise';
import { rejection } from '../fixtures/rejection.ts';
import { until } from '../fixtures/until.ts';

/** A lock whose holds are leases. */
export interface LeaseLock extends Lock {
  acquire(...options: Parameters<Lock['acquire']>): Promise<Lease>;
  tryAcquire(): Promise<Lease | null>;
  withLock<T>(body: (lease: Lease) => T | Promise<T>, options?: Parameters<Lock['acquire']>[0]): Promise<T>;
}

/** A lock of its own for each test. */
export interface LeaseSubject {
  lock: LeaseLock;
  /** The same lock through another client, whose hold keeps `lock` from being acquired. */
  rival: LeaseLock;
  /** The same lock with a short time to live, not renewed. */
  expiring: LeaseLock;
}

export interface LeaseTraits {
  /** Only one holder at a time; fences and `abandoned` belong to it. Default true. */
  isExclusive?: boolean;
  /** Is a holder told of an exclusive one before it whose time ran out? Default: if it is exclusive. */
  abandons?: boolean;
  /** Does the server keep a queue? Default true. */
  queues?: boolean;
}

export function describeLease(
  name: string,
  factory: () => LeaseSubject | Promise<LeaseSubject>,
  { isExclusive = true, abandons = isExclusive, queues = true }: LeaseTraits = {},
): void {
  describe(`${name} as a lock that expires`, () => {
    let lock: LeaseLock;
    let rival: LeaseLock;
    let expiring: LeaseLock;
    beforeEach(async () => {
      ({ lock, rival, expiring } = await factory());
    });

    /** Somebody has to wait, as the server sees it, or this process does. */
    async function someoneWaits(count = 1): Promise<void> {
      if (queues) await until(async () => (await rival.info()).waiters >= count, 'it waits');
      else await new Promise((resolve) => setTimeout(resolve, 50));
    }

    test('acquire() gives a lease that holds it until it is released, once', async () => {
      const lease = await lock.acquire();
      expect(lease.held).toBe(true);
      expect(lease.remaining).toBeGreaterThan(0);
      expect(lease.abandoned).toBe(false);
      expect(lease.signal.aborted).toBe(false);
      expect(await rival.isLocked()).toBe(true);
      expect(await rival.tryAcquire()).toBeNull();
      expect(await lease.release()).toBe(true);
      expect(lease.held).toBe(false);
      expect(lease.remaining).toBe(0);
      expect(lease.signal.aborted).toBe(false);
      expect(await lease.release()).toBe(false);
      expect(await rival.isLocked()).toBe(false);
    });

    test('acquire() waits until the holder releases, whichever client it has', async () => {
      const held = await rival.acquire();
      let isSettled = false;
      const waiting = lock.acquire().finally(() => (isSettled = true));
      await someoneWaits();
      expect(isSettled).toBe(false);
      await held.release();
      const lease = await waiting;
      expect(lease.held).toBe(true);
      await lease.release();
    });

    test('acquires of one object settle in the order in which they were made', async () => {
      const held = await rival.acquire();
      const order: number[] = [];
      const acquires = Array.from({ length: 8 }, async (_, index) => {
        const lease = await lock.acquire();
        order.push(index);
        await lease.release();
      });
      await someoneWaits();
      await held.release();
      await Promise.all(acquires);
      expect(order).toEqual([0, 1, 2, 3, 4, 5, 6, 7]);
    });

    test('tryAcquire() gives a lease or null', async () => {
      const held = await rival.acquire();
      expect(await lock.tryAcquire()).toBeNull();
      await held.release();
      const lease = await lock.tryAcquire();
      expect(lease?.held).toBe(true);
      await lease?.release();
    });

    test('acquire({ timeout: 0 }) makes one attempt', async () => {
      const held = await rival.acquire();
      expect(await rejection(lock.acquire({ timeout: 0 }))).toBeInstanceOf(LockTimeoutError);
      await held.release();
      await (await lock.acquire({ timeout: 0 })).release();
    });

    test('acquire({ timeout }) rejects when the time is up, and leaves nothing behind', async () => {
      const held = await rival.acquire();
      const begin = performance.now();
      const error = await rejection(lock.acquire({ timeout: 40 }));
      expect(performance.now() - begin).toBeGreaterThan(38);
      expect(error).toBeInstanceOf(LockTimeoutError);
      expect((error as LockError).message).toContain('40 ms');
      expect(await lock.info()).toMatchObject({ waiters: 0 });
      await held.release();
      expect(await lock.isLocked()).toBe(false);
    });

    test('acquire({ signal }) rejects with the reason, before and while it waits, and leaves nothing behind', async () => {
      const reason = { any: 'value' };
      expect(await rejection(lock.acquire({ signal: AbortSignal.abort(reason) }))).toBe(reason);
      expect(await lock.isLocked()).toBe(false);
      const held = await rival.acquire();
      const controller = new AbortController();
      const waiting = rejection(lock.acquire({ signal: controller.signal }));
      await someoneWaits();
      controller.abort(reason);
      expect(await waiting).toBe(reason);
      expect(await lock.info()).toMatchObject({ waiters: 0 });
      await held.release();
      expect(await lock.isLocked()).toBe(false);
    });

    test('a request that is given up while its answer is under way leaves nothing behind', async () => {
      const controller = new AbortController();
      const waiting = rejection(lock.acquire({ signal: controller.signal }));
      controller.abort('changed my mind');
      expect(await waiting).toBe('changed my mind');
      await until(async () => !(await lock.isLocked()), 'it is given back');
      await (await lock.acquire()).release();
    });

    test('a request that gives up does not hold up those behind it', async () => {
      const held = await rival.acquire();
      const order: string[] = [];
      const note = (what: string) => (): void => void order.push(what);
      const settling = [
        lock.withLock(note('never'), { timeout: 1 }).catch(note('timed out')),
        lock.withLock(note('second')),
        rival.withLock(note('third'), { timeout: 20_000 }),
      ];
      await settling[0];
      await held.release();
      await Promise.all(settling);
      expect(order[0]).toBe('timed out');
      expect(order.slice(1).sort()).toEqual(['second', 'third']);
    });

    test('withLock() gives what the body did, and has released by then', async () => {
      expect(await lock.withLock((lease) => ({ told: lease.held }))).toEqual({ told: true });
      expect(await lock.isLocked()).toBe(false);
      const error = new Error('from the body');
      const failing = lock.withLock(() => {
        throw error;
      });
      expect(await rejection(failing)).toBe(error);
      expect(await lock.isLocked()).toBe(false);
      expect(await lock.withLock((lease) => lease.release())).toBe(true);
      expect(await rejection(lock.withLock('body' as never))).toBeInstanceOf(TypeError);
    });

    test('leaving the block of a using declaration releases it', async () => {
      const lease = await lock.acquire();
      await lease[Symbol.asyncDispose]();
      expect(await rival.isLocked()).toBe(false);
      const again = await lock.acquire();
      again[Symbol.dispose]();
      expect(again.held).toBe(false);
      await until(async () => !(await rival.isLocked()), 'it is released');
    });

    test('isOwned() tells whether it is held through this object', async () => {
      const lease = await lock.acquire();
      expect([await lock.isOwned(), await rival.isOwned()]).toEqual([true, false]);
      await lease.release();
      expect(await lock.isOwned()).toBe(false);
    });

    test('info() tells who holds it and since when', async () => {
      expect(await lock.info()).toMatchObject({ name: lock.name, owner: null, holders: 0, waiters: 0 });
      const lease = await rival.acquire();
      const { holders, owner, acquiredAt, ttl }: LockInfo = await lock.info();
      expect(holders).toBe(1);
      if (isExclusive) {
        expect(owner).toContain(`process ${process.pid}`);
        expect(Math.abs((acquiredAt ?? 0) - Date.now())).toBeLessThan(60_000);
        expect(ttl).toBeGreaterThan(0);
      }
      await lease.release();
    });

    test('a holder that does not renew loses it: its signal aborts before another one has it', async () => {
      const lost = await expiring.acquire();
      const { signal } = lost;
      const waiting = lock.acquire().then((lease) => ({ lease, wasAborted: signal.aborted }));
      const { lease, wasAborted } = await waiting;
      expect(wasAborted).toBe(true);
      expect(signal.reason).toBeInstanceOf(LockLostError);
      expect(lost.held).toBe(false);
      expect(lost.remaining).toBe(0);
      expect(await rejection(lost.extend())).toBeInstanceOf(LockLostError);
      expect(await lost.release()).toBe(false);
      expect(lease.held).toBe(true);
      expect(lease.abandoned).toBe(abandons);
      if (isExclusive) expect(lease.fence > lost.fence).toBe(true);
      await lease.release();
    });

    test('extend() keeps it past its time', async () => {
      const lease = await expiring.acquire();
      const before = lease.remaining;
      await lease.extend(60_000);
      expect(lease.remaining).toBeGreaterThan(before + 30_000);
      await lease.extend(20_000);
      expect(lease.remaining).toBeLessThan(20_000);
      expect(await lease.release()).toBe(true);
      expect(await rejection(lease.extend())).toBeInstanceOf(LockLostError);
      const bad = await expiring.acquire();
      expect(await rejection(bad.extend('1' as never))).toBeInstanceOf(TypeError);
      expect(await rejection(bad.extend(1))).toBeInstanceOf(RangeError);
      await bad.release();
    });

    test('bad options are refused with a message that names them', async () => {
      expect(await rejection(lock.acquire({ timeout: -1 }))).toBeInstanceOf(RangeError);
      expect(await rejection(lock.acquire({ timeout: '1' as never }))).toBeInstanceOf(TypeError);
      expect(await rejection(lock.acquire({ signal: {} as never }))).toBeInstanceOf(TypeError);
      expect(await lock.isLocked()).toBe(false);
    });

    if (!isExclusive) return;

    test('one holder at a time, and fences that grow', async () => {
      let inside = 0;
      const fences: bigint[] = [];
      const one = async (face: LeaseLock): Promise<void> => {
        for (let times = 0; times < 10; times++)
          await face.withLock(async (lease) => {
            expect(++inside).toBe(1);
            fences.push(lease.fence);
            await new Promise((resolve) => setImmediate(resolve));
            inside--;
          });
      };
      await Promise.all([one(lock), one(rival), one(lock), one(rival)]);
      expect(fences).toHaveLength(40);
      fences.forEach((fence, index) => index > 0 && expect(fence > (fences[index - 1] ?? 0n)).toBe(true));
    });
  });
}
