import { afterAll, describe, expect, test } from 'vitest';
import {
  InvalidHandleError,
  LockError,
  Mutex,
  NameConflictError,
  ReadWriteLock,
  Semaphore,
  Space,
  SpaceFullError,
  open,
  type LockStats,
  type MutexHandle,
  type SyncGuard,
  type SyncLock,
} from 'mortise';
import { expectRefused } from './contract/guards.ts';
import { runFixture } from './fixtures/child.ts';
import { copiedPackage } from './fixtures/copied-package.ts';
import { endThreads, startThread } from './fixtures/thread.ts';
import { until } from './fixtures/until.ts';

afterAll(endThreads);

const { gc: collectGarbage = () => expect.fail('runs without --expose-gc') } = globalThis;

function thrown(call: () => unknown): Error & { code?: string } {
  try {
    call();
  } catch (error) {
    return error as Error;
  }
  return expect.fail('did not throw');
}

describe('A name', () => {
  test('is the same lock for everybody in a space', () => {
    const space = new Space({ locks: 8, threads: 4 });
    const mutex = space.mutex('db');
    expect(mutex.name).toBe('db');
    expect(mutex).toBeInstanceOf(Mutex);
    for (const same of [space.mutex('db'), new Mutex({ name: 'db', space }), Mutex.from(mutex.handle)]) {
      using _guard = mutex.acquireSync();
      expect(same.name).toBe('db');
      expect(same.isLockedSync()).toBe(true);
      expectRefused(same.tryAcquireSync());
    }
  });

  test('is the same semaphore, the same read-write lock', () => {
    const space = new Space({ locks: 8, threads: 4 });
    using _permit = space.semaphore('bytes', 5).acquireSync({ weight: 2 });
    expect(space.semaphore('bytes', 5).availableSync()).toBe(3);
    expect(new Semaphore(5, { name: 'bytes', space }).availableSync()).toBe(3);
    using _writing = space.readWriteLock('table').acquireWriteSync();
    expect(space.readWriteLock('table').writer.isLockedSync()).toBe(true);
    expectRefused(new ReadWriteLock({ name: 'table', space }).reader.tryAcquireSync());
  });

  test('is the same lock in every thread', async () => {
    const mutex = new Mutex({ name: 'space.test in every thread' });
    const thread = await startThread();
    await thread.run(({ Space, guards }, name) => {
      guards.set('held', Space.default().mutex(name).acquireSync());
    }, mutex.name!);
    expect(mutex.isLockedSync()).toBe(true);
    expect(mutex.isOwnedSync()).toBe(false);
    await thread.run(({ guards }) => guards.get('held')!.release(), undefined);
    expect(mutex.isLockedSync()).toBe(false);
  });

  test('made by many threads at once is one lock', async () => {
    const threads = await Promise.all([startThread(), startThread(), startThread()]);
    const names = Array.from({ length: 50 }, (_, index) => `space.test race ${index}`);
    const cells = await Promise.all(
      threads.map((thread) =>
        thread.run(({ Mutex }, names) => names.map((name) => new Mutex({ name }).handle.cell), names),
      ),
    );
    expect(cells[1]).toEqual(cells[0]);
    expect(cells[2]).toEqual(cells[0]);
    expect(new Set(cells[0]).size).toBe(names.length);
  });

  test('is another lock in another space', () => {
    const [first, second] = [new Space({ locks: 2 }), new Space({ locks: 2 })];
    using _guard = first.mutex('db').acquireSync();
    expect(second.mutex('db').isLockedSync()).toBe(false);
  });

  test('may be any text that fits', () => {
    const space = new Space({ locks: 8, threads: 2 });
    const names = ['ключ', '🔒', 'a b/c:d', '__proto__', '0'];
    for (const name of names) space.mutex(name).acquireSync();
    for (const name of names) {
      expect(space.mutex(name).isLockedSync()).toBe(true);
      expect(open(space.mutex(name).handle).name).toBe(name);
    }
  });

  for (const name of ['', 'x'.repeat(10_000), 5, null, {}]) {
    test(`${JSON.stringify(name).slice(0, 20)} is refused with a TypeError or RangeError`, () => {
      const space = new Space({ locks: 1, threads: 2 });
      const error = thrown(() => space.mutex(name as string));
      expect(error instanceof TypeError || error instanceof RangeError).toBe(true);
      expect(error.message).toContain('name');
      space.mutex('fits');
    });
  }
});

describe('NameConflictError', () => {
  const space = new Space({ locks: 16, threads: 4 });
  space.mutex('mutex');
  space.semaphore('semaphore', 3);
  space.readWriteLock('lock');
  const conflicts: [string, () => unknown][] = [
    ['a mutex as a semaphore', () => space.semaphore('mutex', 1)],
    ['a mutex as a read-write lock', () => space.readWriteLock('mutex')],
    ['a semaphore as a mutex', () => space.mutex('semaphore')],
    ['a semaphore with other permits', () => space.semaphore('semaphore', 4)],
    ['a semaphore with other permits, by constructor', () => new Semaphore(2, { name: 'semaphore', space })],
    ['a read-write lock as a mutex, by constructor', () => new Mutex({ name: 'lock', space })],
    ['a read-write lock as a semaphore', () => space.semaphore('lock', 1)],
  ];
  for (const [what, call] of conflicts) {
    test(what, () => {
      const error = thrown(call);
      expect(error).toBeInstanceOf(NameConflictError);
      expect(error).toBeInstanceOf(LockError);
      expect(error.code).toBe('ERR_LOCK_NAME');
      expect(error.message).toMatch(/^ERR_LOCK_NAME\b.*(mutex|semaphore|lock)/);
    });
  }

  test('takes no room', () => {
    const small = new Space({ locks: 2, threads: 2 });
    small.mutex('a');
    for (let i = 0; i < 5; i++) expect(() => small.semaphore('a', 1)).toThrow(NameConflictError);
    small.mutex('b');
  });
});

describe('A space that is full', () => {
  test('says so, and disturbs nothing', async () => {
    const space = new Space({ locks: 3, threads: 4 });
    const mutex = space.mutex('held');
    const semaphore = new Semaphore(2, { space });
    const rw = new ReadWriteLock({ space });
    const guards = [mutex.acquireSync(), semaphore.acquireSync(), rw.acquireReadSync()];
    const waiting = mutex.acquire();
    const makers: (() => unknown)[] = [
      () => new Mutex({ space }),
      () => space.mutex('new'),
      () => new Semaphore(1, { space }),
      () => space.semaphore('new', 1),
      () => new ReadWriteLock({ space }),
      () => space.readWriteLock('new'),
    ];
    for (const make of makers) {
      const error = thrown(make);
      expect(error).toBeInstanceOf(SpaceFullError);
      expect(error.code).toBe('ERR_SPACE_FULL');
      expect(error.message).toMatch(/^ERR_SPACE_FULL\b.*3/);
    }
    expect(space.mutex('held').isLockedSync()).toBe(true);
    expect(semaphore.availableSync()).toBe(1);
    expect(mutex.stats()).toMatchObject({ holders: 1, waiters: 1 });
    for (const guard of guards) expect(guard.release()).toBe(true);
    (await waiting).release();
  });

  test('has room again after dispose()', () => {
    const space = new Space({ locks: 2, threads: 4 });
    const kept = space.mutex('kept');
    let taken: Mutex | Semaphore = new Mutex({ space });
    for (let i = 1; i <= 20; i++) {
      expect(() => new Mutex({ space })).toThrow(SpaceFullError);
      taken.dispose();
      taken = space.semaphore('taking turns', i);
      expect(taken.availableSync()).toBe(i);
    }
    expect(kept.isLockedSync()).toBe(false);
  });

  test('has no room while an object of this thread stands for a lock that another one has disposed of', () => {
    const space = new Space({ locks: 1, threads: 2 });
    const [one, other] = [space.mutex('a'), space.mutex('a')];
    one.dispose();
    expect(() => new Mutex({ space })).toThrow(SpaceFullError);
    other.acquireSync().release();
    other.dispose();
    new Mutex({ space }).dispose();
  });

  test('of threads says so to the thread that does not fit, and has room again when one has ended', async () => {
    const space = new Space({ locks: 2, threads: 2 });
    const mutex = new Mutex({ space });
    const [first, second] = await Promise.all([startThread(), startThread()]);
    const use = (thread: typeof first): Promise<boolean> =>
      thread.run(({ Mutex }, handle) => Mutex.from(handle).acquireSync().release(), mutex.handle);
    expect(await use(first)).toBe(true);
    await expect(use(second)).rejects.toMatchObject({ code: 'ERR_SPACE_FULL', name: 'SpaceFullError' });
    mutex.acquireSync().release();
    expect(await use(first)).toBe(true);
    await first.terminate();
    expect(await use(second)).toBe(true);
  });

  test('lets hundreds of threads use it one after another', async () => {
    const space = new Space({ locks: 2, threads: 3 });
    const mutex = new Mutex({ space });
    for (let i = 0; i < 12; i++) {
      const pair = await Promise.all([startThread(), startThread()]);
      for (const thread of pair) {
        expect(
          await thread.run(({ Mutex }, handle) => Mutex.from(handle).acquireSync().release(), mutex.handle),
        ).toBe(true);
      }
      await Promise.all(pair.map((thread) => thread.terminate()));
    }
    expect(mutex.stats()).toMatchObject({ acquisitions: 24, releases: 24 });
  });
});

describe('dispose()', () => {
  const kinds: Record<
    string,
    (space: Space) => { lock: Mutex | Semaphore | ReadWriteLock; take: () => Disposable }
  > = {
    Mutex: (space) => {
      const lock = new Mutex({ space });
      return { lock, take: () => lock.acquireSync() };
    },
    Semaphore: (space) => {
      const lock = new Semaphore(2, { space });
      return { lock, take: () => lock.acquireSync() };
    },
    'ReadWriteLock (reading)': (space) => {
      const lock = new ReadWriteLock({ space });
      return { lock, take: () => lock.acquireReadSync() };
    },
    'ReadWriteLock (writing)': (space) => {
      const lock = new ReadWriteLock({ space });
      return { lock, take: () => lock.acquireWriteSync() };
    },
  };
  for (const [kind, make] of Object.entries(kinds)) {
    test(`of a held ${kind} throws and changes nothing`, () => {
      const { lock, take } = make(new Space({ locks: 1, threads: 2 }));
      const guard = take();
      const error = thrown(() => lock.dispose());
      expect(error).toBeInstanceOf(LockError);
      expect(error.message).toContain(error.code);
      expect(lock.stats().holders).toBe(1);
      guard[Symbol.dispose]();
      take()[Symbol.dispose]();
      lock.dispose();
    });
  }

  test('of a lock that another thread holds or waits for throws', async () => {
    const space = new Space({ locks: 1, threads: 4 });
    const mutex = new Mutex({ space });
    const [holder, waiter] = await Promise.all([startThread(), startThread()]);
    await holder.run(
      ({ Mutex, guards }, handle) => void guards.set('held', Mutex.from(handle).acquireSync()),
      mutex.handle,
    );
    expect(() => mutex.dispose()).toThrow(LockError);
    const waited = waiter.run(
      ({ Mutex }, handle) => Mutex.from(handle).acquireSync().release(),
      mutex.handle,
    );
    await until(() => mutex.stats().waiters === 1, 'the thread waits');
    expect(() => mutex.dispose()).toThrow(LockError);
    await holder.run(({ guards }) => guards.get('held')!.release(), undefined);
    expect(await waited).toBe(true);
    mutex.dispose();
  });

  test('of a lock that an async request of this thread waits for throws', async () => {
    const semaphore = new Semaphore(2);
    const guard = semaphore.acquireSync();
    const waiting = semaphore.acquire({ weight: 2 });
    guard.release();
    expect(() => semaphore.dispose()).toThrow(LockError);
    (await waiting).release();
    semaphore.dispose();
  });

  test('ends the lock: neither it nor its handle can be used any more', () => {
    const mutex = new Mutex();
    const { handle } = mutex;
    mutex.dispose();
    expect(() => mutex.acquireSync()).toThrow(LockError);
    expect(() => mutex.tryAcquireSync()).toThrow(LockError);
    expect(() => Mutex.from(handle)).toThrow(InvalidHandleError);
    expect(() => open(handle)).toThrow(InvalidHandleError);
  });

  test('makes asynchronous forms of the lock reject', async () => {
    const mutex = new Mutex();
    mutex.dispose();
    await expect(mutex.acquire()).rejects.toThrow(LockError);
    await expect(mutex.tryAcquire()).rejects.toThrow(LockError);
    await expect(mutex.withLock(() => undefined)).rejects.toThrow(LockError);
  });

  test('gives a cell back only when no other thread has it open', async () => {
    const space = new Space({ locks: 1, threads: 4 });
    const mutex = new Mutex({ space });
    const thread = await startThread();
    await thread.run(({ Mutex }, handle) => Mutex.from(handle).acquireSync().release(), mutex.handle);
    mutex.dispose();
    expect(() => new Semaphore(3, { space })).toThrow(SpaceFullError);
    await thread.terminate();
    expect(new Semaphore(3, { space }).availableSync()).toBe(3);
  });

  test('of the last thread that has it open gives the cell back', async () => {
    const space = new Space({ locks: 1, threads: 4 });
    const mutex = new Mutex({ space });
    const thread = await startThread();
    await thread.run(({ Mutex }, handle) => {
      const mutex = Mutex.from(handle);
      mutex.acquireSync().release();
      (globalThis as { kept?: unknown }).kept = mutex;
    }, mutex.handle);
    mutex.dispose();
    expect(() => new Mutex({ space })).toThrow(SpaceFullError);
    await thread.run(
      () => (globalThis as unknown as { kept: { dispose(): void } }).kept.dispose(),
      undefined,
    );
    new Mutex({ space });
  });

  for (const kind of ['Mutex', 'ReadWriteLock'] as const) {
    test(`keeps a named ${kind} whose holder died until the next holder has been told`, async () => {
      const space = new Space({ locks: 2, threads: 4 });
      const open = (): Mutex | ReadWriteLock['writer'] =>
        kind === 'Mutex' ? space.mutex('ledger') : space.readWriteLock('ledger').writer;
      const first = open();
      const thread = await startThread();
      await thread.run(
        ({ Space }, { handle, kind }) => {
          const space = Space.from(handle);
          if (kind === 'Mutex') space.mutex('ledger').acquireSync();
          else space.readWriteLock('ledger').acquireWriteSync();
        },
        { handle: space.handle, kind },
      );
      await thread.terminate();
      first.dispose();
      new Mutex({ space });
      const second = open();
      const guard = second.acquireSync();
      expect(guard.abandoned).toBe(true);
      guard.release();
      second.dispose();
      new Mutex({ space });
      expect(() => new Mutex({ space })).toThrow(SpaceFullError);
    });
  }

  test('of a lock whose holder died frees its room and its name for those who need them', async () => {
    const space = new Space({ locks: 2, threads: 4 });
    const thread = await startThread();
    const [one, two] = [space.mutex('one'), space.mutex('two')];
    await thread.run(({ Space }, handle) => {
      const space = Space.from(handle);
      space.mutex('one').acquireSync();
      space.mutex('two').acquireSync();
    }, space.handle);
    await thread.terminate();
    one.dispose();
    two.dispose();
    space.semaphore('one', 3);
    new Mutex({ space });
    expect(() => new Mutex({ space })).toThrow(SpaceFullError);
  });

  test('more memory than there can be is refused by the names of the options', () => {
    expect(() => new Space({ locks: 1_048_576, threads: 1_022 })).toThrow(
      /options\.locks .* options\.threads/,
    );
  });

  test('a name must be well-formed: two that are not could be the same bytes', () => {
    const space = new Space({ locks: 2, threads: 2 });
    expect(() => space.mutex('k\ud800')).toThrow(RangeError);
    expect(() => space.mutex('k\ud800')).toThrow(/name/);
    new Mutex({ space });
    new Mutex({ space });
  });

  for (const kept of ['nothing', 'a guard, which is released later'] as const) {
    test(`elsewhere gives back a cell whose lock object was collected here, where ${kept} was kept of it`, async () => {
      const space = new Space({ locks: 1, threads: 4 });
      const thread = await startThread();
      let guard: SyncGuard | undefined;
      const handle = ((): MutexHandle => {
        const mutex = new Mutex({ space });
        if (kept !== 'nothing') guard = mutex.acquireSync();
        return mutex.handle;
      })();
      for (let i = 0; i < 3; i++) {
        collectGarbage();
        await new Promise((resolve) => setTimeout(resolve, 1));
      }
      guard?.release();
      await thread.run(({ Mutex }, handle) => Mutex.from(handle).dispose(), handle);
      const hasRoom = (): boolean => {
        collectGarbage();
        try {
          new Mutex({ space });
          return true;
        } catch {
          return false;
        }
      };
      await until(
        () => new Promise((resolve) => setTimeout(() => resolve(hasRoom()), 1)),
        'the cell is given back',
      );
    });
  }

  test('does not let an old handle open what came after it in the same cell', () => {
    const space = new Space({ locks: 1, threads: 2 });
    const first = new Mutex({ space });
    const { handle } = first;
    first.dispose();
    const second = new Mutex({ space });
    using _guard = second.acquireSync();
    expect(() => Mutex.from(handle)).toThrow(InvalidHandleError);
  });

  test('leaves another lock object of this thread as it is', async () => {
    const space = new Space({ locks: 1, threads: 2 });
    const thread = await startThread();
    const [first, second] = [space.mutex('two objects'), space.mutex('two objects')];
    first.dispose();
    using guard = second.acquireSync();
    await thread.run(({ Mutex }, handle) => void Mutex.from(handle), second.handle);
    expect(() => first.acquireSync()).toThrow(InvalidHandleError);
    expect(() => new Mutex({ space })).toThrow(SpaceFullError);
    expect(second.isOwnedSync()).toBe(true);
    guard.release();
    second.dispose();
  });

  for (const [kind, make] of [
    ['mutex', (space: Space) => new Mutex({ space })],
    ['semaphore', (space: Space) => new Semaphore(1, { space })],
  ] as const)
    test(`starts the statistics of a ${kind} that comes after it anew`, async () => {
      const untouched = make(new Space({ locks: 1, threads: 2 })).stats();
      const space = new Space({ locks: 1, threads: 2 });
      const first = make(space);
      const guard = first.acquireSync();
      await expect(first.acquire({ timeout: 1 })).rejects.toThrow('ERR_LOCK_TIMEOUT');
      const later = first.acquire();
      guard.release();
      (await later).release();
      expect(first.stats()).toMatchObject({ acquisitions: 2, contended: 1, timeouts: 1, wait: { count: 1 } });
      first.dispose();
      expect(make(space).stats()).toEqual(untouched);
    });
});

describe('Who acquires what nobody else wants never contends, whatever the options:', () => {
  const { signal } = new AbortController();
  const sides: [string, (space: Space) => SyncLock & { stats(): LockStats }][] = [
    ['mutex', (space) => new Mutex({ space })],
    ['reentrant mutex', (space) => new Mutex({ space, reentrant: true })],
    ['semaphore', (space) => new Semaphore(1, { space })],
    ['reader', (space) => new ReadWriteLock({ space }).reader],
    ['writer', (space) => new ReadWriteLock({ space }).writer],
  ];
  for (const [kind, open] of sides)
    test(kind, async () => {
      const lock = open(new Space({ locks: 1, threads: 2 }));
      for (const how of [undefined, {}, { timeout: 1000 }, { signal }]) {
        const guard = await lock.acquire(how);
        guard.release();
      }
      for (const how of [undefined, {}, { timeout: 1000 }]) lock.acquireSync(how).release();
      expect(lock.stats()).toMatchObject({ acquisitions: 7, contended: 0 });
    });
});

describe('A fence never restarts', () => {
  test('when a cell is reused', () => {
    const space = new Space({ locks: 1, threads: 2 });
    let last = -1n;
    for (let i = 0; i < 20; i++) {
      const rw = new ReadWriteLock({ space });
      const mutex = (): bigint => {
        rw.dispose();
        const it = new Mutex({ space });
        const { fence } = it.withLockSync((guard) => guard);
        it.dispose();
        return fence;
      };
      for (const next of [() => rw.writer.withLockSync((guard) => guard.fence), mutex]) {
        const fence = next();
        expect(fence).toBeGreaterThan(last);
        last = fence;
      }
    }
  });

  test('when a name is reused, whichever cell it gets', () => {
    const space = new Space({ locks: 3, threads: 2 });
    let last = -1n;
    for (let i = 0; i < 12; i++) {
      const others = Array.from({ length: i % 3 }, () => new Mutex({ space }));
      const mutex = space.mutex('reused');
      for (let round = 0; round < 5; round++) {
        const { fence } = mutex.withLockSync((guard) => guard);
        expect(fence).toBeGreaterThan(last);
        last = fence;
      }
      mutex.dispose();
      for (const other of others) other.dispose();
    }
  });
});

describe('Space', () => {
  test('has one default for a process', () => {
    expect(Space.default().handle).toEqual(Space.default().handle);
    expect(new Mutex().handle.memory).toBe(Space.default().handle.memory);
  });

  test('opens from its handle as the same space, in this thread and others', async () => {
    const space = new Space({ locks: 4, threads: 4 });
    const mutex = space.mutex('by handle');
    using _guard = mutex.acquireSync();
    expect(Space.from(space.handle).mutex('by handle').isLockedSync()).toBe(true);
    expect(Space.from(structuredClone(space.handle)).mutex('by handle').isLockedSync()).toBe(true);
    const thread = await startThread();
    const [locked, sameCell] = await thread.run(
      ({ Space, Mutex }, { handle, cell }) => {
        const space = Space.from(handle);
        const mutex = new Mutex({ name: 'by handle', space });
        return [mutex.isLockedSync(), mutex.handle.cell === cell];
      },
      { handle: space.handle, cell: mutex.handle.cell },
    );
    expect([locked, sameCell]).toEqual([true, true]);
  });

  test('has as much room as is asked for', () => {
    const space = new Space({ locks: 5 });
    for (let i = 0; i < 5; i++) new Mutex({ space });
    expect(() => new Mutex({ space })).toThrow(SpaceFullError);
  });

  for (const [option, value, type] of [
    ['locks', 0, RangeError],
    ['locks', -1, RangeError],
    ['locks', 1.5, RangeError],
    ['locks', NaN, RangeError],
    ['locks', 2 ** 40, RangeError],
    ['locks', '4', TypeError],
    ['threads', 0, RangeError],
    ['threads', 2 ** 30, RangeError],
    ['threads', null, TypeError],
  ] as const) {
    test(`refuses ${option} ${typeof value} ${value}: ${type.name} that names option and value`, () => {
      const error = thrown(() => new Space({ [option]: value }));
      expect(error).toBeInstanceOf(type);
      expect(error.message).toContain(option);
      expect(error.message).toContain(String(value));
    });
  }

  test('does not get its locks mixed up', () => {
    const space = new Space({ locks: 64, threads: 2 });
    const mutexes = Array.from({ length: 64 }, () => new Mutex({ space }));
    const guards = mutexes.filter((_, index) => index % 3 === 0).map((mutex) => mutex.acquireSync());
    expect(mutexes.map((mutex) => mutex.isLockedSync())).toEqual(mutexes.map((_, index) => index % 3 === 0));
    for (const guard of guards) guard.release();
    expect(mutexes.some((mutex) => mutex.isLockedSync())).toBe(false);
  });
});

describe('A worker that was started before the main thread loaded the package', () => {
  test('gets a clear error on a named lock, and handles work', async () => {
    const { code, stdout, stderr } = await runFixture('space/late-main.mjs');
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
    const told = JSON.parse(stdout);
    for (const form of ['mutexByName', 'semaphoreByName', 'readWriteLockByName', 'defaultByName']) {
      expect(told[form], form).toHaveProperty('error');
      expect(told[form].error.message, form).toMatch(/space/i);
      expect(told[form].error.code, form).toMatch(/^ERR_/);
    }
    expect(told).toMatchObject({
      lockedByHandle: { value: true },
      permitsByHandle: { value: 2 },
      acquiredByHandle: true,
      free: true,
    });
  });
});

describe('Two copies of the package in one thread', () => {
  test('share one state', async () => {
    const { entry } = await copiedPackage();
    const { code, stdout, stderr } = await runFixture('space/two-copies.mjs', [entry]);
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
    expect(JSON.parse(stdout)).toEqual({
      distinct: true,
      sameMemory: true,
      seesIt: true,
      owns: true,
      refused: true,
      deadlock: 'ERR_LOCK_DEADLOCK',
      waiters: 1,
      reenters: true,
      reentersAsync: true,
      byHandle: true,
      grown: true,
      got: true,
    });
  });

  test('are told when their layout versions differ', async () => {
    const { entry, changed } = await copiedPackage((text) =>
      text.replace(/LAYOUT_VERSION = \d+/, 'LAYOUT_VERSION = 999'),
    );
    expect(changed).toBe(1);
    const { code, stdout } = await runFixture('space/two-copies.mjs', [entry]);
    expect(code).toBe(0);
    const { error } = JSON.parse(stdout);
    expect(error.code).toMatch(/^ERR_/);
    expect(error.message).toMatch(/version/i);
    expect(error.message).toContain('999');
  });
});
