import { afterAll, beforeAll, expect, test } from 'vitest';
import { UnsupportedError } from 'mortise';
import { RedisReadWriteLock, type RedisClient } from 'mortise/redis';
import { describeReadWriteLock } from '../contract/remote-read-write-lock.ts';
import { connect, kinds } from './clients.ts';
import { RedisServer } from './server.mjs';

let server: RedisServer;
let clients: RedisClient[];
let names = 0;

beforeAll(async () => {
  server = await RedisServer.start();
  clients = await Promise.all(Object.keys(kinds).map((kind) => connect(server.url, kind)));
});
afterAll(() => server.end());

describeReadWriteLock(
  'A RedisReadWriteLock',
  () => {
    const name = `table-${++names}`;
    return (place, options = {}) =>
      new RedisReadWriteLock(name, { client: clients[place] as RedisClient, ...options });
  },
  150,
);

test('readers have the fence of the last write, or a larger one when the server has forgotten it', async () => {
  const [lock, rival] = clients.map((client) => new RedisReadWriteLock('table', { client })) as [
    RedisReadWriteLock,
    RedisReadWriteLock,
  ];
  const fence = await lock.writer.withLock((lease) => lease.fence);
  expect(await rival.reader.withLock((lease) => lease.fence)).toBe(fence);
  await server.send('FLUSHALL');
  const read = await rival.reader.withLock((lease) => lease.fence);
  expect(read > fence).toBe(true);
  expect(await lock.reader.withLock((lease) => lease.fence)).toBe(read);
  expect(await lock.writer.withLock((lease) => lease.fence > read)).toBe(true);
});

test.each([
  ['options.clients', () => ({ clients })],
  ['options.clients', () => ({ client: clients[0], clients })],
  ['options.urls', () => ({ urls: [server.url] })],
  ['options.verifyReplicas', () => ({ client: clients[0], verifyReplicas: 1 })],
])('%s of a RedisLock is refused', (what, options) => {
  const make = (): unknown => new RedisReadWriteLock('a', options() as never);
  expect(make).toThrow(UnsupportedError);
  expect(make).toThrow(what);
});
