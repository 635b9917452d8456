/** Names and what they stand for. */
import { afterAll, describe, expect, test } from 'vitest';
import {
  LockManager,
  LockTimeoutError,
  Mutex,
  NameConflictError,
  ReadWriteLock,
  Semaphore,
  SpaceFullError,
  UnsupportedError,
  fileBackend,
  getLockManager,
  memoryBackend,
  setLockManager,
  sharedMemoryBackend,
  type Backend,
  type Lock,
} from 'mortise';
import { join } from 'node:path';
import { expectRefused } from '../contract/guards.ts';
import { endThreads, startThread } from '../fixtures/thread.ts';
import { until } from '../fixtures/until.ts';
import { folder, newRegion } from '../fixtures/space-open/region.ts';

afterAll(endThreads);

let names = 0;
const newName = (): string => `name ${names++}`;

/** A backend like the memory one that says that it cannot block, as remote ones do. */
function unblocking(): Backend {
  const memory = memoryBackend();
  return { ...memory, id: 'remote', capabilities: { ...memory.capabilities, sync: false } };
}

describe('LockManager', () => {
  test('gives the same lock for the same name', () => {
    const locks = new LockManager();
    const name = newName();
    expect(locks.lock(name)).toBe(locks.lock(name));
    expect(locks.readLock('table')).toBe(locks.readLock('table'));
    expect(locks.writeLock('table')).toBe(locks.writeLock('table'));
    expect(locks.semaphore('slots', 3)).toBe(locks.semaphore('slots', 3));
    expect(locks.lock(name).name).toBe(name);
    expect(
      [locks.lock(name), locks.readLock('table'), locks.writeLock('table')].map((it) => it.mode),
    ).toEqual(['lock', 'read', 'write']);
  });

  test('has the same locks as another manager with the same backend, and as the primitives', async () => {
    const name = newName();
    const guard = await new LockManager().lock(name).acquire();
    expectRefused(await new LockManager({ backend: memoryBackend() }).lock(name).tryAcquire());
    expectRefused(new Mutex({ name }).tryAcquireSync());
    await guard.release();
  });

  test('has the same locks in every thread', async () => {
    const name = newName();
    const thread = await startThread();
    const guard = new LockManager().lock(name).acquireSync();
    const locked = await thread.run(({ LockManager }, name) => new LockManager().lock(name).isLocked(), name);
    expect(locked).toBe(true);
    guard.release();
  });

  test('reads together, writes alone, and counts permits', async () => {
    const locks = new LockManager();
    const [table, slots] = [newName(), newName()];
    const readers = [await locks.readLock(table).acquire(), locks.readLock(table).acquireSync()];
    expectRefused(await locks.writeLock(table).tryAcquire());
    for (const reader of readers) await reader.release();
    await locks
      .writeLock(table)
      .withLock(async () => expectRefused(await locks.readLock(table).tryAcquire()));

    const semaphore = locks.semaphore(slots, 5);
    using _permits = semaphore.acquireSync({ weight: 3 });
    expect([semaphore.permits, await semaphore.available(), semaphore.availableSync()]).toEqual([5, 2, 2]);
    expectRefused(await semaphore.tryAcquire({ weight: 3 }));
    expectRefused(semaphore.tryAcquireSync({ weight: 3 }));
    expect((await semaphore.tryAcquire({ weight: 2 }))?.release()).toBe(true);
  });

  test('tells who owns it', async () => {
    const lock = new LockManager().lock(newName());
    expect([await lock.isOwned(), lock.isOwnedSync()]).toEqual([false, false]);
    using _guard = lock.acquireSync();
    expect([await lock.isOwned(), lock.isOwnedSync()]).toEqual([true, true]);
  });

  test('calls a lock by its name in info()', async () => {
    const locks = new LockManager({ backend: fileBackend(join(folder, 'info')) });
    using _guard = locks.lock('report').acquireSync();
    expect(locks.lock('report').infoSync()).toMatchObject({ name: 'report', holders: 1 });
    expect(await locks.lock('report').info()).toMatchObject({ name: 'report', holders: 1 });
  });

  test('get() finds a name that is there, by its mode if it has several, and makes none', () => {
    const locks = new LockManager();
    const [name, table, slots] = [newName(), newName(), newName()];
    expect(locks.get(name)).toBe(undefined);
    expect(locks.list()).toEqual([]);
    const lock = locks.lock(name);
    expect([locks.get(name), locks.get(name, 'lock'), locks.get(name, 'read')]).toEqual([
      lock,
      lock,
      undefined,
    ]);
    const reader = locks.readLock(table);
    expect(locks.get(table) === locks.writeLock(table)).toBe(true);
    expect(locks.get(table, 'read')).toBe(reader);
    expect(locks.get(slots, 'semaphore')).toBe(undefined);
    const semaphore = locks.semaphore(slots, 2);
    expect(locks.get(slots)).toBe(semaphore);
    expect(() => locks.get(name, 'exclusive' as never)).toThrow(/mode must be .* not 'exclusive'/);
  });

  test('refuses a name that is used as two kinds', () => {
    const locks = new LockManager();
    const name = newName();
    locks.lock(name);
    for (const ask of [
      () => locks.readLock(name),
      () => locks.writeLock(name),
      () => locks.semaphore(name, 1),
      () => locks.lock(name, { key: 'other' }),
      () => locks.lock(name, { backend: fileBackend(folder) }),
    ]) {
      expect(ask).toThrow(NameConflictError);
      expect(ask).toThrow(name);
    }
    expect(locks.lock(name, { key: name, backend: memoryBackend() })).toBe(locks.lock(name));
    locks.semaphore('permits', 2);
    expect(() => locks.semaphore('permits', 3)).toThrow(/semaphore of 2 permits.*semaphore of 3 permits/);
  });

  test('refuses a name that another manager or thread uses as another kind', () => {
    const name = newName();
    new LockManager().lock(name);
    const locks = new LockManager();
    expect(() => locks.semaphore(name, 1)).toThrow(NameConflictError);
    expect(locks.list()).toEqual([]);
  });

  test('lets one name live on another backend, or under another key', async () => {
    const locks = new LockManager();
    const backend = fileBackend(join(folder, 'elsewhere'));
    const migration = locks.lock('migration', { backend, key: 'schema' });
    expect(locks.lock('migration')).toBe(migration);
    await migration.withLock(async () => {
      expectRefused(await backend.lock('schema').tryAcquire());
      expect(new Mutex({ name: 'migration' }).isLockedSync()).toBe(false);
    });
    expect(locks.list()).toEqual([
      { name: 'migration', kind: 'lock', backend: backend.id, key: 'schema', permits: undefined },
    ]);
  });

  test('fails at once where the backend cannot do it, and says so', async () => {
    const files = new LockManager({ backend: fileBackend(folder) });
    expect(() => files.semaphore('slots', 2)).toThrow(UnsupportedError);
    expect(files.list()).toEqual([]);

    const remote = new LockManager({ backend: unblocking() }).lock(newName());
    for (const ask of [
      () => remote.acquireSync(),
      () => remote.tryAcquireSync(),
      () => remote.withLockSync(() => undefined),
      () => remote.isLockedSync(),
      () => remote.isOwnedSync(),
      () => remote.infoSync(),
    ])
      expect(ask).toThrow(/ERR_LOCK_UNSUPPORTED: \w+Sync\(\) of the lock 'name \d+': it lives on remote/);
    expect(await remote.withLock(() => remote.isLocked())).toBe(true);
  });

  test('checks its options, and says which is wrong', () => {
    for (const [options, message] of [
      [null, /^options must be an object, not null/],
      [{ backend: 'memory' }, /^options.backend must be an object, not 'memory'/],
      [{ backend: {} }, /^options.backend must be a backend, such as memoryBackend\(\), not {}/],
      [{ backend: { ...memoryBackend(), capabilities: null } }, /^options.backend must be a backend/],
      [{ timeouts: 5 }, /^options.timeouts must be an object, not 5/],
      [{ timeouts: { read: '5' } }, /^options.timeouts.read must be a number of milliseconds, not '5'/],
      [{ timeouts: { write: -1 } }, /^options.timeouts.write must be 0 or more milliseconds, not -1/],
      [{ timeouts: { lock: NaN } }, /^options.timeouts.lock must be 0 or more milliseconds, not NaN/],
    ] as const)
      expect(() => new LockManager(options as never)).toThrow(message);
  });

  test('checks names and their options, and says which is wrong', () => {
    const locks = new LockManager();
    for (const ask of [locks, locks.scope('tenant')])
      for (const bad of [5, null, undefined, Symbol('db')] as never[])
        for (const call of [
          () => ask.lock(bad),
          () => ask.readLock(bad),
          () => ask.writeLock(bad),
          () => ask.semaphore(bad, 1),
          () => ask.get(bad),
          () => ask.register(bad, new Mutex()),
          () => ask.scope(bad),
        ])
          expect(call).toThrow(/^(name|prefix) must be a string, not /);
    expect(() => locks.lock('')).toThrow(RangeError);
    expect(() => locks.scope('x'.repeat(250)).lock('123456')).toThrow(/name, with the prefix .* not 257/);
    expect(() => locks.lock('db', null as never)).toThrow(/^options must be an object/);
    expect(() => locks.lock('db', { key: 5 as never })).toThrow(/^options.key must be a string, not 5/);
    expect(() => locks.lock('db', { backend: {} as never })).toThrow(/^options.backend must be a backend/);
    for (const permits of [0, 1.5, -1]) expect(() => locks.semaphore('s', permits)).toThrow(RangeError);
    expect(() => locks.semaphore('s', '2' as never)).toThrow(/^permits must be a number, not '2'/);
  });
});

describe('Time limits', () => {
  const timeouts = { lock: 30, read: 20, write: 25 };

  test('end acquires that say no timeout, of each mode, async and blocking', async () => {
    const locks = new LockManager({ timeouts });
    const [name, table, slots] = [newName(), newName(), newName()];
    const thread = await startThread();
    const hold = (): Promise<unknown> =>
      thread.run(
        ({ LockManager, guards }, [name = '', table = '', slots = '']) => {
          const locks = new LockManager();
          guards.set('lock', locks.lock(name).acquireSync());
          guards.set('write', locks.writeLock(table).acquireSync());
          guards.set('permit', locks.semaphore(slots, 1).acquireSync());
        },
        [name, table, slots],
      );
    await hold();
    const faces = [
      locks.lock(name),
      locks.readLock(table),
      locks.writeLock(table),
      locks.semaphore(slots, 1),
    ];
    for (const lock of faces) {
      const limit = { lock: 30, semaphore: 30, read: 20, write: 25 }[lock.mode];
      const message = new RegExp(`not acquired within ${limit} ms`);
      await expect(lock.acquire()).rejects.toThrow(message);
      await expect(lock.acquire({})).rejects.toThrow(message);
      await expect(lock.withLock(() => undefined)).rejects.toThrow(message);
      await expect(lock.acquire({ timeout: 5 })).rejects.toThrow(/not acquired within 5 ms/);
      await expect(lock.acquire({ timeout: 0 })).rejects.toThrow(LockTimeoutError);
      expect(() => lock.acquireSync()).toThrow(message);
      expect(() => lock.withLockSync(() => undefined)).toThrow(message);
    }
    const signal = AbortSignal.abort(new Error('changed my mind'));
    await expect(locks.lock(name).acquire({ signal })).rejects.toThrow('changed my mind');
    const waiting = faces.map((lock) => lock.acquire({ timeout: Infinity }));
    await thread.terminate();
    for (const guard of waiting) await (await guard).release();
  });

  test('leave bad options to the lock, which names them', async () => {
    const lock = new LockManager({ timeouts }).lock(newName());
    await expect(lock.acquire(null as never)).rejects.toThrow(/^options must be an object, not null/);
    await expect(lock.acquire(5 as never)).rejects.toThrow(/^options must be an object, not 5/);
    await expect(lock.acquire({ timeout: '5' as never })).rejects.toThrow(/^options.timeout/);
    await expect(lock.withLock(5 as never)).rejects.toThrow(/^body must be a function, not 5/);
    expect(() => lock.acquireSync({ signal: new AbortController().signal })).toThrow(TypeError);
  });
});

describe('A scope', () => {
  test('has locks of its own', async () => {
    const locks = new LockManager();
    const [a, b] = [locks.scope('tenant-a'), locks.scope('tenant-b')];
    const name = newName();
    const guard = await a.lock(name).acquire();
    expect(a.lock(name).name).toBe(`tenant-a:${name}`);
    for (const other of [b.lock(name), locks.lock(name)]) expect(await other.isLocked()).toBe(false);
    expect(await locks.scope('tenant-a').lock(name).isLocked()).toBe(true);
    expect(locks.lock(`tenant-a:${name}`)).toBe(a.lock(name));
    expect(a.list().map((it) => it.name)).toEqual([name]);
    expect(locks.list().map((it) => it.name)).toEqual([`tenant-a:${name}`, `tenant-b:${name}`, name]);
    await guard.release();
  });

  test('can have scopes, and none that leads into another one', () => {
    const locks = new LockManager();
    expect(locks.scope('a').scope('b').lock('c')).toBe(locks.lock('a:b:c'));
    for (const prefix of ['', 'a:b', ':']) expect(() => locks.scope(prefix)).toThrow(RangeError);
  });

  test('cleans up its own names only', async () => {
    const locks = new LockManager();
    locks.scope('a').lock('x');
    locks.scope('b').lock('x');
    expect(await locks.scope('a').cleanup()).toBe(1);
    expect(locks.list().map((it) => it.name)).toEqual(['b:x']);
  });
});

describe('register', () => {
  test('gives a name to a lock of one’s own, of the kind that it has', async () => {
    const locks = new LockManager({ timeouts: { lock: 5 } });
    const [mutex, rw, semaphore] = [new Mutex(), new ReadWriteLock(), new Semaphore(2)];
    const registered = locks.register('mine', mutex);
    locks.register('table', rw);
    locks.register('slots', semaphore);
    expect(locks.lock('mine')).toBe(registered);
    expect(locks.get('mine')).toBe(registered);
    const guards = [mutex.acquireSync(), rw.acquireReadSync(), semaphore.acquireSync()];
    expectRefused(await locks.lock('mine').tryAcquire());
    expectRefused(locks.writeLock('table').tryAcquireSync());
    expect(await locks.readLock('table').withLock(() => 'read')).toBe('read');
    expect(await locks.semaphore('slots', 2).available()).toBe(1);
    await expect(locks.lock('mine').acquire()).rejects.toThrow(/within 5 ms/);
    for (const guard of guards) guard.release();
    expect(
      locks.list().map(({ name, kind, backend, permits }) => ({ name, kind, backend, permits })),
    ).toEqual([
      { name: 'mine', kind: 'lock', backend: undefined, permits: undefined },
      { name: 'table', kind: 'read-write lock', backend: undefined, permits: undefined },
      { name: 'slots', kind: 'semaphore', backend: undefined, permits: 2 },
    ]);
    expect(() => locks.semaphore('slots', 3)).toThrow(NameConflictError);
    expect(() => locks.readLock('mine')).toThrow(NameConflictError);
    expect(() => locks.lock('mine', { backend: memoryBackend() })).toThrow(NameConflictError);
    expect(await locks.cleanup()).toBe(0);
  });

  test('takes a lock that cannot block', () => {
    const mutex = new Mutex();
    const { acquire, tryAcquire, withLock, isLocked, isOwned, info } = mutex;
    const lock: Lock = { name: 'own', acquire, tryAcquire, withLock, isLocked, isOwned, info };
    const registered = new LockManager().register('own', lock);
    expect(() => registered.acquireSync()).toThrow(UnsupportedError);
    expect(() => registered.acquireSync()).toThrow('a lock that was registered');
  });

  test('refuses a name that is taken, and what is no lock', () => {
    const locks = new LockManager();
    locks.lock('db');
    expect(() => locks.register('db', new Mutex())).toThrow(NameConflictError);
    for (const bad of [null, 5, {}, { acquire() {} }, { reader: new Mutex() }])
      expect(() => locks.register('mine', bad as never)).toThrow(/^lock must /);
    expect(locks.get('mine')).toBe(undefined);
  });
});

describe('cleanup', () => {
  test('closes what nobody uses, and never what is held or waited for', async () => {
    const locks = new LockManager();
    const [held, waited, idle, table, slots] = [newName(), newName(), newName(), newName(), newName()];
    const guard = await locks.lock(held).acquire();
    const first = await locks.lock(waited).acquire();
    const second = locks.lock(waited).acquire();
    locks.lock(idle);
    locks.readLock(table);
    locks.semaphore(slots, 2);
    expect(await locks.cleanup()).toBe(3);
    expect(locks.list().map(({ name }) => name)).toEqual([held, waited]);
    expect(locks.get(idle)).toBe(undefined);
    expect(guard.held).toBe(true);
    for (const it of [guard, first]) await it.release();
    await (await second).release();
    expect(await locks.cleanup()).toBe(2);
    expect(locks.list()).toEqual([]);
  });

  test('leaves what was given out usable: it opens again, and is known again', async () => {
    const locks = new LockManager();
    const name = newName();
    const lock = locks.lock(name);
    expect(await locks.cleanup()).toBe(1);
    const guard = await lock.acquire();
    expectRefused(new Mutex({ name }).tryAcquireSync());
    expect(locks.lock(name)).toBe(lock);
    await guard.release();
  });

  test('lets a name become another kind, which the former owner is told', async () => {
    const locks = new LockManager();
    const name = newName();
    const lock = locks.lock(name);
    await locks.cleanup();
    locks.semaphore(name, 2);
    await expect(lock.acquire()).rejects.toThrow(NameConflictError);
    await expect(lock.withLock(() => undefined)).rejects.toThrow(NameConflictError);
    expect(() => lock.acquireSync()).toThrow(NameConflictError);
  });

  test('leaves what was given out the same lock as what is given out afterwards', async () => {
    const locks = new LockManager();
    const name = newName();
    const former = locks.lock(name);
    await locks.cleanup();
    const latter = locks.lock(name);
    const guard = await former.acquire();
    expectRefused(await latter.tryAcquire());
    expect(locks.lock(name)).toBe(latter);
    await guard.release();
  });

  test('does not close twice what is being closed, and opens it anew for whoever comes meanwhile', async () => {
    const memory = memoryBackend();
    const closings: (() => void)[] = [];
    const slow: Backend = {
      ...memory,
      id: 'slow',
      lock: (key) =>
        Object.assign(memory.lock(key), {
          dispose: () => new Promise<void>((resolve) => closings.push(resolve)),
        }),
    };
    const locks = new LockManager({ backend: slow });
    const [lock, other] = [locks.lock(newName()), locks.lock(newName())];
    const first = locks.cleanup();
    const guard = await lock.acquire();
    expect(closings).toHaveLength(2);
    for (const close of closings) close();
    expect(await first).toBe(1);
    expect(locks.list().map(({ name }) => name)).toEqual([lock.name]);
    expect(guard.held).toBe(true);
    await guard.release();

    await other.withLock(() => undefined);
    const cleanups = [locks.cleanup(), locks.cleanup()];
    expect(closings).toHaveLength(4);
    for (const close of closings) close();
    await Promise.all(cleanups);
    expect(locks.list()).toEqual([]);
  });

  test('tells that there is no room if a backend cannot make some at once', async () => {
    const memory = memoryBackend();
    let room = 1;
    const small: Backend = {
      ...memory,
      id: 'small',
      lock: (key) => {
        if (room-- <= 0) throw new SpaceFullError('no room');
        return Object.assign(memory.lock(key), {
          dispose: async (): Promise<void> => {
            room = 1;
          },
        });
      },
    };
    const locks = new LockManager({ backend: small });
    const [first, second] = [newName(), newName()];
    locks.lock(first);
    expect(() => locks.lock(second)).toThrow(SpaceFullError);
    await until(() => locks.list().length === 0, 'the first is closed');
    expect(locks.lock(second).name).toBe(second);
  });

  test('closes what nobody uses when there is no room for another name', () => {
    const backend = sharedMemoryBackend(newRegion(), { locks: 8, threads: 4 });
    const locks = new LockManager({ backend });
    using guard = locks.lock('held').acquireSync();
    for (let i = 0; i < 100; i++) locks.lock(`user:${i}`).acquireSync().release();
    expect(guard.held).toBe(true);
    expectRefused(locks.lock('held').tryAcquireSync());
    const guards = Array.from({ length: 7 }, (_, i) => locks.lock(`busy:${i}`).acquireSync());
    expect(() => locks.lock('one too many')).toThrow(SpaceFullError);
    for (const it of guards) it.release();
    locks.lock('one too many').acquireSync().release();
  });

  test('closes what nobody uses of other managers when there is no room for another name', () => {
    const path = newRegion();
    const room = { locks: 8, threads: 4 };
    const one = new LockManager({ backend: sharedMemoryBackend(path, room) });
    const other = new LockManager({ backend: sharedMemoryBackend(path) });
    using guard = one.lock('held').acquireSync();
    const idle = Array.from({ length: 7 }, (_, i) => one.lock(`idle:${i}`));
    other.lock('another').acquireSync().release();
    expect(one.list().map(({ name }) => name)).toEqual(['held']);
    expectRefused(other.lock('held').tryAcquireSync());
    expect(guard.held).toBe(true);
    for (const lock of idle.slice(0, 5)) lock.acquireSync().release();
  });

  test('goes on when a backend fails to close, and tells what it said', async () => {
    const memory = memoryBackend();
    const failure = new Error('no connection');
    const names: string[] = [];
    const failing: Backend = {
      ...memory,
      id: 'failing',
      lock: (key) =>
        Object.assign(memory.lock(key), {
          dispose: async (): Promise<void> => {
            names.push(key);
            throw failure;
          },
        }),
    };
    const locks = new LockManager();
    const name = newName();
    const lock = locks.lock(name, { backend: failing });
    const other = newName();
    locks.lock(other);
    const error: unknown = await locks.cleanup().catch((reason: unknown) => reason);
    expect((error as AggregateError).errors).toEqual([failure]);
    expect(names).toEqual([name]);
    expect(locks.list().map((it) => it.name)).toEqual([name]);
    expect(await lock.withLock(() => 'still usable')).toBe('still usable');
    expect(locks.lock(name)).toBe(lock);
  });
});

describe('The default manager', () => {
  test('is the same everywhere, until it is replaced', () => {
    const first = getLockManager();
    expect(getLockManager()).toBe(first);
    expect(first).toBeInstanceOf(LockManager);
    const mine = new LockManager().scope('mine');
    setLockManager(mine);
    expect(getLockManager()).toBe(mine);
    setLockManager(first);
    for (const bad of [null, {}, 'memory'])
      expect(() => setLockManager(bad as never)).toThrow(/^manager must be a LockManager/);
  });
});
