/** `Space.open()`: the file, its options, and the same locks in several processes. */
import { execFileSync } from 'node:child_process';
import {
  chmodSync,
  closeSync,
  copyFileSync,
  mkdirSync,
  openSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { createServer } from 'node:net';
import { once } from 'node:events';
import { join, relative } from 'node:path';
import { pathToFileURL } from 'node:url';
import { Piscina } from 'piscina';
import { afterAll, afterEach, describe, expect, test } from 'vitest';
import {
  BackendUnavailableError,
  InvalidHandleError,
  Mutex,
  NameConflictError,
  ReadWriteLock,
  Semaphore,
  Space,
  SpaceFullError,
  open,
} from 'mortise';
import { native } from '../dist/native.js';
import { expectRefused } from './contract/guards.ts';
import { runFixture } from './fixtures/child.ts';
import { copiedPackage } from './fixtures/copied-package.ts';
import { endProcesses, Process } from './fixtures/process.ts';
import { folder, newRegion } from './fixtures/space-open/region.ts';
import { endThreads, startThread } from './fixtures/thread.ts';
import { until, words } from './fixtures/until.ts';

const small = { locks: 8, threads: 4 };
const { gc: collectGarbage = () => expect.fail('runs without --expose-gc') } = globalThis;

afterEach(endProcesses);
afterAll(endThreads);

type Thrown = Error & { code?: string; cause?: { code?: string } };

function thrown(call: () => unknown): Thrown {
  try {
    call();
  } catch (error) {
    return error as Thrown;
  }
  return expect.fail('did not throw');
}

function codeOf({ code }: Thrown): unknown {
  return code;
}

/** Run in a process: opens a region, which has room for one thread if it makes it. */
const opens = ({ Space }: typeof import('mortise'), path: string): void =>
  void Space.open(path, { locks: 2, threads: 1 });

function withUmask(mask: number, body: () => unknown): void {
  const before = process.umask(mask);
  try {
    body();
  } finally {
    process.umask(before);
  }
}

const modeOf = (path: string): number => statSync(path).mode & 0o777;

/** The path of a region that was made by a process which has ended. */
function madeRegion(): Promise<string> {
  const path = newRegion();
  const maker = Process.fork();
  return maker
    .run(({ Space }, path) => void Space.open(path, { locks: 8, threads: 4 }).mutex('db'), path)
    .then(() => maker.kill())
    .then(() => path);
}

describe('A region', () => {
  test('is made with its folders, and only its user may use them, whatever the umask', () => {
    const above = newRegion();
    const path = join(above, 'a', 'b');
    withUmask(0, () => Space.open(path, small));
    expect([path, join(above, 'a'), above].map(modeOf)).toEqual([0o600, 0o700, 0o700]);
  });

  test('that others may use is made with a folder that lets them get to it', () => {
    const above = newRegion();
    const path = join(above, 'a');
    withUmask(0o022, () => Space.open(path, { ...small, mode: 0o660 }));
    expect([path, above].map(modeOf)).toEqual([0o660, 0o750]);
  });

  test('whose file was created by one who died has the mode that is asked for, and keeps one that it was given', () => {
    for (const [left, mode, then] of [
      [0o600, 0o660, 0o660],
      [0o640, 0o600, 0o640],
    ] as const) {
      const path = newRegion();
      writeFileSync(path, '');
      chmodSync(path, left);
      Space.open(path, { ...small, mode });
      expect(modeOf(path)).toBe(then);
    }
  });

  test('has the mode that is asked for, whatever the umask', () => {
    const path = newRegion();
    withUmask(0o077, () => Space.open(path, { ...small, mode: 0o660 }));
    expect(modeOf(path)).toBe(0o660);
  });

  test('is the same space for a thread, however often and by whatever path it opens it', () => {
    const path = newRegion();
    const mutex = Space.open(path, { locks: 8, threads: 1 }).mutex('db');
    using _guard = mutex.acquireSync();
    for (const same of [path, relative(process.cwd(), path), pathToFileURL(path)])
      expect(Space.open(same).mutex('db').isOwnedSync()).toBe(true);
  });

  test('stays: names, permits and fences are there for whoever comes next', async () => {
    const path = newRegion();
    const first = Process.fork();
    const fence = await first.run(({ Space }, path) => {
      const space = Space.open(path, { locks: 8, threads: 4 });
      space.semaphore('bytes', 5);
      space.mutex('db').acquireSync().release();
      return Number(space.mutex('db').withLockSync((guard) => guard.fence));
    }, path);
    await first.kill('SIGTERM');
    const space = Space.open(path);
    expect(() => space.semaphore('bytes', 6)).toThrow(NameConflictError);
    expect(space.mutex('db').withLockSync((guard) => guard.fence)).toBe(BigInt(fence + 1));
  });

  test('has 1024 locks if nothing is said, and whatever it has when it is there', async () => {
    const path = newRegion();
    const space = Space.open(path);
    expect(() => Space.open(path, { locks: 1024, threads: 128 })).not.toThrow();
    expect(() => Space.open(path, { locks: 1023 })).toThrow(/1024 locks, and options.locks is 1023/);
    space.mutex('db');
    const other = await madeRegion();
    Space.open(other).mutex('mine');
    expect(() => Space.open(other, { locks: 8, threads: 4 })).not.toThrow();
  });

  for (const [option, value] of [
    ['locks', 9],
    ['threads', 5],
  ] as const)
    test(`of another capacity than options.${option} is refused, with both in the message`, async () => {
      const path = await madeRegion();
      const before = readFileSync(path);
      const error = thrown(() => Space.open(path, { [option]: value }));
      expect(error).toBeInstanceOf(BackendUnavailableError);
      expect(error.message).toContain(path);
      expect(error.message).toContain(`${value - 1} ${option}`);
      expect(error.message).toContain(`options.${option} is ${value}`);
      expect(readFileSync(path).equals(before)).toBe(true);
    });

  test('that has as many threads as it has room for refuses others, until one has ended', async () => {
    const path = newRegion();
    const [first, second] = [Process.fork(), Process.fork()];
    await first.run(opens, path);
    await expect(second.run(opens, path)).rejects.toMatchObject({ code: 'ERR_SPACE_FULL' });
    expect(() => Space.open(path)).toThrow(SpaceFullError);
    await first.kill();
    await second.run(opens, path);
  });

  test('that could not be entered is not kept locked', async () => {
    const path = newRegion();
    const [first, second] = [Process.fork(), Process.fork()];
    await first.run(opens, path);
    await expect(second.run(opens, path)).rejects.toMatchObject({ code: 'ERR_SPACE_FULL' });
    await first.kill();
    const fd = openSync(path, 'r');
    expect(native().flock(fd, native().flockModes.exclusive)).toBe(true);
    closeSync(fd);
  });

  test.each([
    ['', async (mutex: Mutex) => void mutex.acquireSync().release()],
    [
      ', if nobody ended its last wait either',
      async (mutex: Mutex) => {
        const guard = mutex.acquireSync();
        // Not by expect, which keeps the error, and with it what its stack refers to.
        expect(await mutex.acquire({ timeout: 1 }).catch(codeOf)).toBe('ERR_LOCK_TIMEOUT');
        guard.release();
      },
    ],
  ])('that a thread uses no more has its place for others%s', async (_, use) => {
    const path = newRegion();
    await use(Space.open(path, { locks: 2, threads: 1 }).mutex('db'));
    const other = Process.fork();
    await until(() => {
      collectGarbage();
      return other.run(opens, path).then(
        () => true,
        () => false,
      );
    }, 'the other process finds room');
  });

  test('that a thread uses no more has its place for itself at once', async () => {
    const path = newRegion();
    const use = (): unknown => Space.open(path, { locks: 2, threads: 1 }).mutex('db').acquireSync().release();
    for (let times = 0; times < 100; times++) {
      await new Promise((resolve) => setTimeout(resolve, 0));
      // As in a turn of the event loop in which memory runs short.
      if (times % 3 === 1) collectGarbage();
      if (use() !== true) expect.fail('was not held');
      await new Promise((resolve) => setTimeout(resolve, 0));
      if (times % 3 === 0) collectGarbage();
    }
  });

  test('that is empty, or was left half made, is made', () => {
    for (const left of ['', 'mor~', `mor~${'x'.repeat(100_000)}`]) {
      const path = newRegion();
      writeFileSync(path, left);
      expect(
        Space.open(path, small)
          .mutex('db')
          .withLockSync((guard) => guard.fence),
      ).toBe(1n);
    }
  });

  test('that is a copy of one in use is a space of its own, in which nobody lives', async () => {
    const path = newRegion();
    const mutex = Space.open(path, small).mutex('db');
    using guard = mutex.acquireSync();
    copyFileSync(path, `${path}.copy`);
    const copy = Space.open(`${path}.copy`).mutex('db');
    expect(copy.isOwnedSync()).toBe(false);
    using other = copy.acquireSync({ timeout: 1000 });
    expect(other.abandoned).toBe(true);
    expect(guard.held && mutex.isOwnedSync()).toBe(true);
  });

  test('at whose path another one was made is not that one', async () => {
    const path = newRegion();
    const before = Space.open(path, small).mutex('db');
    using _guard = before.acquireSync();
    rmSync(path);
    const after = Space.open(path, { locks: 4, threads: 2 }).mutex('db');
    expect(after.isLockedSync()).toBe(false);
    expect(() => open(before.handle)).toThrow(InvalidHandleError);
    expect(() => open(after.handle)).not.toThrow();
  });
});

describe('A file that is not a region is refused, and not a byte of it is written', () => {
  /** Writes a number into a word of the header. */
  const withWord = (at: number, value: number) => (bytes: Buffer) => {
    bytes.writeInt32LE(value, at * 4);
    return bytes;
  };

  test.each([
    ['a text', () => Buffer.from('a text that somebody needs'), /is not a region of mortise/],
    ['a byte', () => Buffer.from('m'), /is not a region of mortise/],
    ['zeros', () => Buffer.alloc(1 << 16), /is not a region of mortise/],
    ['a region of another version', withWord(1, 7), /has layout version 7; .* knows version 1/],
    [
      'a region of another system',
      withWord(12, 0x6d616773),
      /was made on "sgam.*", .* share memory with "linux-/,
    ],
    ['a region with lives of another size', withWord(11, 40), /cannot share memory/],
    [
      'a region of more locks than it has room for',
      withWord(2, 9),
      /not what its header says \(9 locks, 4 threads\)/,
    ],
    ['a region of no threads', withWord(3, 0), /not what its header says/],
    ['a region of very many threads', withWord(3, 2 ** 31 - 1), /not what its header says/],
    ['a region that uses more locks than it has', withWord(7, 9), /damaged header/],
    ['a region cut short', (it: Buffer) => it.subarray(0, it.length - 64), /bytes, which is not what/],
    ['a region cut short in its header', (it: Buffer) => it.subarray(0, 100), /has 100 bytes only/],
    [
      'a region that is longer',
      (it: Buffer) => Buffer.concat([it, Buffer.alloc(4)]),
      /bytes, which is not what/,
    ],
  ])('%s', async (_, change, message) => {
    const path = await madeRegion();
    writeFileSync(path, change(readFileSync(path)));
    const [bytes, { mtimeNs, size }] = [readFileSync(path), statSync(path, { bigint: true })];
    const error = thrown(() => Space.open(path));
    expect(error).toBeInstanceOf(BackendUnavailableError);
    expect(error.code).toBe('ERR_LOCK_BACKEND');
    expect(error.message).toContain(path);
    expect(error.message).toMatch(message);
    expect(readFileSync(path).equals(bytes)).toBe(true);
    expect(statSync(path, { bigint: true })).toMatchObject({ mtimeNs, size });
  });

  test.each([
    ['a directory', (path: string) => void mkdirSync(path)],
    ['a FIFO', (path: string) => void execFileSync('mkfifo', [path])],
    ['a socket', (path: string) => once(createServer().listen(path).unref(), 'listening')],
    ['a symbolic link', async (path: string) => symlinkSync(await madeRegion(), path)],
  ])('%s', async (kind, make) => {
    const path = newRegion();
    await make(path);
    const error = thrown(() => Space.open(path));
    expect(error).toBeInstanceOf(BackendUnavailableError);
    expect(error.message).toBe(`ERR_LOCK_BACKEND: the region ${path} is ${kind}`);
  });

  test('a device', () => {
    expect(thrown(() => Space.open('/dev/null')).message).toMatch(/\/dev\/null is a device/);
  });

  test('what the system does not let it open, with the cause', () => {
    const error = thrown(() => Space.open('/dev/null/region'));
    expect(error).toBeInstanceOf(BackendUnavailableError);
    expect(error.cause?.code).toBe('ENOTDIR');
  });

  test('one where no folder can be made', () => {
    const error = thrown(() => Space.open('/proc/self/none/region'));
    expect(error).toBeInstanceOf(BackendUnavailableError);
    expect(error.cause?.code).toBe('ENOENT');
  });

  test('one that another user owns, unless that is asked for', async () => {
    const path = await madeRegion();
    const before = readFileSync(path);
    const { stdout } = await runFixture('space-open/other-user.mjs', [path]);
    expect(stdout).toMatch(
      /^ERR_LOCK_BACKEND .* belongs to user \d+, and this process is user 4711: pass anyOwner/,
    );
    expect(readFileSync(path).equals(before)).toBe(true);
    const asked = await runFixture('space-open/other-user.mjs', [path, 'true']);
    expect(asked.stdout).toBe('opened\n');
    // Nobody in that process has asked for it, whatever the handle says.
    const handle = JSON.stringify({ ...Space.open(path).handle, anyOwner: true });
    const sent = await runFixture('space-open/other-user.mjs', [path, 'true', handle]);
    expect(sent.stdout).toContain('belongs to user');
  });

  test('one for which there is no room is left empty', async () => {
    const path = newRegion();
    const command = `trap "" XFSZ; ulimit -f 64; exec "$0" "$@"`;
    const program = new URL('./fixtures/space-open/refused.mjs', import.meta.url).pathname;
    const told = execFileSync('bash', ['-c', command, process.execPath, program, path], { encoding: 'utf8' });
    expect(told).toBe('ERR_LOCK_BACKEND EFBIG\n');
    expect(statSync(path).size).toBe(0);
    Space.open(path, small);
  });
});

describe('Space.open() refuses', () => {
  test.each([
    ['options.locks', 0, RangeError],
    ['options.locks', 1.5, RangeError],
    ['options.locks', '8', TypeError],
    ['options.threads', 1023, RangeError],
    ['options.threads', null, TypeError],
    ['options.mode', 0o1000, RangeError],
    ['options.mode', 0o400, RangeError],
    ['options.mode', '600', TypeError],
    ['options.anyOwner', 1, TypeError],
  ])('%s %j by its name, and makes no file', (option, value, kind) => {
    const path = newRegion();
    const error = thrown(() => Space.open(path, { [option.slice('options.'.length)]: value }));
    expect(error).toBeInstanceOf(kind);
    expect(error.message).toContain(option);
    expect(statSync(path, { throwIfNoEntry: false })).toBeUndefined();
  });

  test('what is not a path, and options that are not an object', () => {
    for (const path of [undefined, 5, {}, null]) expect(() => Space.open(path as never)).toThrow(TypeError);
    for (const path of ['', 'a\0b']) expect(() => Space.open(path)).toThrow(RangeError);
    expect(() => Space.open(newRegion(), null as never)).toThrow(TypeError);
  });

  test('more than can be mapped, by the names of the options', () => {
    const path = newRegion();
    const error = thrown(() => Space.open(path, { locks: 1 << 20, threads: 1022 }));
    expect(error).toBeInstanceOf(RangeError);
    expect(error.message).toMatch(/options.locks 1048576 with options.threads 1022/);
    expect(statSync(path, { throwIfNoEntry: false })).toBeUndefined();
  });
});

describe('Space.open() says what it lacks', () => {
  test.each([
    ['an addon', 'not-there.node', 'ERR_NATIVE_ADDON'],
    ['futexes and robust mutexes', 'no-futex.cjs', 'ERR_LOCK_UNSUPPORTED'],
  ])('%s, and makes no file', async (_, addon, code) => {
    const path = newRegion();
    const env = { MORTISE_ADDON: new URL(`./fixtures/space-open/${addon}`, import.meta.url).pathname };
    const { stdout } = await runFixture('space-open/refused.mjs', [path], { env });
    expect(stdout).toBe(`${code} undefined\n`);
    expect(statSync(path, { throwIfNoEntry: false })).toBeUndefined();
  });
});

describe('A handle of a lock in a file', () => {
  test('opens as the same lock in a worker, and as JSON in another process', async () => {
    const space = Space.open(newRegion(), small);
    const locks = [
      space.mutex('db'),
      space.semaphore('bytes', 2),
      space.readWriteLock('table'),
      new Mutex({ space }),
    ];
    const guards = [
      ...[locks[0] as Mutex, locks[3] as Mutex].map((it) => it.acquireSync()),
      (locks[1] as Semaphore).acquireSync({ weight: 2 }),
      (locks[2] as ReadWriteLock).acquireWriteSync(),
    ];
    const handles = locks.map((it) => it.handle);
    const tries = async (
      { open, Space }: typeof import('mortise'),
      handles: (typeof locks)[0]['handle'][],
    ) => {
      const locks = handles.map((handle) => open(handle as never) as unknown as Mutex & ReadWriteLock);
      const taken = locks.map((lock) => (lock.reader ?? lock).tryAcquireSync() !== null);
      const guards = await Promise.all(locks.map((lock) => (lock.reader ?? lock).acquire()));
      for (const guard of guards) guard.release();
      return [...taken, Space !== undefined];
    };
    const [thread, other] = [await startThread(), Process.fork()];
    const answers = [thread.run(tries, handles), other.run(tries, handles)];
    await until(() => locks.every((it) => it.stats().waiters === 2), 'both wait for all');
    for (const guard of guards) guard.release();
    expect(await Promise.all(answers)).toEqual(Array(2).fill([false, false, false, false, true]));
    await thread.terminate();
  });

  test('of a space does so as well', async () => {
    const space = Space.open(newRegion(), small);
    using _guard = space.mutex('db').acquireSync();
    const { handle } = space;
    expect(handle).toEqual(JSON.parse(JSON.stringify(handle)));
    const isLocked = ({ Space }: typeof import('mortise'), handle: Space['handle']): boolean =>
      Space.from(handle).mutex('db').isLockedSync();
    expect(await Process.fork().run(isLocked, handle)).toBe(true);
    expect(Space.from(handle).mutex('db').isOwnedSync()).toBe(true);
  });

  test('is refused if it says something else than what there is', async () => {
    const space = Space.open(newRegion(), small);
    const { handle } = space.mutex('db');
    const wrong = [
      { region: '0123456789abcdef' },
      { region: 5 },
      { path: 'relative' },
      { path: 5 },
      { path: '/a\0b' },
      { version: 9 },
      { type: 'mortise/semaphore' },
      { cell: 5 },
    ];
    const refuses = (): void => {
      for (const fields of wrong)
        expect(() => open({ ...handle, ...fields } as never), JSON.stringify(fields)).toThrow(
          InvalidHandleError,
        );
    };
    refuses();
    const codes = await Process.fork().run(
      ({ open }, handles) =>
        handles.map((handle) => {
          try {
            open(handle as never);
            return 'opened';
          } catch (error) {
            return (error as { code: string }).code;
          }
        }),
      wrong.map((fields) => ({ ...handle, ...fields })),
    );
    expect(codes).toEqual(wrong.map(() => 'ERR_LOCK_HANDLE'));
  });

  test('makes no file where there is none', () => {
    const { handle } = Space.open(newRegion(), small).mutex('db');
    const path = newRegion();
    expect(() => open({ ...handle, path } as never)).toThrow(BackendUnavailableError);
    expect(statSync(path, { throwIfNoEntry: false })).toBeUndefined();
  });
});

describe('The same name in several processes is the same lock', () => {
  test.each([
    ['child_process.fork', () => Process.fork()],
    ['child_process.spawn', () => Process.spawn()],
    ['cluster.fork', () => Process.cluster()],
  ])('%s', async (_, start) => {
    const path = newRegion();
    const space = Space.open(path, small);
    const [mutex, semaphore, rw] = [
      space.mutex('db'),
      space.semaphore('bytes', 3),
      space.readWriteLock('table'),
    ];
    const other = start();
    await other.run(({ Space, guards }, path) => {
      const space = Space.open(path);
      guards.set('db', space.mutex('db').acquireSync());
      guards.set('bytes', space.semaphore('bytes', 3).acquireSync({ weight: 2 }));
      guards.set('table', space.readWriteLock('table').acquireReadSync());
    }, path);
    expectRefused(mutex.tryAcquireSync());
    expect(mutex.infoSync().owner).toBe(`thread 0 of process ${other.pid}`);
    expect(semaphore.availableSync()).toBe(1);
    expectRefused(rw.writer.tryAcquireSync());
    rw.acquireReadSync().release();
    const waiting = [mutex.acquire(), semaphore.acquire({ weight: 2 }), rw.acquireWrite()];
    await other.run(({ guards }) => {
      for (const guard of guards.values()) void guard.release();
    }, undefined);
    for (const guard of await Promise.all(waiting))
      expect([guard.release(), guard.abandoned]).toEqual([true, false]);
  });

  test("piscina's workers, whose tasks open it for themselves", async () => {
    const [region, word] = [newRegion(), words(1)];
    Space.open(region, { locks: 8, threads: 5 });
    const pool = new Piscina({
      filename: new URL('./fixtures/space-open/task.mjs', import.meta.url).href,
      minThreads: 4,
      maxThreads: 4,
    });
    const times = 200;
    await Promise.all(Array.from({ length: 20 }, () => pool.run({ region, memory: word.buffer, times })));
    expect(word[0]).toBe(20 * times);
    await pool.destroy();
    expect(Space.open(region).mutex('word').stats()).toMatchObject({ holders: 0, abandoned: 0 });
  });

  test('programs started apart, and their workers, lose no count of a number, blocking and async', async () => {
    const [path, number] = [newRegion(), join(folder, 'number')];
    writeFileSync(number, '0');
    const rounds = 150;
    const programs = Array.from({ length: 3 }, () =>
      runFixture('space-open/count.mjs', [path, number, String(rounds)]),
    );
    for (const { code, stderr } of await Promise.all(programs)) expect([code, stderr]).toEqual([0, '']);
    expect(readFileSync(number, 'utf8')).toBe(String(6 * rounds));
  });

  test('many processes that open a region which is not there make it once', async () => {
    const path = newRegion();
    const others = Array.from({ length: 6 }, () => Process.fork());
    const ids = await Promise.all(
      others.map((it) =>
        it.run(({ Space }, path) => {
          const { handle } = Space.open(path, { locks: 8, threads: 8 });
          return handle.path === undefined ? '' : handle.region;
        }, path),
      ),
    );
    expect(new Set(ids).size).toBe(1);
    expect(ids[0]).toMatch(/^[0-9a-f]{16}$/);
  });

  test('two copies of the package in one thread share its place, though each has an addon of its own', async () => {
    const { entry } = await copiedPackage();
    const { stdout, stderr } = await runFixture('space-open/two-copies.mjs', [entry, newRegion()]);
    expect(stderr).toBe('');
    expect(JSON.parse(stdout)).toEqual({
      distinct: true,
      owns: true,
      refused: true,
      byHandle: true,
      deadlock: 'ERR_LOCK_DEADLOCK',
      waiters: 1,
      fences: [1, 2],
      released: true,
      free: true,
    });
  });

  test.each(['blocking', 'async'])('%s waiters are woken, and do not find out by looking', async (how) => {
    const path = newRegion();
    // First in, first out: each turn is a hand-over to the other process and one back.
    const { writer } = Space.open(path, small).readWriteLock('table');
    const turns = 40;
    let guard = writer.acquireSync();
    const other = Process.fork();
    const done = other.run(
      async ({ Space }, { path, how }) => {
        const space = Space.open(path);
        const { writer } = space.readWriteLock('table');
        const stop = space.mutex('stop');
        while (!stop.isLockedSync())
          (how === 'async' ? await writer.acquire() : writer.acquireSync()).release();
      },
      { path, how },
    );
    for (let i = 0; i < turns; i++) {
      await until(() => writer.infoSync().waiters === 1, 'the other waits');
      const next = writer.acquire();
      guard.release();
      guard = await next;
    }
    using _stop = Space.open(path).mutex('stop').acquireSync();
    guard.release();
    await done;
    const { wait } = Space.open(path).readWriteLock('table').stats();
    expect(wait.count).toBeGreaterThan(turns);
    // Whoever is not woken looks after 20 ms.
    expect(wait.p50).toBeLessThan(15);
  });

  test('a timeout and an abort end a wait for a lock of another process', async () => {
    const path = newRegion();
    const mutex = Space.open(path, small).mutex('db');
    const other = Process.fork();
    await other.run(({ Space, guards }, path) => {
      guards.set('db', Space.open(path).mutex('db').acquireSync());
    }, path);
    expect(thrown(() => mutex.acquireSync({ timeout: 30 })).message).toMatch(
      `the lock 'db' was not acquired within 30 ms: held by thread 0 of process ${other.pid}`,
    );
    await expect(mutex.acquire({ timeout: 30 })).rejects.toMatchObject({ code: 'ERR_LOCK_TIMEOUT' });
    const abort = new AbortController();
    const waiting = mutex.acquire({ signal: abort.signal });
    abort.abort(new Error('enough'));
    await expect(waiting).rejects.toThrow('enough');
    expect(mutex.stats()).toMatchObject({ waiters: 0, timeouts: 2 });
  });

  test('a worker that is terminated gives back its place and what it held', async () => {
    const path = newRegion();
    const space = Space.open(path, { locks: 2, threads: 2 });
    const mutex = space.mutex('db');
    for (let round = 0; round < 3; round++) {
      const thread = await startThread();
      await thread.run(({ Space, guards }, path) => {
        guards.set('db', Space.open(path).mutex('db').acquireSync());
      }, path);
      await thread.terminate();
      using guard = mutex.acquireSync({ timeout: 1000 });
      expect(guard.abandoned).toBe(true);
    }
  });
});
