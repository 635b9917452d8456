/** Locks of those who have no client, and say where the server is. */
import { fork } from 'node:child_process';
import { on, once } from 'node:events';
import { mkdirSync, symlinkSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, onTestFinished, test } from 'vitest';
import { BackendUnavailableError, UnsupportedError } from 'mortise';
import { RedisLock, RedisReadWriteLock, RedisSemaphore, type RedisClient } from 'mortise/redis';
import { copiedPackage } from '../fixtures/copied-package.ts';
import { rejection } from '../fixtures/rejection.ts';
import { until } from '../fixtures/until.ts';
import { connect } from './clients.ts';
import { FaultProxy } from './proxy.mjs';
import { RedisServer } from './server.mjs';

const modules = fileURLToPath(new URL('../../node_modules', import.meta.url));
const program = fileURLToPath(new URL('./by-url.mjs', import.meta.url));

let server: RedisServer;
let client: RedisClient;
let names = 0;
const newName = (): string => `by-url-${++names}`;

beforeAll(async () => {
  server = await RedisServer.start();
  client = await connect(server.url);
});
afterAll(() => server.end());

/** The package where only these clients are installed. */
async function installedWith(...clients: string[]): Promise<string> {
  const folder = dirname(dirname((await copiedPackage()).entry));
  mkdirSync(join(folder, 'node_modules'));
  for (const name of clients) symlinkSync(join(modules, name), join(folder, 'node_modules', name));
  return join(folder, 'dist', 'redis.js');
}

type Told = Partial<Record<'code' | 'message' | 'fence', string>> & { loaded?: string[] };

/** Another process that has no client; see by-url.mjs. */
function start(entry: string, url: string, name: string) {
  const child = fork(program, [entry, url, name]);
  onTestFinished(() => void child.kill('SIGKILL'));
  const messages = on(child, 'message', { close: ['exit'] });
  return {
    exited: once(child, 'exit'),
    hears: async (): Promise<Told> => ((await messages.next()) as { value: [Told] }).value[0],
    release: () => child.send('release'),
  };
}

describe.each([
  ['redis', ['redis']],
  ['ioredis', ['ioredis']],
  ['redis', ['ioredis', 'redis']],
])('a program that gives a URL (%s of %j)', (used, installed) => {
  test('loads the client that is installed when it needs one, and ends by itself', async () => {
    const name = newName();
    const there = start(await installedWith(...installed), server.url, name);
    expect(await there.hears()).toEqual({ loaded: [] });
    expect(await there.hears()).toEqual({ loaded: [used] });
    expect(BigInt((await there.hears()).fence!)).toBeGreaterThan(0n);
    const lock = new RedisLock(name, { client });
    expect(await lock.tryAcquire()).toBeNull();
    const waiting = lock.acquire();
    await until(async () => (await lock.info()).waiters === 1, 'it waits');
    there.release();
    const begin = performance.now();
    const lease = await waiting;
    expect(await there.exited).toEqual([0, null]);
    expect(performance.now() - begin).toBeLessThan(1500);
    await lease.release();
  });
});

test.each(['redis', 'ioredis'])(
  'a program that gives a URL ends by itself when the server has stopped (%s)',
  async (installed) => {
    const own = await RedisServer.start();
    onTestFinished(() => own.end());
    const there = start(await installedWith(installed), own.url, newName());
    await there.hears();
    await there.hears();
    await there.hears();
    own.pause();
    there.release();
    expect(await there.exited).toEqual([0, null]);
  },
);

test('is told in one sentence what to install if there is no client', async () => {
  const there = start(await installedWith(), server.url, newName());
  await there.hears();
  const { code, message } = await there.hears();
  expect(code).toBe('ERR_LOCK_UNSUPPORTED');
  expect(message).toMatch(/options\.url needs a client.*npm install redis.*npm install ioredis/);
  expect(await there.exited).toEqual([0, null]);
});

describe('the connection of a URL', () => {
  /** Connections of this process to a proxy of its own. */
  async function line(): Promise<FaultProxy> {
    const proxy = await FaultProxy.start(server.port);
    onTestFinished(() => proxy.end());
    return proxy;
  }

  test('is shared by all locks of it, kept while one is held, and closed when none is used', async () => {
    const proxy = await line();
    const { url } = proxy;
    const lock = new RedisLock(newName(), { url });
    expect(proxy.connections).toBe(0);
    const lease = await lock.acquire();
    await new RedisSemaphore(newName(), { url: new URL(url), permits: 2 }).withLock(() => undefined);
    await new RedisReadWriteLock(newName(), { url }).reader.withLock(() => undefined);
    expect(proxy.connections).toBe(1);
    await new Promise((resolve) => setTimeout(resolve, 3000));
    expect(proxy.connections).toBe(1);
    expect(proxy.accepted).toBe(1);
    await lease.release();
    await until(() => proxy.connections === 0, 'it is closed');
    await lock.withLock(() => expect(proxy.accepted).toBe(2));
  });

  test('has another one for messages while somebody waits', async () => {
    const proxy = await line();
    const lock = new RedisLock(newName(), { url: proxy.url });
    const lease = await lock.acquire();
    const waiting = lock.acquire();
    await until(() => proxy.connections === 2, 'it listens');
    await lease.release();
    await (await waiting).release();
    await until(() => proxy.connections === 0, 'both are closed');
  });

  test('comes back when it is cut, and nothing is lost', async () => {
    const proxy = await line();
    const lock = new RedisLock(newName(), { url: proxy.url });
    const lease = await lock.acquire();
    proxy.cut();
    await until(() => proxy.accepted === 2, 'it is connected again');
    await lease.extend();
    expect(lease.held).toBe(true);
    expect(await lease.release()).toBe(true);
  });

  test('is given up when the server is silent for seconds, and opened anew', async () => {
    const proxy = await line();
    const lock = new RedisLock(newName(), { url: proxy.url });
    await lock.isLocked();
    proxy.swallowsReplies = true;
    const waiting = lock.acquire();
    await until(() => proxy.accepted === 2, 'another one is opened');
    proxy.heal();
    const lease = await waiting;
    expect(await lease.release()).toBe(true);
  });

  test('that cannot be opened is reported with the reason, and tried again', async () => {
    const own = await RedisServer.start();
    onTestFinished(() => own.end());
    await own.kill();
    const lock = new RedisLock(newName(), { url: own.url, ttl: 300 });
    const error = (await rejection(lock.tryAcquire())) as BackendUnavailableError;
    expect(error).toBeInstanceOf(BackendUnavailableError);
    expect(error.message).toContain('ECONNREFUSED');
    expect(await rejection(lock.acquire())).toBeInstanceOf(BackendUnavailableError);
    const waiting = new RedisLock(newName(), { url: own.url }).acquire();
    await own.run();
    expect(await (await waiting).release()).toBe(true);
  });

  test('that is refused is reported at once', async () => {
    const own = await RedisServer.start();
    onTestFinished(() => own.end());
    await own.send('CONFIG SET requirepass secret');
    const url = `redis://:wrong@127.0.0.1:${own.port}`;
    const error = (await rejection(new RedisLock(newName(), { url }).acquire())) as Error;
    expect(error).toBeInstanceOf(BackendUnavailableError);
    expect(error.message).toContain('WRONGPASS');
    expect(error.message).not.toContain('wrong@');
    const right = new RedisLock(newName(), { url: `redis://:secret@127.0.0.1:${own.port}/3` });
    expect(await right.withLock(() => 'locked')).toBe('locked');
  });
});

test('urls of independent servers make a Redlock', async () => {
  const servers = await Promise.all([1, 2, 3].map(() => RedisServer.start()));
  onTestFinished(() => Promise.all(servers.map((it) => it.end())).then(() => undefined));
  const urls = servers.map(({ url }) => url);
  const lock = new RedisLock(newName(), { urls, ttl: 2000 });
  const lease = await lock.acquire();
  expect(
    await new RedisLock(lock.name, {
      clients: [client, ...(await Promise.all(urls.map((url) => connect(url))))],
    }).tryAcquire(),
  ).toBeNull();
  servers[0]!.pause();
  expect(await lease.release()).toBe(true);
  expect(await lock.withLock(() => 'two of three')).toBe('two of three');
  servers[0]!.resume();
});

test.each<[string, object, new () => Error]>([
  ['options.url', { url: 5 }, TypeError],
  ['options.url', { url: 'http://host' }, RangeError],
  ['options.url', { url: 'redis://' }, RangeError],
  ['options.url', { url: 'localhost:6379' }, RangeError],
  ['options.client', {}, TypeError],
  ['options.urls', { urls: 'redis://host' }, TypeError],
  ['options.urls', { urls: [] }, RangeError],
  ['options.urls[1]', { urls: ['redis://a', 'b'] }, RangeError],
  ['options.urls', { urls: ['redis://a', 'redis://a'] }, RangeError],
  ['options.url and options.urls', { url: 'redis://a', urls: ['redis://b'] }, TypeError],
])('%s is checked (%j)', (what, options, kind) => {
  const make = (): unknown => new RedisLock('a', options as never);
  expect(make).toThrow(kind);
  expect(make).toThrow(what);
});

test('a URL that is refused is shown without its password', () => {
  const make = (): unknown => new RedisLock('a', { url: 'redis//me:secret@host' });
  expect(make).toThrow(RangeError);
  expect(make).not.toThrow('secret');
});

test('a client and a URL exclude each other', () => {
  expect(() => new RedisLock('a', { client, url: server.url } as never)).toThrow('exclude each other');
  expect(() => new RedisSemaphore('a', { client, url: server.url, permits: 1 } as never)).toThrow(TypeError);
  expect(() => new RedisSemaphore('a', { urls: [server.url], permits: 1 } as never)).toThrow(
    UnsupportedError,
  );
});
