import { afterAll, beforeAll, expect, test } from 'vitest';
import { NameConflictError, UnsupportedError } from 'mortise';
import { RedisSemaphore, type RedisClient } from 'mortise/redis';
import { describeSemaphore } from '../contract/remote-semaphore.ts';
import { rejection } from '../fixtures/rejection.ts';
import { until } from '../fixtures/until.ts';
import { connect, kinds } from './clients.ts';
import { RedisServer } from './server.mjs';

let server: RedisServer;
let clients: RedisClient[];
let client: RedisClient;
let names = 0;

beforeAll(async () => {
  server = await RedisServer.start();
  clients = await Promise.all([...Object.keys(kinds), 'ioredis 6'].map((kind) => connect(server.url, kind)));
  client = clients[0] as RedisClient;
});
afterAll(() => server.end());

describeSemaphore(
  'A RedisSemaphore',
  () => {
    const name = `semaphore-${++names}`;
    return (place, options) =>
      new RedisSemaphore(name, { client: clients[place] as RedisClient, ...options });
  },
  150,
);

test('resize() changes how many there are, for everybody', async () => {
  const [a, b] = clients.map((client) => new RedisSemaphore('resized', { client, permits: 2 })) as [
    RedisSemaphore,
    RedisSemaphore,
  ];
  const leases = [await a.acquire(), await a.acquire()];
  const waiting = b.acquire();
  await until(async () => (await a.info()).waiters === 1, 'it waits');
  await a.resize(3);
  leases.push(await waiting);
  await a.resize(1);
  expect(await b.available()).toBe(-2);
  for (const lease of leases) expect(await lease.release()).toBe(true);
  expect(await b.available()).toBe(1);
  expect(await rejection(b.acquire({ weight: 2 }))).toBeInstanceOf(RangeError);
  expect(await rejection(a.resize(0))).toBeInstanceOf(RangeError);
  const held = await a.acquire();
  const conflicting = new RedisSemaphore('resized', { client, permits: 3 });
  expect(await rejection(conflicting.resize(4))).toBeInstanceOf(NameConflictError);
  await held.release();
});

test('several servers are refused, with the reason', () => {
  const make = (): unknown => new RedisSemaphore('a', { clients: [client], permits: 2 } as never);
  expect(make).toThrow(UnsupportedError);
  expect(make).toThrow('majority');
});

test.each([{ verifyReplicas: 1 }, { reentrant: true }])('those of a RedisLock are refused: %j', (options) => {
  const make = (): unknown => new RedisSemaphore('a', { client, permits: 2, ...options });
  expect(make).toThrow(UnsupportedError);
  expect(make).toThrow(`options.${Object.keys(options)[0]}`);
});
