import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { LockLostError } from 'mortise';
import { RedisLock, type RedisClient } from 'mortise/redis';
import { describeLease } from '../contract/lease.ts';
import { until } from '../fixtures/until.ts';
import { connect, kinds } from './clients.ts';
import { RedisServer } from './server.mjs';

let server: RedisServer;
const clients = new Map<string, [RedisClient, RedisClient]>();
let names = 0;
const newName = (): string => `lock-${++names}`;
/** Two clients of different kinds. */
let client: RedisClient;
let other: RedisClient;

beforeAll(async () => {
  server = await RedisServer.start();
  for (const kind of Object.keys(kinds))
    clients.set(kind, [await connect(server.url, kind), await connect(server.url, kind)]);
  client = clients.get('node-redis 6')![0];
  other = clients.get('ioredis 6')![0];
});
afterAll(() => server.end());

for (const kind of Object.keys(kinds))
  describeLease(`a RedisLock through ${kind}`, () => {
    const [client, rival] = clients.get(kind)!;
    const name = newName();
    return {
      lock: new RedisLock(name, { client }),
      rival: new RedisLock(name, { client: rival }),
      expiring: new RedisLock(name, { client: rival, ttl: 150, autoExtend: false }),
    };
  });

describe('who excludes whom', () => {
  test('clients of any kind exclude each other', async () => {
    const name = newName();
    const locks = [...clients.values()].flat().map((client) => new RedisLock(name, { client }));
    for (const holder of locks) {
      const lease = await holder.acquire();
      for (const lock of locks) expect(await lock.tryAcquire()).toBeNull();
      await lease.release();
    }
  });

  test('locks of other names and prefixes do not, whatever the names are made of', async () => {
    const locks = ['a', 'A', 'a:queue', '}', '{}', '{a}', '%7b', '{', ' ', 'ü', 'a b'].map(
      (name) => new RedisLock(name, { client }),
    );
    locks.push(new RedisLock('a', { client, prefix: 'other:' }), new RedisLock('a', { client, prefix: '' }));
    const leases = await Promise.all(locks.map((lock) => lock.tryAcquire()));
    expect(leases.every((lease) => lease?.held)).toBe(true);
    for (const lease of leases) await lease?.release();
  });

  test.each(Object.keys(kinds))('what %s asks for first is carried out in order', async (kind) => {
    const fresh = await RedisServer.start();
    try {
      const lock = new RedisLock('ordered', { client: await connect(fresh.url, kind) });
      const lease = await lock.acquire();
      const released = lease.release();
      const next = await lock.tryAcquire();
      expect(await released).toBe(true);
      expect(next?.held).toBe(true);
    } finally {
      await fresh.end();
    }
  });

  test('first come, first served between clients, even for those who try', async () => {
    const name = newName();
    const locks = [...clients.values()].map(([client]) => new RedisLock(name, { client }));
    const held = await new RedisLock(name, { client }).acquire();
    const order: number[] = [];
    const waiting: Promise<unknown>[] = [];
    for (const [index, lock] of locks.entries()) {
      waiting.push(lock.withLock(() => void order.push(index)));
      await until(async () => (await lock.info()).waiters === index + 1, 'it waits');
    }
    await held.release();
    expect(await new RedisLock(name, { client }).tryAcquire()).toBeNull();
    await Promise.all(waiting);
    expect(order).toEqual([0, 1, 2, 3]);
  });
});

describe('the time it lasts', () => {
  test('it is renewed for as long as it is held, and no longer', async () => {
    const lock = new RedisLock(newName(), { client, ttl: 600 });
    const lease = await lock.acquire();
    const since = performance.now();
    while (performance.now() - since < 1500) {
      expect(lease.held).toBe(true);
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
    expect(lease.signal.aborted).toBe(false);
    expect(await lease.release()).toBe(true);
  });

  test('maxHold ends the renewals', async () => {
    const lock = new RedisLock(newName(), { client, ttl: 400, maxHold: 500 });
    const lease = await lock.acquire();
    await until(() => lease.signal.aborted, 'it is lost');
    expect((lease.signal.reason as Error).message).toContain('maxHold');
    expect(await lease.release()).toBe(false);
  });

  test('an event loop that was blocked for longer than that finds it lost at once', async () => {
    const lock = new RedisLock(newName(), { client, ttl: 500 });
    const lease = await lock.acquire();
    const until = performance.now() + 700;
    while (performance.now() < until);
    expect(lease.held).toBe(false);
    expect(lease.remaining).toBe(0);
    expect(lease.signal.aborted).toBe(true);
    expect(lease.signal.reason).toBeInstanceOf(LockLostError);
    expect(await lease.release()).toBe(false);
  });

  test('an answer that comes too late is never returned as held', async () => {
    const name = newName();
    const slow = new RedisLock(name, { client, ttl: 50 });
    const waiting = slow.acquire();
    // The request was sent; its answer is read when it has expired.
    const until = performance.now() + 150;
    while (performance.now() < until);
    const lease = await waiting;
    expect(lease.held).toBe(true);
    expect(await lease.release()).toBe(true);
  });
});

describe('the fence', () => {
  test('grows after the server has forgotten everything', async () => {
    const name = newName();
    const lock = new RedisLock(name, { client, ttl: 200 });
    const first = await lock.acquire();
    await server.send('FLUSHALL');
    await until(() => first.signal.aborted, 'the renewal finds it lost');
    const second = await new RedisLock(name, { client: other }).acquire();
    expect(second.fence > first.fence).toBe(true);
    await second.release();
  });

  test('grows after the server has forgotten the last holds', async () => {
    const name = newName();
    const lock = new RedisLock(name, { client });
    const key = `mortise:lock:{${name}}`;
    const first = await lock.acquire();
    await first.release();
    const before = await server.send(`GET ${key}`);
    const second = await lock.acquire();
    await second.release();
    // As after a restart from an older file, or with a replica that missed the last second.
    await server.send(`SET ${key} ${before.split('\r\n')[1]}`);
    const third = await lock.acquire();
    expect(third.fence > second.fence).toBe(true);
    await third.release();
  });

  test('grows by one at least where the clock of the server went back', async () => {
    const name = newName();
    const lock = new RedisLock(name, { client });
    const first = await lock.acquire();
    await first.release();
    const ahead = 4_000_000_000_000_000;
    await server.send(`SET mortise:lock:{${name}} ${ahead}`);
    const second = await lock.acquire();
    expect(second.fence).toBe(BigInt(ahead) + 1n);
    await second.release();
  });

  test('grows by one at least over a hold that ran out of time', async () => {
    const name = newName();
    const lock = new RedisLock(name, { client, ttl: 50, autoExtend: false });
    const ahead = 4_000_000_000_000_000;
    await server.send(`SET mortise:lock:{${name}} ${ahead}`);
    const first = await lock.acquire();
    const second = await lock.acquire();
    expect(second.abandoned).toBe(true);
    expect(first.fence).toBe(BigInt(ahead) + 1n);
    expect(second.fence).toBe(BigInt(ahead) + 2n);
    await second.release();
  });

  test('is kept for a day, in the one key that a lock has when nobody waits', async () => {
    const name = newName();
    const lock = new RedisLock(name, { client, ttl: 10_000 });
    await lock.withLock(() => {});
    const day = 24 * 60 * 60 * 1000;
    const left = Number((await server.send(`PTTL mortise:lock:{${name}}`)).slice(1));
    expect(left).toBeGreaterThan(day);
    expect(left).toBeLessThanOrEqual(day + 10_000);
    expect(await server.send(`KEYS *{${name}}*`)).toMatch(/^\*1\r\n/);
  });

  test('a key with another value is not taken for a lock', async () => {
    const name = newName();
    await server.send(`SET mortise:lock:{${name}} mine`);
    const lock = new RedisLock(name, { client });
    for (const ask of [() => lock.acquire(), () => lock.tryAcquire(), () => lock.isLocked()])
      await expect(ask()).rejects.toThrow(/another value than that of a lock/);
    expect(await server.send(`GET mortise:lock:{${name}}`)).toContain('mine');
  });
});

describe('re-entry', () => {
  test('a reentrant lock is had again inside a withLock body, by any object of it', async () => {
    const name = newName();
    const lock = new RedisLock(name, { client, reentrant: true });
    const same = new RedisLock(name, { client, reentrant: true });
    await lock.withLock(async (outer) => {
      const inner = await same.acquire({ timeout: 0 });
      expect(inner.fence).toBe(outer.fence);
      await lock.withLock((innermost) => expect(innermost.held).toBe(true));
      expect(await inner.release()).toBe(true);
      expect(await inner.release()).toBe(false);
      expect(outer.held).toBe(true);
      expect(await lock.isLocked()).toBe(true);
    });
    expect(await lock.isLocked()).toBe(false);
  });

  test('not by other tasks, nor by a lock that is not reentrant', async () => {
    const name = newName();
    const lock = new RedisLock(name, { client, reentrant: true });
    let enter = (): void => {};
    const entered = new Promise<void>((resolve) => (enter = resolve));
    let leave = (): void => {};
    const left = new Promise<void>((resolve) => (leave = resolve));
    const body = lock.withLock(async () => {
      expect(await new RedisLock(name, { client }).tryAcquire()).toBeNull();
      enter();
      await left;
    });
    await entered;
    expect(await lock.tryAcquire()).toBeNull();
    leave();
    await body;
  });
});

describe('options', () => {
  test.each([
    ['name', '', {}, RangeError],
    ['name', 1, {}, TypeError],
    ['options.client', 'a', { client: undefined }, TypeError],
    ['options.client', 'a', { client: { get: () => undefined } }, TypeError],
    ['options.ttl', 'a', { ttl: '1' }, TypeError],
    ['options.ttl', 'a', { ttl: 9 }, RangeError],
    ['options.ttl', 'a', { ttl: Infinity }, RangeError],
    ['options.autoExtend', 'a', { autoExtend: 1 }, TypeError],
    ['options.maxHold', 'a', { maxHold: 0 }, RangeError],
    ['options.maxHold', 'a', { maxHold: '1' }, TypeError],
    ['options.reentrant', 'a', { reentrant: 'yes' }, TypeError],
    ['options.prefix', 'a', { prefix: 1 }, TypeError],
    ['options.prefix', 'a', { prefix: '{a}' }, RangeError],
  ])('%s is checked (%j %j)', (what, name, options, kind) => {
    const make = (): unknown => new RedisLock(name as string, { client, ...options } as never);
    expect(make).toThrow(kind);
    expect(make).toThrow(what);
  });

  test('options are an object', () => {
    expect(() => new RedisLock('a', undefined as never)).toThrow('options must be an object');
  });
});
