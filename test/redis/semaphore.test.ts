import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { LockTimeoutError, NameConflictError, UnsupportedError } from 'mortise';
import { RedisSemaphore, type RedisClient, type RedisLease } from 'mortise/redis';
import { describeLease } from '../contract/lease.ts';
import { until } from '../fixtures/until.ts';
import { connect } from './clients.ts';
import { RedisServer } from './server.mjs';

let server: RedisServer;
let client: RedisClient;
let other: RedisClient;
let names = 0;
let name: string;

beforeAll(async () => {
  server = await RedisServer.start();
  client = await connect(server.url);
  other = await connect(server.url, 'ioredis 6');
});
beforeEach(() => {
  name = `semaphore-${++names}`;
});
afterAll(() => server.end());

async function rejection(promise: Promise<unknown>): Promise<unknown> {
  return promise.then(
    () => expect.fail('was not rejected'),
    (reason: unknown) => reason,
  );
}

describeLease(
  'a RedisSemaphore with one permit',
  () => {
    const of = (client: RedisClient, options = {}): RedisSemaphore =>
      new RedisSemaphore(`lease-${names}`, { client, permits: 1, ...options });
    return { lock: of(client), rival: of(other), expiring: of(other, { ttl: 150, autoExtend: false }) };
  },
  { isExclusive: false },
);

test('as many are held as there are permits, whoever holds them', async () => {
  const [a, b] = [client, other].map((it) => new RedisSemaphore(name, { client: it, permits: 3 })) as [
    RedisSemaphore,
    RedisSemaphore,
  ];
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
  const small = new RedisSemaphore(name, { client, permits: 4 });
  const large = new RedisSemaphore(name, { client: other, permits: 4 });
  const first = await small.acquire();
  const order: string[] = [];
  const all = large.withLock(() => void order.push('large'), { weight: 4 });
  await until(async () => (await small.info()).waiters === 1, 'it waits');
  expect(await small.tryAcquire()).toBeNull();
  expect(await small.available()).toBe(3);
  const one = small.withLock(() => void order.push('small'));
  await until(async () => (await small.info()).waiters === 2, 'it waits');
  await first.release();
  await Promise.all([all, one]);
  expect(order).toEqual(['large', 'small']);
});

test('all who fit at the head of the queue are woken at once', async () => {
  const holders = await Promise.all(
    ['node-redis 6', 'node-redis 5', 'ioredis 6', 'ioredis 5'].map((kind) => connect(server.url, kind)),
  );
  const semaphore = new RedisSemaphore(name, { client, permits: 4 });
  const held = await semaphore.acquire({ weight: 4 });
  const waiting: Promise<RedisLease>[] = [];
  for (const it of holders) {
    waiting.push(new RedisSemaphore(name, { client: it, permits: 4 }).acquire());
    await until(async () => (await semaphore.info()).waiters === waiting.length, 'it waits');
  }
  await held.release();
  const leases = await Promise.all(waiting);
  expect(await semaphore.available()).toBe(0);
  for (const lease of leases) await lease.release();
});

test('a request that gives up lets those behind it go on', async () => {
  const a = new RedisSemaphore(name, { client, permits: 2 });
  const b = new RedisSemaphore(name, { client: other, permits: 2 });
  const held = await a.acquire();
  const tooLarge = rejection(a.acquire({ weight: 2, timeout: 300 }));
  await until(async () => (await b.info()).waiters === 1, 'it waits');
  const waiting = b.acquire();
  await until(async () => (await b.info()).waiters === 2, 'it waits');
  expect(await tooLarge).toBeInstanceOf(LockTimeoutError);
  const lease = await waiting;
  expect(lease.held).toBe(true);
  await lease.release();
  await held.release();
});

test('holds of different lengths each expire by themselves: the limit is never exceeded', async () => {
  const long = new RedisSemaphore(name, { client, permits: 1, ttl: 60_000 });
  const short = new RedisSemaphore(name, { client: other, permits: 1, ttl: 50, autoExtend: false });
  const lease = await long.acquire();
  expect(await rejection(short.acquire({ timeout: 300 }))).toBeInstanceOf(LockTimeoutError);
  expect(lease.held).toBe(true);
  await lease.release();
  const brief = await short.acquire();
  const next = await long.acquire();
  expect(brief.held).toBe(false);
  expect(await short.tryAcquire()).toBeNull();
  expect(next.held).toBe(true);
  await next.release();
});

test('resize() changes how many there are, for everybody', async () => {
  const a = new RedisSemaphore(name, { client, permits: 2 });
  const b = new RedisSemaphore(name, { client: other, permits: 2 });
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
});

test('the same name with other permits is refused', async () => {
  const lease = await new RedisSemaphore(name, { client, permits: 2 }).acquire();
  const conflicting = new RedisSemaphore(name, { client, permits: 3 });
  expect(await rejection(conflicting.acquire())).toBeInstanceOf(NameConflictError);
  expect(await rejection(conflicting.tryAcquire())).toBeInstanceOf(NameConflictError);
  expect(await rejection(conflicting.resize(4))).toBeInstanceOf(NameConflictError);
  await lease.release();
});

describe('options', () => {
  test.each([
    ['options.permits', { permits: 0 }, RangeError],
    ['options.permits', { permits: 1.5 }, RangeError],
    ['options.permits', { permits: '1' }, TypeError],
    ['options.permits', {}, TypeError],
  ])('%s is checked (%j)', (what, options, kind) => {
    const make = (): unknown => new RedisSemaphore('a', { client, ...options } as never);
    expect(make).toThrow(kind);
    expect(make).toThrow(what);
  });

  test('weights are checked', async () => {
    const semaphore = new RedisSemaphore(name, { client, permits: 2 });
    for (const weight of [0, -1, 1.5, 3]) {
      expect(await rejection(semaphore.acquire({ weight }))).toBeInstanceOf(RangeError);
      expect(await rejection(semaphore.tryAcquire({ weight }))).toBeInstanceOf(RangeError);
    }
    expect(await rejection(semaphore.acquire({ weight: '1' as never }))).toBeInstanceOf(TypeError);
    expect(await semaphore.info()).toMatchObject({ holders: 0, waiters: 0 });
  });

  test('several servers are refused, with the reason', () => {
    const make = (): unknown => new RedisSemaphore('a', { clients: [client], permits: 2 } as never);
    expect(make).toThrow(UnsupportedError);
    expect(make).toThrow('majority');
  });

  test.each([{ verifyReplicas: 1 }, { reentrant: true }])(
    'those of a RedisLock are refused: %j',
    (options) => {
      const make = (): unknown => new RedisSemaphore('a', { client, permits: 2, ...options });
      expect(make).toThrow(UnsupportedError);
      expect(make).toThrow(`options.${Object.keys(options)[0]}`);
    },
  );
});
