/** What becomes of the locks of a manager when whoever holds them, or waits for them, ends: on each backend. */
import { join } from 'node:path';
import { afterAll, describe, expect, test } from 'vitest';
import * as mortise from 'mortise';
import { LockManager, type Backend } from 'mortise';
import { Process, endProcesses } from '../fixtures/process.ts';
import { folder, newRegion } from '../fixtures/space-open/region.ts';
import { endThreads, startThread } from '../fixtures/thread.ts';
import { until } from '../fixtures/until.ts';
import { RedisServer } from '../redis/server.mjs';

const server = await RedisServer.start();
afterAll(async () => {
  await endThreads();
  await endProcesses();
  await server.end();
});

type Factory = (...args: unknown[]) => Backend;
interface Subject {
  factory: 'memoryBackend' | 'fileBackend' | 'sharedMemoryBackend' | 'redisBackend';
  args: unknown[];
}

const ttl = 1500;
const subjects: Subject[] = [
  { factory: 'memoryBackend', args: [] },
  { factory: 'fileBackend', args: [join(folder, 'deaths')] },
  { factory: 'sharedMemoryBackend', args: [newRegion(), { locks: 256, threads: 32 }] },
  { factory: 'redisBackend', args: [{ url: server.url, ttl }] },
];

interface Place {
  run<A>(body: (tools: never, argument: A) => unknown, argument: A): Promise<unknown>;
  end(): Promise<unknown>;
  readonly exited: Promise<unknown>;
}

async function thread(): Promise<Place> {
  const it = await startThread();
  return {
    run: (body, argument) => it.run(body as never, argument),
    end: () => it.terminate(),
    exited: it.exited,
  };
}

async function process(): Promise<Place> {
  const it = Process.spawn('ignore');
  return {
    run: (body, argument) => it.run(body as never, argument),
    end: () => it.kill(),
    exited: it.exited,
  };
}

/** How it ends: `null` from outside, by terminate() or SIGKILL. */
const endings: [string, (() => void) | null][] = [
  ['killed', null],
  ['exit', () => void setImmediate(() => globalThis.process.exit(0))],
  [
    'uncaught error',
    () =>
      void setImmediate(() => {
        throw new Error('nobody catches this');
      }),
  ],
  ['unhandled rejection', () => void Promise.reject(new Error('nobody handles this'))],
];

/** There: holds by a body, by a bare guard and by `acquireAll`, and waits for what is held here. */
async function holdAndWait(
  tools: typeof mortise & { guards: Map<string, unknown> },
  { factory, args, name }: Subject & { name: string },
): Promise<void> {
  const backend = (tools[factory] as Factory)(...args);
  const locks = new tools.LockManager({ backend, statistics: true }).scope(name);
  await new Promise<void>((resolve, reject) => {
    locks
      .lock('body')
      .withLock(() => {
        resolve();
        return new Promise(() => undefined);
      })
      .catch(reject);
  });
  tools.guards.set('reader', await locks.readLock('table').acquire());
  tools.guards.set('all', await locks.acquireAll(['one', { name: 'two', mode: 'write' }]));
  if (backend.capabilities.weighted)
    tools.guards.set('permits', await locks.semaphore('permits', 3).acquire({ weight: 2 }));
  for (const waiting of [locks.lock('awaited').acquire(), locks.acquireAll(['awaited', 'last'])])
    waiting.catch(() => undefined);
}

describe.each(subjects)('On $factory', (subject) => {
  const { factory, args } = subject;
  const backend = (mortise[factory] as Factory)(...args);
  const { ttl: promised, weighted, scope, sync } = backend.capabilities;
  const places = scope === 'threads' ? { thread } : { thread, process };
  const all = Object.entries(places).flatMap(([where, start]) =>
    endings.map(([how, end]) => ({ where, start, how, end })),
  );
  // To a server, all the same. Each takes as long as it holds a dead one for alive.
  const different = promised === null ? all : all.filter((it) => it.where === 'process' || it.end === null);

  test.concurrent.each(different)(
    'a $where: $how, leaves nothing held',
    async ({ start, where, how, end }) => {
      const name = `${where} ${how}`;
      const locks = new LockManager({ backend }).scope(name);
      const awaited = await locks.lock('awaited').acquire();
      const place = await start();
      await place.run(holdAndWait, { ...subject, name });
      expect(await locks.lock('body').tryAcquire()).toBeNull();
      await until(async () => (await locks.lock('awaited').info()).waiters > 0, 'it waits');
      const wanted = ['body', 'one', 'two', 'table'].map((of) =>
        (of === 'two' || of === 'table' ? locks.writeLock(of) : locks.lock(of)).acquire({ timeout: 20_000 }),
      );
      if (weighted) wanted.push(locks.semaphore('permits', 3).acquire({ weight: 3, timeout: 20_000 }));
      const began = performance.now();
      if (end === null) await place.end();
      // Its answer may be lost with it.
      else await place.run(end, undefined).catch(() => undefined);
      await place.exited;
      const guards = await Promise.all(wanted);
      // What a dead one has is gone at once, or after the ttl; the rest is for a machine with much to do.
      expect(performance.now() - began).toBeLessThan((promised ?? 0) + 5000);
      if (promised === null) expect(guards.slice(0, 3).map((it) => it.abandoned)).toEqual([true, true, true]);
      // What it waited for passes by it.
      const next = locks.acquireAll(['awaited', 'last'], { timeout: 20_000 });
      await awaited.release();
      expect(await (await next).release()).toBe(true);
      for (const guard of guards) expect(await guard.release()).toBe(true);
      for (const { name } of locks.list()) expect(await locks.get(name)!.isLocked()).toBe(false);
    },
  );

  test('errors, aborts and time limits leave nothing held here', async () => {
    const locks = new LockManager({ backend, timeouts: { lock: 5000 } }).scope('errors');
    const lock = locks.lock('a');
    const failed = new Error('of the body');
    await expect(
      lock.withLock(() => {
        throw failed;
      }),
    ).rejects.toBe(failed);
    await expect(lock.withLock(() => Promise.reject(failed))).rejects.toBe(failed);
    if (sync)
      expect(() =>
        lock.withLockSync(() => {
          throw failed;
        }),
      ).toThrow(failed);
    expect(await lock.isLocked()).toBe(false);

    const guard = await lock.acquire();
    const aborting = new AbortController();
    const { signal } = aborting;
    const waits = [
      lock.acquire({ signal }),
      lock.withLock(() => 1, { signal }),
      locks.acquireAll(['0 before', 'a', 'b'], { signal }),
    ];
    const ends = Promise.allSettled(waits);
    await until(() => locks.lock('0 before').isLocked(), 'the first of several is held');
    await until(async () => (await lock.info()).waiters > 0, 'they wait');
    const reason = new Error('enough');
    aborting.abort(reason);
    for (const end of await ends) expect(end).toEqual({ status: 'rejected', reason });
    await expect(locks.acquireAll(['0 before', 'a'], { timeout: 20 })).rejects.toMatchObject({
      code: 'ERR_LOCK_TIMEOUT',
    });
    expect(await locks.lock('0 before').isLocked()).toBe(false);
    const next = lock.acquire();
    expect(await guard.release()).toBe(true);
    expect(await (await next).release()).toBe(true);
    for (const { name } of locks.list()) expect(await locks.get(name)!.isLocked()).toBe(false);
  });
});
