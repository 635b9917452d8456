import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest';
import { EtcdClient, EtcdReadWriteLock, type EtcdLease } from 'mortise/etcd';
import { describeLease } from '../contract/lease.ts';
import { until } from '../fixtures/until.ts';
import { EtcdCluster } from './cluster.mjs';

let cluster: EtcdCluster;
let clients: EtcdClient[];
let names = 0;
let lock: EtcdReadWriteLock;
let rival: EtcdReadWriteLock;
let expiring: EtcdReadWriteLock;

beforeAll(async () => {
  cluster = await EtcdCluster.start();
  clients = Array.from({ length: 4 }, () => new EtcdClient({ endpoints: cluster.endpoints }));
});
beforeEach(() => {
  const name = `table-${++names}`;
  const [client, other] = clients as [EtcdClient, EtcdClient];
  lock = new EtcdReadWriteLock(name, { client });
  rival = new EtcdReadWriteLock(name, { client: other });
  expiring = new EtcdReadWriteLock(name, { client: other, ttl: 1000, autoExtend: false });
});
afterAll(async () => {
  await Promise.all(clients.map((client) => client.close()));
  await cluster.end();
});

const waiters = async (count: number): Promise<void> =>
  until(async () => (await lock.reader.info()).waiters === count, `${count} wait`);

describeLease('the writer of an EtcdReadWriteLock', () => ({
  lock: lock.writer,
  rival: rival.writer,
  expiring: expiring.writer,
}));
describeLease(
  'the reader of an EtcdReadWriteLock',
  () => ({ lock: lock.reader, rival: rival.writer, expiring: expiring.writer }),
  { isExclusive: false, abandons: true },
);

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
  const readers: Promise<EtcdLease>[] = [];
  for (const client of clients.slice(2)) {
    const reader = new EtcdReadWriteLock(lock.name, { client }).acquireRead();
    readers.push(reader.then((lease) => (order.push('read'), lease)));
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
  const readers: EtcdLease[] = [];
  for (const client of clients.slice(1))
    readers.push(await new EtcdReadWriteLock(lock.name, { client }).acquireRead());
  let isWriting = false;
  const writing = lock.acquireWrite().then((lease) => ((isWriting = true), lease));
  await waiters(1);
  const [first, second, third] = readers as [EtcdLease, EtcdLease, EtcdLease];
  for (const lease of [second, third]) {
    await lease.release();
    await until(async () => (await lock.reader.info()).holders < 3, 'it is gone');
    expect(isWriting).toBe(false);
  }
  await first.release();
  await (await writing).release();
});

test("a reader's fence is that of the last write, for all readers", async () => {
  const before = await lock.acquireRead();
  expect((await rival.reader.withLock((lease) => lease.fence)) === before.fence).toBe(true);
  await before.release();
  const write = await lock.acquireWrite();
  expect(write.fence > before.fence).toBe(true);
  const refused = rival.acquireWrite({ timeout: 20 }).catch(() => undefined);
  await refused;
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
  expect(read.fence).toBe(write.fence);
  await read.release();
  const next = await lock.acquireWrite();
  expect(next.abandoned).toBe(true);
  await next.release();
  const later = await rival.acquireRead();
  expect(later.abandoned).toBe(false);
  expect(later.fence).toBe(next.fence);
  await later.release();
});

test('a reader whose time ran out leaves nothing that others have to be told', async () => {
  const short = await expiring.acquireRead();
  const long = await lock.acquireRead();
  await until(() => !short.held, 'it expires');
  await until(async () => (await lock.reader.info()).holders === 1, 'it expires at etcd');
  expect(await rival.tryAcquireWrite()).toBeNull();
  await long.release();
  const write = await rival.acquireWrite();
  expect(write.abandoned).toBe(false);
  await write.release();
});
