import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest';
import { UnsupportedError } from 'mortise';
import { RedisReadWriteLock, type RedisClient, type RedisLease } from 'mortise/redis';
import { describeLease } from '../contract/lease.ts';
import { until } from '../fixtures/until.ts';
import { connect } from './clients.ts';
import { RedisServer } from './server.mjs';

let server: RedisServer;
let client: RedisClient;
let other: RedisClient;
let names = 0;
let lock: RedisReadWriteLock;
let rival: RedisReadWriteLock;
let expiring: RedisReadWriteLock;

beforeAll(async () => {
  server = await RedisServer.start();
  client = await connect(server.url);
  other = await connect(server.url, 'ioredis 6');
});
beforeEach(() => {
  const name = `table-${++names}`;
  lock = new RedisReadWriteLock(name, { client });
  rival = new RedisReadWriteLock(name, { client: other });
  expiring = new RedisReadWriteLock(name, { client: other, ttl: 150, autoExtend: false });
});
afterAll(() => server.end());

describeLease('the writer of a RedisReadWriteLock', () => ({
  lock: lock.writer,
  rival: rival.writer,
  expiring: expiring.writer,
}));
describeLease(
  'the reader of a RedisReadWriteLock',
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
  await writer?.release();
});

test('readers have the fence of the last write, or a larger one when the server has forgotten it', async () => {
  const fence = await lock.writer.withLock((lease) => lease.fence);
  expect(await rival.reader.withLock((lease) => lease.fence)).toBe(fence);
  await server.send('FLUSHALL');
  const read = await rival.reader.withLock((lease) => lease.fence);
  expect(read > fence).toBe(true);
  expect(await lock.reader.withLock((lease) => lease.fence)).toBe(read);
  expect(await lock.writer.withLock((lease) => lease.fence > read)).toBe(true);
});

test('first come, first served: readers wait behind a writer, and are woken together', async () => {
  const reading = await lock.acquireRead();
  const order: string[] = [];
  const writing = rival.acquireWrite().then((lease) => (order.push('write'), lease));
  await until(async () => (await lock.reader.info()).waiters === 1, 'it waits');
  expect(await lock.tryAcquireRead()).toBeNull();
  const clients = await Promise.all(['node-redis 5', 'ioredis 5'].map((kind) => connect(server.url, kind)));
  const readers: Promise<RedisLease>[] = [];
  for (const it of clients) {
    readers.push(
      new RedisReadWriteLock(lock.name, { client: it })
        .acquireRead()
        .then((lease) => (order.push('read'), lease)),
    );
    await until(async () => (await lock.reader.info()).waiters === readers.length + 1, 'it waits');
  }
  await reading.release();
  const writer = await writing;
  expect(order).toEqual(['write']);
  await writer.release();
  const both = await Promise.all(readers);
  expect(both.every((lease) => lease.held)).toBe(true);
  for (const lease of both) await lease.release();
});

test("a reader's fence is that of the last write", async () => {
  const write = await lock.acquireWrite();
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
  await later.release();
});

test('each hold expires by itself', async () => {
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

test.each([
  ['options.clients', () => ({ clients: [client] })],
  ['options.clients', () => ({ client, clients: [client] })],
  ['options.urls', () => ({ urls: [server.url] })],
  ['options.verifyReplicas', () => ({ client, verifyReplicas: 1 })],
])('%s of a RedisLock is refused', (what, options) => {
  const make = (): unknown => new RedisReadWriteLock('a', options() as never);
  expect(make).toThrow(UnsupportedError);
  expect(make).toThrow(what);
});
