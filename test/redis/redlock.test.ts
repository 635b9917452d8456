import { afterAll, beforeAll, beforeEach, describe, expect, onTestFinished, test } from 'vitest';
import { BackendUnavailableError, LockTimeoutError } from 'mortise';
import { RedisLock, type RedisClient } from 'mortise/redis';
import { describeLease } from '../contract/lease.ts';
import { rejection } from '../fixtures/rejection.ts';
import { until } from '../fixtures/until.ts';
import { connect } from './clients.ts';
import { RedisServer } from './server.mjs';

let servers: RedisServer[];
let clients: RedisClient[];
let others: RedisClient[];
let names = 0;
let name: string;

beforeAll(async () => {
  servers = await Promise.all([RedisServer.start(), RedisServer.start(), RedisServer.start()]);
  clients = await Promise.all(servers.map(({ url }) => connect(url)));
  others = await Promise.all(servers.map(({ url }) => connect(url, 'ioredis 6')));
});
beforeEach(() => {
  name = `redlock-${++names}`;
});
afterAll(() => Promise.all(servers.map((server) => server.end())));

/** Stops a server until the test is over. */
function pause(...places: number[]): void {
  for (const place of places) servers[place]?.pause();
  onTestFinished(() => {
    for (const place of places) servers[place]?.resume();
  });
}

describeLease(
  'a RedisLock on three servers',
  () => ({
    lock: new RedisLock(name, { clients }),
    rival: new RedisLock(name, { clients: others }),
    expiring: new RedisLock(name, { clients: others, ttl: 300, autoExtend: false }),
  }),
  { queues: false },
);

describe('a RedisLock on three servers', () => {
  test('does not wait for one that stands still', async () => {
    const lock = new RedisLock(name, { clients, ttl: 1000 });
    await (await lock.acquire()).release();
    pause(1);
    const times: number[] = [];
    for (let count = 0; count < 5; count++) {
      const begin = performance.now();
      const lease = await lock.acquire();
      expect(await lease.release()).toBe(true);
      times.push(performance.now() - begin);
    }
    // Half a second would be ten times what a server is waited for.
    expect(Math.min(...times)).toBeLessThan(500);
  });

  test('is renewed by the majority', async () => {
    const lease = await new RedisLock(name, { clients, ttl: 600 }).acquire();
    pause(0);
    await new Promise((resolve) => setTimeout(resolve, 1500));
    expect(lease.held).toBe(true);
    expect(await new RedisLock(name, { clients: others }).isLocked()).toBe(true);
    expect(await lease.release()).toBe(true);
  });

  test('is lost when a majority has forgotten it', async () => {
    const lease = await new RedisLock(name, { clients, ttl: 600 }).acquire();
    await servers[0]?.send('FLUSHALL');
    await lease.extend();
    expect(lease.held).toBe(true);
    await servers[1]?.send('FLUSHALL');
    await servers[0]?.send('FLUSHALL');
    await until(() => lease.signal.aborted, 'it is lost');
    expect(await lease.release()).toBe(false);
  });

  test('says what each server answered when too few do', async () => {
    const lock = new RedisLock(name, { clients, ttl: 400 });
    pause(0, 2);
    const error = (await rejection(lock.tryAcquire())) as BackendUnavailableError;
    expect(error).toBeInstanceOf(BackendUnavailableError);
    for (const text of ['server 1: no answer', 'server 2: acquired', 'server 3: no answer'])
      expect(error.message).toContain(text);
    expect((error.cause as AggregateError).errors[0]).toBeInstanceOf(Error);
    expect(await rejection(lock.acquire({ timeout: 100 }))).toBeInstanceOf(LockTimeoutError);
    expect(await rejection(lock.acquire())).toBeInstanceOf(BackendUnavailableError);
    expect(await rejection(lock.isLocked())).toBeInstanceOf(BackendUnavailableError);
  });

  test('says who holds it when it is not to be had', async () => {
    const lease = await new RedisLock(name, { clients }).acquire();
    const error = (await rejection(
      new RedisLock(name, { clients: others }).acquire({ timeout: 50 }),
    )) as Error;
    expect(error).toBeInstanceOf(LockTimeoutError);
    expect(error.message).toContain(`held by process ${process.pid}`);
    await lease.release();
  });

  test('has fences that grow, whichever majority decides', async () => {
    const lock = new RedisLock(name, { clients, ttl: 1000 });
    // A server whose clock, or memory, is far ahead of the others'.
    const ahead = 4_000_000_000_000_000;
    await servers[0]?.send(`SET mortise:lock:{${name}} ${ahead}`);
    pause(2);
    const first = await lock.acquire();
    expect(first.fence > BigInt(ahead)).toBe(true);
    await first.release();
    servers[2]?.resume();
    servers[0]?.pause();
    onTestFinished(() => servers[0]?.resume());
    const second = await lock.acquire();
    expect(second.fence > first.fence).toBe(true);
    await second.release();
  });

  test('leaves nothing behind on any server', async () => {
    const lock = new RedisLock(name, { clients });
    const lease = await lock.acquire();
    await rejection(new RedisLock(name, { clients: others }).acquire({ timeout: 60 }));
    await lease.release();
    const single = others.map((client) => new RedisLock(name, { client }));
    await until(async () => {
      const locked = await Promise.all(single.map((it) => it.isLocked()));
      return !locked.includes(true);
    }, 'it is free everywhere');
  });

  test('is held by one of two who each had a part of it in the end', async () => {
    const parts = [
      await new RedisLock(name, { client: others[0]!, ttl: 400, autoExtend: false }).acquire(),
      await new RedisLock(name, { client: others[1]!, ttl: 400, autoExtend: false }).acquire(),
    ];
    const lease = await new RedisLock(name, { clients }).acquire();
    expect(parts.some((part) => !part.held)).toBe(true);
    await lease.release();
  });
});

test('one client in the list is a lock on one server', async () => {
  const lock = new RedisLock(name, { clients: [clients[0]!] });
  const same = new RedisLock(name, { client: others[0]! });
  const lease = await lock.acquire();
  expect(await same.tryAcquire()).toBeNull();
  const waiting = same.acquire();
  await until(async () => (await lock.info()).waiters === 1, 'it waits');
  await lease.release();
  await (await waiting).release();
});

test.each<[string, (client: RedisClient) => unknown, new () => Error]>([
  ['options.clients', () => ({ clients: [] }), RangeError],
  ['options.clients', () => ({ clients: {} }), TypeError],
  ['options.clients[1]', (client) => ({ clients: [client, 'b'] }), TypeError],
  ['options.clients', (client) => ({ clients: [client, client] }), RangeError],
  ['options.client', (client) => ({ clients: [client], client }), TypeError],
])('%s is checked (%s)', (what, options, kind) => {
  const make = (): unknown => new RedisLock('a', options(clients[0]!) as never);
  expect(make).toThrow(kind);
  expect(make).toThrow(what);
});
