/** Named locks on Redis. */
import { rmSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { afterAll, beforeAll, describe, expect, onTestFinished, test } from 'vitest';
import { LockManager, UnsupportedError, memoryBackend, redisBackend } from 'mortise';
import * as redis from 'mortise/redis';
import type { RedisClient } from 'mortise/redis';
import { describeBackend } from '../contract/backend.ts';
import { fromEnvironment } from '../../dist/environment.js';
import { runFixture } from '../fixtures/child.ts';
import { copiedPackage } from '../fixtures/copied-package.ts';
import { Process, endProcesses } from '../fixtures/process.ts';
import { until } from '../fixtures/until.ts';
import { connect, kinds } from './clients.ts';
import { RedisServer } from './server.mjs';

const server = await RedisServer.start();
afterAll(async () => {
  await endProcesses();
  await server.end();
});

describeBackend('redisBackend({ url })', {
  factory: 'redisBackend',
  args: [{ url: server.url, ttl: 2000 }],
});

describe('redisBackend', () => {
  let client: RedisClient;
  let keys = 0;
  const newKey = (): string => `of the backend ${++keys}`;

  beforeAll(async () => {
    client = await connect(server.url);
  });

  test('has the locks of mortise/redis, by name', async () => {
    const backend = redisBackend({ client, prefix: 'app:' });
    const options = { client, prefix: 'app:' };
    const key = newKey();
    const leases = [
      await backend.lock(key).acquire(),
      await backend.readWriteLock(key).writer.acquire(),
      await backend.semaphore(key, 2).acquire({ weight: 2 }),
    ];
    expect(await new redis.RedisLock(key, options).isLocked()).toBe(true);
    expect(await new redis.RedisReadWriteLock(key, options).reader.tryAcquire()).toBeNull();
    expect(await new redis.RedisSemaphore(key, { ...options, permits: 2 }).available()).toBe(0);
    for (const lease of leases) expect(await lease.release()).toBe(true);
  });

  test('is the same function from mortise and mortise/redis', () => {
    expect(redis.redisBackend).toBe(redisBackend);
  });

  test.each(Object.keys(kinds))(
    'has an id that tells server and prefix, as does a URL (%s)',
    async (kind) => {
      const id = `redis://127.0.0.1:${server.port}/0`;
      const mine = await connect(server.url, kind);
      expect(redisBackend({ client: mine }).id).toBe(id);
      expect(redisBackend({ client: mine, prefix: 'app:' }).id).toBe(`${id} 'app:'`);
      expect(redisBackend({ url: server.url }).id).toBe(id);
      expect(redisBackend({ client: mine, id: 'main' }).id).toBe('main');
    },
  );

  test.each([
    ['redis://me:secret@Cache.example/2', 'redis://cache.example:6379/2'],
    ['rediss://[::1]:7000', 'redis://[::1]:7000/0'],
  ])('tells nobody the password of %s', (url, id) => {
    expect(redisBackend({ url }).id).toBe(id);
  });

  test('is loaded when it is used: mortise runs without the code for Redis', async () => {
    const { entry } = await copiedPackage();
    const dist = dirname(entry);
    rmSync(join(dist, 'redis', 'scripts'), { recursive: true });
    for (const file of ['lock.js', 'client.js', 'driver.js', 'own-connection.js'])
      rmSync(join(dist, 'redis', file));
    rmSync(join(dist, 'remote', 'contender.js'));
    const { redisBackend } = (await import(pathToFileURL(entry).href)) as typeof import('mortise');
    const backend = redisBackend({ url: server.url });
    expect(backend.id).toContain('redis://');
    await expect(backend.lock('db').acquire()).rejects.toThrow('Cannot find module');
  });

  test('is one of several in acquireAll, and gives its lock back with the others', async () => {
    const locks = new LockManager({ backend: redisBackend({ client }) });
    const [far, near, table] = [newKey(), newKey(), newKey()];
    locks.lock(near, { backend: memoryBackend() });
    const all = await locks.acquireAll([far, near, { name: table, mode: 'write' }], { timeout: 5000 });
    expect(await locks.lock(far).tryAcquire()).toBeNull();
    expect(await locks.readLock(table).tryAcquire()).toBeNull();
    await expect(locks.acquireAll([near, far], { timeout: 20 })).rejects.toThrow('ERR_LOCK_TIMEOUT');
    await all.release();
    expect(await locks.lock(far).isLocked()).toBe(false);
    await locks.cleanup();
    expect(locks.list()).toEqual([]);
  });

  test('cannot block a thread, and says so at once', () => {
    const locks = new LockManager({ backend: redisBackend({ client }) });
    expect(() => locks.lock(newKey()).acquireSync()).toThrow(UnsupportedError);
  });

  test('is what MORTISE_BACKEND says', async () => {
    expect(fromEnvironment({ MORTISE_BACKEND: 'rediss://host:7000/1' }).backend.id).toBe(
      'redis://host:7000/1',
    );
    const env = { MORTISE_BACKEND: server.url };
    const { stdout, stderr, code } = await runFixture('manager/environment.mjs', [], { env });
    expect([stderr, code]).toEqual(['', 0]);
    const { backend } = JSON.parse(stdout) as { backend: string };
    expect(backend).toBe(`redis://127.0.0.1:${server.port}/0`);
  });

  test.each<[string, object, new () => Error]>([
    ['options', null as never, TypeError],
    ['options.client', {}, TypeError],
    ['options.client', { client: {} }, TypeError],
    ['options.url', { url: 'memory' }, RangeError],
    ['options.ttl', { url: 'redis://a', ttl: 1 }, RangeError],
    ['options.prefix', { url: 'redis://a', prefix: 7 }, TypeError],
    ['options.prefix', { url: 'redis://a', prefix: '{' }, RangeError],
    ['options.id', { url: 'redis://a', id: 7 }, TypeError],
    ['options.id', { url: 'redis://a', id: '' }, RangeError],
  ])('checks %s (%j)', (what, options, kind) => {
    expect(() => redisBackend(options as never)).toThrow(kind);
    expect(() => redisBackend(options as never)).toThrow(what);
  });

  test('checks permits', () => {
    expect(() => redisBackend({ client }).semaphore('a', 0)).toThrow(RangeError);
    expect(() => redisBackend({ client }).semaphore('a', '1' as never)).toThrow(TypeError);
  });
});

describe('a process that is killed with SIGKILL', () => {
  const ttl = 600;
  const options = { url: server.url, ttl };
  const backend = redisBackend(options);

  /** Another process that holds, or waits for, a lock of each kind. */
  async function other(keys: string[], waits: boolean): Promise<Process> {
    const process = Process.spawn();
    onTestFinished(() => process.kill());
    await process.run(
      async ({ redisBackend, guards }, { options, keys, waits }) => {
        const backend = redisBackend(options);
        const all = [
          backend.lock(keys[0]!).acquire(),
          backend.readWriteLock(keys[1]!).writer.acquire(),
          backend.readWriteLock(keys[2]!).reader.acquire(),
          backend.semaphore(keys[3]!, 3).acquire({ weight: 3 }),
        ];
        for (const acquire of all) acquire.catch(() => undefined);
        if (waits) return;
        for (const [place, guard] of (await Promise.all(all)).entries()) guards.set(keys[place]!, guard);
      },
      { options, keys, waits },
    );
    return process;
  }

  const here = (keys: string[]) => [
    backend.lock(keys[0]!),
    backend.readWriteLock(keys[1]!).writer,
    backend.readWriteLock(keys[2]!).writer,
    backend.semaphore(keys[3]!, 3),
  ];
  const newKeys = (what: string): string[] => [1, 2, 3, 4].map((place) => `${what} ${place}`);

  test('leaves no lock for longer than the ttl, whether or not somebody waits for it', async () => {
    const waited = newKeys('killed, waited for');
    const left = newKeys('killed');
    const process = await other(waited, false);
    const second = await other(left, false);
    const waiting = here(waited).map(async (lock) => {
      const guard = await lock.acquire({ timeout: 20_000 });
      return { guard, at: performance.now() };
    });
    await until(
      async () => (await Promise.all(here(waited).map((lock) => lock.info()))).every((it) => it.waiters > 0),
      'all are waited for',
    );
    const killedAt = performance.now();
    await Promise.all([process.kill(), second.kill()]);
    for (const { guard, at } of await Promise.all(waiting)) {
      expect(at - killedAt).toBeLessThan(ttl + 400);
      await guard.release();
    }
    for (const lock of here(left)) await until(async () => !(await lock.isLocked()), 'it is free');
    expect(performance.now() - killedAt).toBeLessThan(ttl + 400);
  });

  test('leaves nobody waiting for it, and then nothing at all', async () => {
    const keys = newKeys('killed while it waited');
    const locks = here(keys);
    const guards = await Promise.all(locks.map((lock) => lock.acquire()));
    const process = await other(keys, true);
    await until(
      async () => (await Promise.all(locks.map((lock) => lock.info()))).every((it) => it.waiters > 0),
      'it waits for all',
    );
    const waiting = locks.map((lock) => lock.acquire({ timeout: 20_000 }));
    await process.kill();
    const killedAt = performance.now();
    for (const guard of guards) expect(await guard.release()).toBe(true);
    for (const guard of await Promise.all(waiting)) expect(await guard.release()).toBe(true);
    // A waiter that is dead is taken for alive for three seconds.
    expect(performance.now() - killedAt).toBeLessThan(4000);
    for (const lock of locks) expect(await lock.info()).toMatchObject({ holders: 0, waiters: 0 });
  });
});
