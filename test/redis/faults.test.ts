import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, onTestFinished, test } from 'vitest';
import { BackendUnavailableError, LockLostError, LockTimeoutError } from 'mortise';
import { RedisLock, type RedisClient } from 'mortise/redis';
import { rejection } from '../fixtures/rejection.ts';
import { until } from '../fixtures/until.ts';
import { connect, kinds } from './clients.ts';
import { Peer } from './peer.ts';
import { FaultProxy } from './proxy.mjs';
import { RedisServer } from './server.mjs';

let server: RedisServer;
let client: RedisClient;
let names = 0;
let name: string;

beforeAll(async () => {
  server = await RedisServer.start();
  client = await connect(server.url);
});
beforeEach(() => {
  name = `lock-${++names}`;
});
afterAll(async () => {
  await Peer.endAll();
  await server.end();
});

const wait = (milliseconds: number): Promise<void> =>
  new Promise((resolve) => setTimeout(resolve, milliseconds));

describe.each(Object.keys(kinds))('a bad line to the server (%s)', (kind) => {
  let proxy: FaultProxy;
  let far: RedisClient;
  /** The same lock by a line that does not fail. */
  let near: RedisLock;

  beforeEach(async () => {
    proxy = await FaultProxy.start(server.port);
    far = await connect(proxy.url, kind);
    near = new RedisLock(name, { client });
    // Both know each other, and the server the scripts.
    await (await new RedisLock(name, { client: far }).acquire()).release();
  });
  afterEach(() => proxy.end());

  test('an acquire whose answer was lost is recognised, not doubled', async () => {
    const lock = new RedisLock(name, { client: far });
    proxy.swallowsReplies = true;
    const waiting = lock.acquire();
    await until(() => near.isLocked(), 'the request arrives');
    proxy.heal();
    proxy.cut();
    const lease = await waiting;
    expect(lease.held).toBe(true);
    expect(await near.tryAcquire()).toBeNull();
    expect(await lease.release()).toBe(true);
    expect(await near.info()).toMatchObject({ holders: 0, waiters: 0 });
  });

  test('an acquire whose answer was lost and that nobody waits for any more is taken back', async () => {
    const lock = new RedisLock(name, { client: far });
    proxy.swallowsReplies = true;
    const error = rejection(lock.acquire({ timeout: 200 }));
    await until(() => near.isLocked(), 'the request arrives');
    expect(await error).toBeInstanceOf(LockTimeoutError);
    proxy.heal();
    proxy.cut();
    await (await near.acquire({ timeout: 15_000 })).release();
  });

  test('a request that is executed long after it was given up is taken back', async () => {
    const lock = new RedisLock(name, { client: far });
    proxy.refuses = true;
    proxy.cut();
    const error = await rejection(lock.acquire({ timeout: 50 }));
    expect(error).toBeInstanceOf(LockTimeoutError);
    proxy.heal();
    await until(
      async () =>
        lock.isLocked().then(
          () => true,
          () => false,
        ),
      'it is connected again',
    );
    await (await near.acquire({ timeout: 15_000 })).release();
  });

  test('an answer that is slower than the lock lasts is never returned as held', async () => {
    const lock = new RedisLock(name, { client: far, ttl: 60 });
    proxy.delay = 100;
    const outcome = await lock.acquire({ timeout: 400 }).then(
      (lease) => lease.remaining,
      (error: unknown) => error,
    );
    expect(
      outcome instanceof LockTimeoutError ||
        outcome instanceof BackendUnavailableError ||
        Number(outcome) > 0,
    ).toBe(true);
    expect(outcome).not.toBe(0);
    proxy.heal();
    await until(async () => !(await near.isLocked()), 'it is given back');
  });

  test('a connection that is cut is no loss, as long as it comes back in time', async () => {
    const lease = await new RedisLock(name, { client: far, ttl: 3000 }).acquire();
    proxy.cut();
    await wait(1200);
    proxy.cut();
    await wait(1200);
    proxy.cut();
    await wait(1200);
    expect(lease.held).toBe(true);
    expect(await near.isLocked()).toBe(true);
  });

  test('a renewal that is not answered is tried again until the time is up', async () => {
    const lease = await new RedisLock(name, { client: far, ttl: 600 }).acquire();
    const { signal } = lease;
    const since = performance.now();
    proxy.dropsRequests = true;
    await until(() => signal.aborted, 'it is lost');
    expect(performance.now() - since).toBeGreaterThan(300);
    expect(signal.reason).toBeInstanceOf(LockLostError);
    expect(await lease.release()).toBe(false);
  });

  test('a release that is not answered says so, and happens as soon as it can', async () => {
    const lease = await new RedisLock(name, { client: far }).acquire();
    proxy.dropsRequests = true;
    const error = await rejection(lease.release());
    expect(error).toBeInstanceOf(BackendUnavailableError);
    expect(await lease.release()).toBe(false);
    expect(await near.isLocked()).toBe(true);
    proxy.heal();
    proxy.cut();
    await (await near.acquire({ timeout: 15_000 })).release();
  });

  test('a release that fails does not hide what came of the body', async () => {
    const lock = new RedisLock(name, { client: far, ttl: 1000 });
    expect(
      await lock.withLock(() => {
        proxy.dropsRequests = true;
        return 'done';
      }),
    ).toBe('done');
    proxy.heal();
  });
});

describe('a message that is lost', () => {
  test('costs a bounded time', async () => {
    const lease = await new RedisLock(name, { client }).acquire();
    const far = await connect(server.url, 'ioredis 6');
    const lock = new RedisLock(name, { client: far });
    const waiting = lock.acquire();
    await until(async () => (await lock.info()).waiters === 1, 'it waits');
    await until(
      async () => (await server.send('PUBSUB NUMPAT')) !== '' && (await subscribers()) > 0,
      'listens',
    );
    await server.send('CLIENT KILL TYPE pubsub');
    const begin = performance.now();
    await lease.release();
    const next = await waiting;
    expect(performance.now() - begin).toBeLessThan(5000);
    await next.release();
  });

  async function subscribers(): Promise<number> {
    return (await server.send('CLIENT LIST TYPE pubsub')).split('\n').filter((line) => line.startsWith('id='))
      .length;
  }
});

describe('a server', () => {
  let own: RedisServer;
  let mine: RedisClient;
  let lock: RedisLock;

  beforeEach(async () => {
    own = await RedisServer.start();
    mine = await connect(own.url);
    lock = new RedisLock(name, { client: mine, ttl: 1000 });
    onTestFinished(() => own.end());
  });

  test('that forgets its scripts is told them again', async () => {
    const lease = await lock.acquire();
    await own.send('SCRIPT FLUSH');
    await lease.extend();
    await own.send('SCRIPT FLUSH');
    expect(await lease.release()).toBe(true);
  });

  test('that forgets everything has lost the locks: holders are told, waiters go on', async () => {
    const lease = await lock.acquire();
    const other = new RedisLock(name, { client: await connect(own.url, 'ioredis 6') });
    const waiting = other.acquire();
    await until(async () => (await lock.info()).waiters === 1, 'it waits');
    await own.send('FLUSHALL');
    const next = await waiting;
    expect(next.fence > lease.fence).toBe(true);
    await until(() => lease.signal.aborted, 'the holder is told');
    expect(await lease.release()).toBe(false);
    expect(next.held).toBe(true);
    await next.release();
  });

  test('that is restarted has lost the locks: holders are told, waiters go on', async () => {
    const lease = await lock.acquire();
    const other = new RedisLock(name, { client: await connect(own.url, 'ioredis 6') });
    const waiting = other.acquire();
    await until(async () => (await lock.info()).waiters === 1, 'it waits');
    await own.kill();
    await own.run();
    const next = await waiting;
    expect(next.held).toBe(true);
    await until(() => lease.signal.aborted, 'the holder is told');
    await next.release();
  });

  test('that stands still lets nobody wait for longer than they said', async () => {
    const lease = await lock.acquire();
    own.pause();
    const begin = performance.now();
    const waiting = rejection(new RedisLock(`${name}-2`, { client: mine }).acquire({ timeout: 100 }));
    expect(await waiting).toBeInstanceOf(LockTimeoutError);
    expect(performance.now() - begin).toBeLessThan(1500);
    await until(() => lease.signal.aborted, 'the holder is told');
    own.resume();
    expect(await lease.release()).toBe(false);
    const next = await lock.acquire();
    expect(next.abandoned).toBe(true);
    await next.release();
  });

  test('that does not answer for as long as the lock lasts is reported', async () => {
    await lock.isLocked();
    own.pause();
    const error = (await rejection(lock.acquire())) as BackendUnavailableError;
    own.resume();
    expect(error).toBeInstanceOf(BackendUnavailableError);
    expect(error.message).toContain(name);
    expect(error.cause).toBeInstanceOf(Error);
    await until(async () => !(await lock.isLocked()), 'what it may have taken is given back');
  });

  test('that refuses is reported at once, with its reason', async () => {
    await own.send(`SADD mortise:lock:{${name}} x`);
    const error = (await rejection(lock.acquire())) as BackendUnavailableError;
    expect(error).toBeInstanceOf(BackendUnavailableError);
    expect(error.message).toContain('WRONGTYPE');
    expect(await rejection(lock.tryAcquire())).toBeInstanceOf(BackendUnavailableError);
    expect(await rejection(lock.isLocked())).toBeInstanceOf(BackendUnavailableError);
  });
});

describe('a process', () => {
  test('that is stopped while it holds loses it, and finds out when it goes on', async () => {
    const holder = await Peer.start(server.url, name, 300);
    const { fence } = await holder.tell<{ fence: string }>('acquire');
    holder.signal('SIGSTOP');
    const lease = await new RedisLock(name, { client }).acquire();
    expect(lease.abandoned).toBe(true);
    expect(lease.fence > BigInt(fence)).toBe(true);
    const lost = holder.hears((message) => message.event === 'lost');
    holder.signal('SIGCONT');
    await lost;
    expect(await holder.tell('state')).toEqual({ held: false, remaining: 0, aborted: true });
    expect(await holder.tell('release')).toBe(false);
    expect(lease.held).toBe(true);
    expect(await lease.release()).toBe(true);
  });

  test('that is killed while it waits delays those behind it by seconds at most', async () => {
    const lock = new RedisLock(name, { client });
    const lease = await lock.acquire();
    const peer = await Peer.start(server.url, name, 30_000);
    peer.send('acquire');
    await until(async () => (await lock.info()).waiters === 1, 'it waits');
    const waiting = lock.acquire();
    await until(async () => (await lock.info()).waiters === 2, 'it waits');
    await peer.kill('SIGKILL');
    const begin = performance.now();
    await lease.release();
    const next = await waiting;
    expect(performance.now() - begin).toBeLessThan(8000);
    expect(next.abandoned).toBe(false);
    await next.release();
  });

  test('that is killed while it holds loses it when its time is up', async () => {
    const holder = await Peer.start(server.url, name, 300);
    await holder.tell('acquire');
    const waiting = new RedisLock(name, { client }).acquire();
    await holder.kill('SIGKILL');
    const lease = await waiting;
    expect(lease.abandoned).toBe(true);
    await lease.release();
  });

  test('that has released everything ends by itself', async () => {
    const lock = new RedisLock(name, { client });
    const lease = await lock.acquire();
    const peer = await Peer.start(server.url, name, 30_000);
    const acquired = peer.tell('acquire');
    await until(async () => (await lock.info()).waiters === 1, 'it waits');
    await lease.release();
    await acquired;
    expect(await peer.tell('release')).toBe(true);
    peer.send('finish');
    expect(await peer.exited).toBe(0);
  });

  test('that forgets a lease is warned, and the lock expires', async () => {
    const peer = await Peer.start(server.url, name, 1000);
    await peer.tell('acquire');
    const warning = await peer.tell<{ code: string; message: string }>('forget');
    expect(warning.code).toBe('MORTISE_GUARD_LOST');
    expect(warning.message).toContain(name);
    const lease = await new RedisLock(name, { client }).acquire();
    expect(lease.abandoned).toBe(true);
    await lease.release();
  });
});
