/** Acquisitions that replicas have to know of. */
import { createCluster } from 'redis';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { BackendUnavailableError, UnsupportedError } from 'mortise';
import { RedisLock, type RedisClient, type RedisLockOptions } from 'mortise/redis';
import { until } from '../fixtures/until.ts';
import { connect, kinds } from './clients.ts';
import { RedisServer } from './server.mjs';

let main: RedisServer;
let replica: RedisServer;
let client: RedisClient;
let names = 0;
const newName = (): string => `replicated-${++names}`;

beforeAll(async () => {
  main = await RedisServer.start('--repl-diskless-sync-delay', 0);
  replica = await RedisServer.start('--replicaof', '127.0.0.1', main.port);
  client = await connect(main.url);
  await until(
    async () => (await replica.send('INFO replication')).includes('master_link_status:up'),
    'the replica follows',
  );
});
afterAll(() => Promise.all([main.end(), replica.end()]));

const places: [string, () => Promise<RedisLockOptions>][] = [
  ['a URL', async () => ({ url: main.url })],
  ...Object.keys(kinds).map((kind): [string, () => Promise<RedisLockOptions>] => [
    kind,
    async () => ({ client: await connect(main.url, kind) }),
  ]),
];

test.each(places)('a lock is returned when a replica knows of it (%s)', async (_, place) => {
  const name = newName();
  const lock = new RedisLock(name, { ...(await place()), ttl: 10_000, verifyReplicas: 1 });
  for (let round = 0; round < 20; round++) {
    const lease = await lock.acquire();
    expect(await replica.send(`EXISTS mortise:lock:{${name}}`)).toBe(':1\r\n');
    expect(await lease.release()).toBe(true);
  }
});

test('it is given back, and tried again, while too few know of it', async () => {
  const lock = new RedisLock(newName(), { client, ttl: 3000, verifyReplicas: 1 });
  await (await lock.acquire()).release();
  replica.pause();
  const error: unknown = await lock.tryAcquire().then(
    () => expect.fail('was not rejected'),
    (reason: unknown) => reason,
  );
  expect(error).toBeInstanceOf(BackendUnavailableError);
  expect((error as Error).message).toContain('0 of 1 replicas knew of it');
  expect(await lock.isLocked()).toBe(false);
  const waiting = lock.acquire();
  replica.resume();
  expect(await (await waiting).release()).toBe(true);
});

test('more replicas than there are is an error after the ttl, and nothing is left behind', async () => {
  const lock = new RedisLock(newName(), { client, ttl: 500, verifyReplicas: 2 });
  await expect(lock.acquire()).rejects.toThrow('1 of 2 replicas');
  expect(await lock.info()).toMatchObject({ holders: 0, waiters: 0 });
});

test.each<[string, () => object, new (text: string) => Error]>([
  ['a text', () => ({ client, verifyReplicas: '1' }), TypeError],
  ['a fraction', () => ({ client, verifyReplicas: 0.5 }), RangeError],
  ['several servers', () => ({ urls: [main.url, replica.url], verifyReplicas: 1 }), UnsupportedError],
  [
    'a cluster',
    () => ({ client: createCluster({ rootNodes: [{ url: main.url }] }), verifyReplicas: 1 }),
    UnsupportedError,
  ],
])('%s is refused', (_, options, kind) => {
  const make = (): unknown => new RedisLock('a', options() as never);
  expect(make).toThrow(kind);
  expect(make).toThrow('options.verifyReplicas');
});

test('nobody else gets it from a replica that was promoted', async () => {
  const name = newName();
  const lease = await new RedisLock(name, { client, ttl: 60_000, verifyReplicas: 1 }).acquire();
  await main.kill();
  await replica.send('REPLICAOF NO ONE');
  const there = new RedisLock(name, { client: await connect(replica.url) });
  expect(await there.tryAcquire()).toBeNull();
  expect(lease.held).toBe(true);
  await main.run();
  await lease.release();
});
