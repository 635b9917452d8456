/** What listeners of the channels are told. */
import { subscribe, unsubscribe } from 'node:diagnostics_channel';
import { once } from 'node:events';
import { Worker } from 'node:worker_threads';
import { describe, expect, onTestFinished, test } from 'vitest';
import { LockManager, LockTimeoutError, Mutex, memoryBackend, type Guard, type LockScope } from 'mortise';
import { expectRefused } from '../contract/guards.ts';
import { runFixture } from '../fixtures/child.ts';

const NAMES = ['acquire', 'acquired', 'abandoned', 'timeout', 'failed', 'release', 'lost'];

type Told = Record<string, unknown> & { event: string };

/** What the channels tell from now on until the end of the test. */
function listen(names: readonly string[] = NAMES): Told[] {
  const told: Told[] = [];
  for (const event of names) {
    const note = (message: unknown): void => void told.push({ ...(message as object), event });
    subscribe(`mortise:${event}`, note);
    onTestFinished(() => void unsubscribe(`mortise:${event}`, note));
  }
  return told;
}

const eventsOf = (told: readonly Told[]): string[] => told.map(({ event }) => event);

let scopes = 0;
const newLocks = (): LockScope => new LockManager().scope(`events ${scopes++}`);

describe('diagnostics_channel', () => {
  test('tells of asking, acquiring and releasing, of every form', async () => {
    const lock = newLocks().lock('db');
    const told = listen();
    const forms: (() => unknown)[] = [
      async () => (await lock.acquire()).release(),
      async () => (await lock.tryAcquire())?.release(),
      () => lock.withLock(() => undefined),
      () => lock.acquireSync().release(),
      () => lock.tryAcquireSync()?.release(),
      () => lock.withLockSync(() => undefined),
      async () => {
        await using _guard = await lock.acquire();
      },
      () => {
        using _guard = lock.acquireSync();
      },
    ];
    for (const form of forms) {
      told.length = 0;
      await form();
      expect([form.toString(), eventsOf(told)]).toEqual([
        form.toString(),
        ['acquire', 'acquired', 'release'],
      ]);
    }
  });

  test('tells which lock it is, and what belongs together', async () => {
    const locks = newLocks();
    const told = listen();
    const guard = await locks.semaphore('slots', 3).acquire({ weight: 2, timeout: 500 });
    using _other = locks.writeLock('table').acquireSync();
    await guard.release();
    const [asked, got, other, , released] = told;
    const about = { name: locks.semaphore('slots', 3).name, mode: 'semaphore', backend: 'memory', weight: 2 };
    expect(asked).toMatchObject({ ...about, event: 'acquire', timeout: 500 });
    expect(got).toMatchObject({ ...about, event: 'acquired', id: asked!['id'], fence: 0n, abandoned: false });
    expect(released).toMatchObject({ ...about, event: 'release', id: asked!['id'] });
    expect(other).toMatchObject({ mode: 'write', weight: 1, timeout: Infinity });
    expect(other!['id']).not.toBe(asked!['id']);
    for (const [event, time] of [
      [got, 'waited'],
      [released, 'held'],
    ] as const)
      expect(event![time]).toBeGreaterThanOrEqual(0);
  });

  test('tells how long was waited, and that time ran out', async () => {
    const lock = newLocks().lock('db');
    const guard = await lock.acquire();
    const told = listen();
    const error: unknown = await lock.acquire({ timeout: 20 }).catch((reason: unknown) => reason);
    expect(eventsOf(told)).toEqual(['acquire', 'timeout']);
    expect(told[1]).toMatchObject({ id: told[0]!['id'], error });
    expect(told[1]!['waited']).toBeGreaterThan(18);
    const forms: (() => unknown)[] = [
      () => lock.acquire({ timeout: 0 }).catch(() => undefined),
      () => lock.withLock(() => undefined, { timeout: 0 }).catch(() => undefined),
      () => lock.tryAcquire(),
      () => lock.tryAcquireSync(),
      () => expect(() => lock.acquireSync({ timeout: 0 })).toThrow(LockTimeoutError),
      () => expect(() => lock.withLockSync(() => undefined, { timeout: 0 })).toThrow(LockTimeoutError),
    ];
    for (const form of forms) {
      told.length = 0;
      await form();
      expect([form.toString(), eventsOf(told)]).toEqual([form.toString(), ['acquire', 'timeout']]);
      expect(told[0]).toMatchObject({ timeout: 0 });
    }
    await guard.release();
  });

  test('tells of what failed for another reason', async () => {
    const locks = newLocks();
    const lock = locks.lock('db');
    const told = listen();
    const reason = new Error('changed my mind');
    await lock.acquire({ signal: AbortSignal.abort(reason) }).catch(() => undefined);
    expect(told.at(-1)).toMatchObject({ event: 'failed', error: reason });
    expect(() => lock.acquireSync({ timeout: -1 })).toThrow(RangeError);
    await lock.withLock(5 as never).catch(() => undefined);
    expect(() => lock.withLockSync(5 as never)).toThrow(TypeError);
    expect(eventsOf(told)).toEqual(['acquire', 'failed', 'acquire', 'failed']);
  });

  test('tells nothing of an error in the body but that the lock was released', async () => {
    const lock = newLocks().lock('db');
    const told = listen();
    const fail = (): never => {
      throw new Error('from the body');
    };
    await expect(lock.withLock(fail)).rejects.toThrow('from the body');
    expect(() => lock.withLockSync(fail)).toThrow('from the body');
    const each = ['acquire', 'acquired', 'release'];
    expect(eventsOf(told)).toEqual([...each, ...each]);
  });

  test('tells that the holder before died', async () => {
    const lock = newLocks().lock('db');
    const worker = new Worker(
      `import('mortise').then(({ LockManager }) => {
         globalThis.guard = new LockManager().lock(require('node:worker_threads').workerData).acquireSync();
         process.exit();
       });`,
      { eval: true, workerData: lock.name },
    );
    await once(worker, 'exit');
    const told = listen(['abandoned']);
    await (await lock.acquire()).release();
    await (await lock.acquire()).release();
    expect(told).toHaveLength(1);
    expect(told[0]).toMatchObject({ name: lock.name, abandoned: true });
  });

  test('tells that a lease was lost, unless it was released before', async () => {
    const memory = memoryBackend();
    const endings: AbortController[] = [];
    const mutex = new Mutex();
    const acquire = mutex.acquire.bind(mutex);
    mutex.acquire = async (options) => {
      const ending = new AbortController();
      endings.push(ending);
      const guard = Object.assign(await acquire(options), { signal: ending.signal });
      const release = guard.release.bind(guard);
      guard.release = (() => Promise.resolve(release())) as never;
      return guard;
    };
    const leases = { ...memory, id: 'leases', lock: () => mutex };
    const lock = new LockManager({ backend: leases }).lock('lease');
    const told = listen();
    const guards: Guard[] = [await lock.acquire()];
    endings[0]!.abort();
    expect(eventsOf(told)).toEqual(['acquire', 'acquired', 'lost']);
    expect(told[2]).toMatchObject({ id: told[0]!['id'], name: 'lease', backend: 'leases' });
    await guards[0]!.release();

    told.length = 0;
    guards.push(await lock.acquire());
    expect(await guards[1]!.release()).toBe(true);
    expect(await guards[1]!.release()).toBe(false);
    endings[1]!.abort();
    expect(eventsOf(told)).toEqual(['acquire', 'acquired', 'release']);
  });

  test('tells of each lock of acquireAll', async () => {
    const locks = newLocks();
    const told = listen(['acquired', 'release']);
    await (await locks.acquireAll(['b', 'a'])).release();
    expect(told.map(({ event, name }) => `${event} ${String(name).at(-1)}`)).toEqual([
      'acquired a',
      'acquired b',
      'release b',
      'release a',
    ]);
  });

  test('tells of a lock that was closed and is opened again, and of registered ones', async () => {
    const locks = newLocks();
    const lock = locks.lock('db');
    await locks.cleanup();
    const told = listen(['acquired']);
    await lock.withLock(() => undefined);
    const frozen = new Mutex();
    const acquire = frozen.acquire.bind(frozen);
    frozen.acquire = async (options) => Object.freeze(await acquire(options)) as never;
    const registered = locks.register('mine', frozen);
    expect((await registered.acquire()).held).toBe(true);
    expect(told.map(({ backend }) => backend)).toEqual(['memory', undefined]);
  });

  test('wraps nothing while nobody listens', async () => {
    const lock = newLocks().lock('db');
    using guard = await lock.acquire();
    expect(Object.hasOwn(guard, 'release')).toBe(false);
    expectRefused(await lock.tryAcquire());
  });

  test('tells nothing of what was acquired before anybody listened', async () => {
    const lock = newLocks().lock('db');
    const before = await lock.acquire();
    const told = listen();
    await before.release();
    expect(told).toEqual([]);
    await (await lock.acquire()).release();
    expect(eventsOf(told)).toEqual(['acquire', 'acquired', 'release']);
  });

  test('is what NODE_DEBUG=mortise logs', async () => {
    const { stderr } = await runFixture('manager/environment.mjs', [], {
      env: { NODE_DEBUG: 'mortise', MORTISE_LOCK_TIMEOUT: '5' },
    });
    expect(stderr).toMatch(/MORTISE \d+: manager: mortise:acquire \{ id: 1, name: 'db', mode: 'lock'/);
    expect(stderr).toMatch(/manager: mortise:timeout \{ id: 2.*\}: ERR_LOCK_TIMEOUT: .*within 5 ms/);
    expect(stderr).toMatch(/manager: mortise:release \{/);
  });
});
