/** A server that has no memory left. */
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest';
import { BackendUnavailableError } from 'mortise';
import { RedisLock, RedisReadWriteLock, RedisSemaphore, type RedisClient } from 'mortise/redis';
import { connect } from './clients.ts';
import { RedisServer } from './server.mjs';

let server: RedisServer;
let client: RedisClient;
let other: RedisClient;
let names = 0;

beforeAll(async () => {
  server = await RedisServer.start();
  client = await connect(server.url);
  other = await connect(server.url, 'ioredis 6');
});
beforeEach(() => server.send('CONFIG SET maxmemory 0'));
afterAll(() => server.end());

const kinds = [
  ['a lock', (client: RedisClient, name: string) => new RedisLock(name, { client })],
  ['a semaphore', (client: RedisClient, name: string) => new RedisSemaphore(name, { client, permits: 1 })],
  ['a writer', (client: RedisClient, name: string) => new RedisReadWriteLock(name, { client }).writer],
] as const;

test.each(kinds)('keeps %s, lets it be released and says why it gives no other', async (_, make) => {
  const name = `full ${++names}`;
  const [lock, rival] = [make(client, name), make(other, name)];
  const lease = await lock.acquire();
  await server.send('CONFIG SET maxmemory 1');
  // Of one that waits already, see below.
  const error = await rival.acquire().then(
    () => expect.fail('was acquired'),
    (reason: unknown) => reason as Error,
  );
  expect(error).toBeInstanceOf(BackendUnavailableError);
  expect(error.message).toContain('OOM');
  expect((await lock.info()).waiters).toBe(0);
  await lease.extend();
  await lease.extend(60_000);
  expect(await lease.release()).toBe(true);
  expect(await lock.isLocked()).toBe(false);
  await server.send('CONFIG SET maxmemory 0');
  expect(await lock.withLock(() => 'again')).toBe('again');
});

test.each(kinds)('whoever waits for %s has it in the end, or is told why not', async (_, make) => {
  const name = `waiting ${++names}`;
  const [lock, rival] = [make(client, name), make(other, name)];
  const lease = await lock.acquire();
  const waiting = rival.acquire().then(
    (taken) => taken.release(),
    (reason: unknown) => reason,
  );
  await expect.poll(async () => (await lock.info()).waiters).toBe(1);
  await server.send('CONFIG SET maxmemory 1');
  expect(await lease.release()).toBe(true);
  // Refused if it looks again before its turn comes, which is chance; to leave the queue needs no memory, nor does what follows.
  const outcome = await waiting;
  if (outcome !== true) {
    expect(outcome).toBeInstanceOf(BackendUnavailableError);
    expect((outcome as Error).message).toContain('OOM');
  }
  expect((await lock.info()).waiters).toBe(0);
  expect(await lock.isLocked()).toBe(false);
});
