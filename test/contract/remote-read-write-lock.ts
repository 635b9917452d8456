/** What every read-write lock promises that is kept on servers, as a suite that is run for each of them. */
import { beforeEach, describe, expect, test } from 'vitest';
import type { AcquireOptions, Lease } from 'mortise';
import { until } from '../fixtures/until.ts';
import { describeLease, type LeaseLock } from './lease.ts';

export interface LeaseReadWriteLock {
  readonly reader: LeaseLock;
  readonly writer: LeaseLock;
  acquireRead(options?: AcquireOptions): Promise<Lease>;
  acquireWrite(options?: AcquireOptions): Promise<Lease>;
  tryAcquireRead(): Promise<Lease | null>;
  tryAcquireWrite(): Promise<Lease | null>;
}

/** The same lock through one of four clients. */
export type ReadWriteLockMaker = (
  place: number,
  options?: { ttl?: number; autoExtend?: boolean },
) => LeaseReadWriteLock;

/**
 * @param factory makes locks of a name of its own for each test
 * @param shortest the shortest time to live that the server keeps to, in milliseconds
 */
export function describeReadWriteLock(
  name: string,
  factory: () => ReadWriteLockMaker,
  shortest: number,
): void {
  let of: ReadWriteLockMaker;
  let lock: LeaseReadWriteLock;
  let rival: LeaseReadWriteLock;
  let expiring: LeaseReadWriteLock;

  describe(name, () => {
    beforeEach(() => {
      of = factory();
      lock = of(0);
      rival = of(1);
      expiring = of(1, { ttl: shortest, autoExtend: false });
    });

    describeLease('its writer', () => ({
      lock: lock.writer,
      rival: rival.writer,
      expiring: expiring.writer,
    }));
    describeLease(
      'its reader',
      () => ({ lock: lock.reader, rival: rival.writer, expiring: expiring.writer }),
      { isExclusive: false, abandons: true },
    );

    const waiters = async (count: number): Promise<void> =>
      until(async () => (await lock.reader.info()).waiters === count, `${count} wait`);

    test('many read at a time, and nobody writes meanwhile', async () => {
      const readers = [await lock.acquireRead(), await rival.acquireRead(), await lock.acquireRead()];
      expect(await lock.reader.info()).toMatchObject({ holders: 3, owner: null });
      expect(await rival.tryAcquireWrite()).toBeNull();
      for (const lease of readers) await lease.release();
      const writer = await rival.tryAcquireWrite();
      expect(writer?.held).toBe(true);
      expect(await lock.tryAcquireRead()).toBeNull();
      expect(await lock.tryAcquireWrite()).toBeNull();
      expect(await lock.reader.info()).toMatchObject({ holders: 1, waiters: 0 });
      await writer?.release();
    });

    test('first come, first served: readers wait behind a writer, and all of them go on after it', async () => {
      const reading = await lock.acquireRead();
      const order: string[] = [];
      const writing = rival.acquireWrite().then((lease) => (order.push('write'), lease));
      await waiters(1);
      expect(await lock.tryAcquireRead()).toBeNull();
      const readers: Promise<Lease>[] = [];
      for (const place of [2, 3]) {
        readers.push(
          of(place)
            .acquireRead()
            .then((lease) => (order.push('read'), lease)),
        );
        await waiters(readers.length + 1);
      }
      await reading.release();
      const writer = await writing;
      expect(order).toEqual(['write']);
      await writer.release();
      const both = await Promise.all(readers);
      expect(both.every((lease) => lease.held)).toBe(true);
      for (const lease of both) await lease.release();
    });

    test('a writer waits for everybody before it, in whatever order they leave', async () => {
      const readers: Lease[] = [];
      for (const place of [1, 2, 3]) readers.push(await of(place).acquireRead());
      let isWriting = false;
      const writing = lock.acquireWrite().then((lease) => ((isWriting = true), lease));
      await waiters(1);
      const [first, second, third] = readers as [Lease, Lease, Lease];
      for (const [left, lease] of [
        [2, second],
        [1, third],
      ] as const) {
        await lease.release();
        await until(async () => (await lock.reader.info()).holders === left, 'it is gone');
        expect(isWriting).toBe(false);
      }
      await first.release();
      await (await writing).release();
    });

    test("a reader's fence is that of the last write, for all readers", async () => {
      const before = await lock.acquireRead();
      expect(await rival.reader.withLock((lease) => lease.fence)).toBe(before.fence);
      await before.release();
      const write = await lock.acquireWrite();
      expect(write.fence > before.fence).toBe(true);
      await rival.acquireWrite({ timeout: 20 }).catch(() => {});
      await write.release();
      const one = await lock.acquireRead();
      const another = await rival.acquireRead();
      expect([one.fence, another.fence]).toEqual([write.fence, write.fence]);
      await one.release();
      await another.release();
      const next = await rival.acquireWrite();
      expect(next.fence > write.fence).toBe(true);
      await next.release();
    });

    test('a writer whose time ran out is told to readers until a writer was told', async () => {
      const write = await expiring.acquireWrite();
      const read = await lock.acquireRead();
      expect(write.held).toBe(false);
      expect(read.abandoned).toBe(true);
      await read.release();
      const next = await lock.acquireWrite();
      expect(next.abandoned).toBe(true);
      await next.release();
      const later = await rival.acquireRead();
      expect(later.abandoned).toBe(false);
      expect(later.fence).toBe(next.fence);
      await later.release();
    });

    test('each hold expires by itself, and a reader leaves nothing that others have to be told', async () => {
      const long = await lock.acquireRead();
      const short = await expiring.acquireRead();
      await until(() => !short.held, 'it expires');
      await until(async () => (await lock.reader.info()).holders === 1, 'it expires at the server');
      expect(long.held).toBe(true);
      expect(await rival.tryAcquireWrite()).toBeNull();
      await long.release();
      const write = await rival.acquireWrite();
      expect(write.abandoned).toBe(false);
      await write.release();
    });
  });
}
