/** Clients as their users have set them up. */
import { Redis } from 'ioredis';
import { createClient, createClientPool } from 'redis';
import { createClientPool as createClientPool5 } from 'redis-5';
import { afterAll, beforeAll, describe, expect, onTestFinished, test } from 'vitest';
import { UnsupportedError } from 'mortise';
import { RedisLock, type RedisClient } from 'mortise/redis';
import { isPassing } from '../../dist/redis/failure.js';
import { until } from '../fixtures/until.ts';
import { RedisServer } from './server.mjs';

let server: RedisServer;

beforeAll(async () => {
  server = await RedisServer.start();
});
afterAll(() => server.end());

async function ioRedis(options: object): Promise<RedisClient> {
  const client = new Redis({ port: server.port, ...options });
  client.on('error', () => {});
  onTestFinished(() => client.disconnect());
  await until(() => client.status === 'ready' || client.status === 'wait', 'it is connected');
  return client;
}

async function nodeRedis(options: object): Promise<RedisClient> {
  const client = createClient({ url: server.url, ...options });
  client.on('error', () => {});
  onTestFinished(() => client.destroy());
  await client.connect();
  return client;
}

async function subscribers(): Promise<number> {
  return (await server.send('CLIENT LIST TYPE pubsub')).split('id=').length - 1;
}

test.each<[string, () => Promise<RedisClient>]>([
  ['ioredis without a queue', () => ioRedis({ enableOfflineQueue: false })],
  ['ioredis that connects when it is asked', () => ioRedis({ lazyConnect: true })],
  ['ioredis with a prefix', () => ioRedis({ keyPrefix: 'app:' })],
  ['ioredis that tells numbers as text', () => ioRedis({ stringNumbers: true })],
  ['ioredis with pipelines', () => ioRedis({ enableAutoPipelining: true })],
  ['node-redis without a queue', () => nodeRedis({ disableOfflineQueue: true })],
  ['node-redis with RESP2', () => nodeRedis({ RESP: 2 })],
  ['node-redis with RESP3', () => nodeRedis({ RESP: 3 })],
])('%s locks, waits and is woken by a message', async (kind, make) => {
  const [one, other] = [await make(), await make()];
  const lock = new RedisLock(kind, { client: one });
  const rival = new RedisLock(kind, { client: other });
  const lease = await lock.acquire();
  const waiting = rival.acquire();
  await until(async () => (await lock.info()).waiters === 1, 'it waits');
  await until(async () => (await subscribers()) > 0, 'it listens');
  expect(await lease.release()).toBe(true);
  const next = await waiting;
  expect(next.fence > lease.fence).toBe(true);
  expect(await next.release()).toBe(true);
  await until(async () => (await subscribers()) === 0, 'it listens no more');
});

describe('an error that a server answers with', () => {
  test.each([
    'LOADING Redis is loading the dataset in memory',
    "READONLY You can't write against a read only replica. script: 5c, on @user_script:12.",
    "ERR Error running script (call to f_5c): @user_script:6: @user_script: 6: -READONLY You can't write against a read only replica.",
    'Socket closed unexpectedly',
  ])('may pass: %s', (message) => {
    expect(isPassing(new Error(message))).toBe(true);
  });

  test.each([
    'WRONGTYPE Operation against a key holding the wrong kind of value',
    'NOAUTH Authentication required.',
    'ERR Error running script (call to f_5c): @user_script:6: @user_script: 6: -WRONGTYPE Operation against a key',
    "OOM command not allowed when used memory > 'maxmemory'.",
  ])('stays: %s', (message) => {
    expect(isPassing(new Error(message))).toBe(false);
  });
});

test.each<[string, (options: object) => RedisClient]>([
  ['node-redis 6', (options) => createClientPool(options)],
  ['node-redis 5', (options) => createClientPool5(options)],
])('a pool of clients is refused (%s)', (_, make) => {
  const client = make({ url: server.url });
  expect(() => new RedisLock('a', { client })).toThrow(UnsupportedError);
  expect(() => new RedisLock('a', { client })).toThrow('options.client is a pool');
  expect(() => new RedisLock('a', { clients: [client] })).toThrow('options.clients[0] is a pool');
});
