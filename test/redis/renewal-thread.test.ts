/** Leases that are renewed in a thread of their own. */
import { afterAll, beforeAll, beforeEach, describe, expect, onTestFinished, test } from 'vitest';
import { LockLostError, UnsupportedError, redisBackend } from 'mortise';
import { RedisLock, RedisReadWriteLock, RedisSemaphore, type RedisClient } from 'mortise/redis';
import { describeLease } from '../contract/lease.ts';
import { runFixture } from '../fixtures/child.ts';
import { until } from '../fixtures/until.ts';
import { connect } from './clients.ts';
import { RedisServer } from './server.mjs';

const TTL = 1000;
let server: RedisServer;
let client: RedisClient;
let names = 0;
let name: string;

beforeAll(async () => {
  server = await RedisServer.start();
  client = await connect(server.url);
});
beforeEach(() => {
  name = `in a thread ${++names}`;
});
afterAll(() => server.end());

const options = { ttl: TTL, renewIn: 'thread' } as const;

/** Nothing else runs in this thread meanwhile. */
function block(milliseconds: number): void {
  for (const end = performance.now() + milliseconds; performance.now() < end;);
}

describeLease('a RedisLock that is renewed in a thread', () => {
  const name = `contract ${++names}`;
  return {
    lock: new RedisLock(name, { url: server.url, renewIn: 'thread' }),
    rival: new RedisLock(name, { client }),
    expiring: new RedisLock(name, { client, ttl: 150, autoExtend: false }),
  };
});

describe('an event loop that is blocked for longer than the ttl', () => {
  test.each([
    ['a lock', () => new RedisLock(name, { url: server.url, ...options })],
    ['a semaphore', () => new RedisSemaphore(name, { url: server.url, ...options, permits: 2 })],
    ['a reader', () => new RedisReadWriteLock(name, { url: server.url, ...options }).reader],
    ['a lock by name', () => redisBackend({ url: server.url, ...options }).lock(name)],
  ])('does not lose %s', async (_, make) => {
    const lock = make();
    const lease = (await lock.acquire()) as Awaited<ReturnType<RedisLock['acquire']>>;
    const { signal } = lease;
    block(2 * TTL);
    expect(lease.held).toBe(true);
    expect(lease.remaining).toBeGreaterThan(0);
    expect(signal.aborted).toBe(false);
    await null;
    block(TTL);
    expect(await lease.release()).toBe(true);
    expect(signal.aborted).toBe(false);
    expect(await lock.isLocked()).toBe(false);
  });

  test('does not lose a lock of several servers', async () => {
    const servers = await Promise.all([1, 2, 3].map(() => RedisServer.start()));
    onTestFinished(() => Promise.all(servers.map((it) => it.end())).then(() => undefined));
    const lock = new RedisLock(name, { urls: servers.map(({ url }) => url), ...options, ttl: 3000 });
    const lease = await lock.acquire();
    block(4500);
    expect(lease.held).toBe(true);
    expect(await lease.release()).toBe(true);
  });

  test('loses what maxHold ends', async () => {
    const lock = new RedisLock(name, { url: server.url, ...options, maxHold: 1400 });
    const lease = await lock.acquire();
    block(1400 + 1.5 * TTL);
    expect(lease.held).toBe(false);
    expect(lease.signal.aborted).toBe(true);
    expect((lease.signal.reason as Error).message).toContain('maxHold');
    expect(await lease.release()).toBe(false);
  });

  test('finds lost what the server has forgotten meanwhile', async () => {
    const lock = new RedisLock(name, { url: server.url, ...options });
    const lease = await lock.acquire();
    await server.send('FLUSHALL');
    block(2 * TTL);
    expect(lease.held).toBe(false);
    expect(lease.signal.reason).toBeInstanceOf(LockLostError);
    expect(lease.remaining).toBe(0);
  });
});

test('the signal aborts when it is lost, without being asked', async () => {
  const lease = await new RedisLock(name, { url: server.url, ...options }).acquire();
  let reason: unknown;
  lease.signal.addEventListener('abort', () => (reason = lease.signal.reason));
  await server.send('FLUSHALL');
  await until(() => lease.signal.aborted, 'it is told');
  expect(reason).toBeInstanceOf(LockLostError);
  expect((reason as Error).message).toMatch(
    /^ERR_LOCK_LOST: the lock 'in a thread \d+' was lost: somebody else/,
  );
});

test('extend() lasts for as long as it says, and renewals go on with that', async () => {
  const lock = new RedisLock(name, { url: server.url, ...options });
  const lease = await lock.acquire();
  await lease.extend(5000);
  expect(lease.remaining).toBeGreaterThan(4000);
  const extending = lease.extend(800);
  expect(lease.remaining).toBeLessThanOrEqual(800);
  await extending;
  expect(lease.remaining).toBeLessThanOrEqual(800);
  block(1600);
  expect(lease.held).toBe(true);
  await server.send('FLUSHALL');
  const error: unknown = await lease.extend().then(
    () => undefined,
    (reason: unknown) => reason,
  );
  expect(error).toBeInstanceOf(LockLostError);
  expect(await lease.release()).toBe(false);
});

test('a server that stands still loses it in time', async () => {
  const own = await RedisServer.start();
  onTestFinished(() => own.end());
  const lease = await new RedisLock(name, { url: own.url, ...options }).acquire();
  own.pause();
  const begin = performance.now();
  await until(() => lease.signal.aborted, 'it is lost');
  expect(performance.now() - begin).toBeLessThan(TTL + 200);
  own.resume();
});

test('the thread keeps no program alive', async () => {
  const { stdout, stderr, code, elapsed } = await runFixture('../redis/held-in-thread.mjs', [
    server.url,
    name,
  ]);
  expect([stdout, stderr, code]).toEqual(['held\n', '', 0]);
  expect(elapsed).toBeLessThan(10_000);
});

test('a client of the user cannot be used by a thread', () => {
  expect(() => new RedisLock(name, { client, renewIn: 'thread' })).toThrow(UnsupportedError);
  expect(() => redisBackend({ client, renewIn: 'thread' })).toThrow('options.renewIn');
  expect(() => new RedisLock(name, { client, renewIn: 'worker' as never })).toThrow(TypeError);
});
