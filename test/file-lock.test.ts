/** FileLock: what it promises as a lock, between threads and processes, and of its file. */
import { execFileSync, fork } from 'node:child_process';
import { once } from 'node:events';
import {
  chmodSync,
  closeSync,
  existsSync,
  linkSync,
  mkdirSync,
  openSync,
  readFileSync,
  readdirSync,
  renameSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
  writeSync,
} from 'node:fs';
import { hostname } from 'node:os';
import { basename, join, relative } from 'node:path';
import { pathToFileURL } from 'node:url';
import { afterEach, describe, expect, onTestFinished, test } from 'vitest';
import {
  BackendUnavailableError,
  DeadlockError,
  InvalidHandleError,
  LockBusyError,
  LockTimeoutError,
} from 'mortise';
import { FileLock, type FileLockOptions } from 'mortise/file';
import { FILE_RELEASES, FILE_WAITED, until as moment } from '../dist/file/words.js';
import { now } from '../dist/parker/clock.js';
import { native } from '../dist/native.js';
import { expectRefused, seen } from './contract/guards.ts';
import { describeLock } from './contract/lock.ts';
import { endPeers, Peer, type Tools } from './fixtures/native/peer.ts';
import { newFile, newPath } from './fixtures/native/scratch.ts';
import { until } from './fixtures/until.ts';

afterEach(endPeers);

describeLock(
  'FileLock',
  (name) => {
    const lock = new FileLock(`${newPath()} ${name}`);
    return { lock, blocker: lock, handle: { lockFile: lock.path } };
  },
  { exclusive: true, inSpace: false },
);

describeLock(
  'FileLock, shared',
  (name) => {
    const blocker = new FileLock(`${newPath()} ${name}`);
    const lock = new FileLock(blocker.path, { shared: true });
    const handle = { lockFile: lock.path };
    return { lock, blocker, handle, face: 'reader', blockerFace: 'writer' };
  },
  { exclusive: false, inSpace: false },
);

const elsewhere = [
  ['thread', () => Peer.thread()],
  ['process', () => Peer.process()],
] as const;

/** Run in a peer. */
const holds = ({ FileLock, kept }: Tools, path: string): boolean => {
  kept.guard = new FileLock(path).acquireSync();
  return kept.guard.abandoned;
};
const holdsAll = ({ FileLock, kept }: Tools, paths: string): void => {
  const guards = paths.split('\n').map((path) => new FileLock(path).acquireSync());
  kept.guard = { release: () => guards.every((guard) => guard.release()) } as never;
};
const shares = ({ FileLock, kept }: Tools, path: string): boolean => {
  kept.guard = new FileLock(path, { shared: true }).acquireSync();
  return kept.guard.abandoned;
};
const lets = ({ kept }: Tools): boolean => kept.guard.release();
const takes = ({ FileLock }: Tools, path: string): boolean => new FileLock(path).acquireSync().release();
const canTake = ({ FileLock }: Tools, path: string): boolean => {
  const guard = new FileLock(path).tryAcquireSync();
  return guard?.release() ?? false;
};

function wordsOf(path: string): Int32Array {
  const fd = openSync(path, 'r+');
  try {
    return new Int32Array(native().map(fd, 512));
  } finally {
    closeSync(fd);
  }
}

async function failure(promise: Promise<unknown>): Promise<Error> {
  return promise.then(
    () => expect.fail('was not rejected'),
    (reason: unknown) => reason as Error,
  );
}

/** All forms fail the same way, and leave nothing behind. */
async function expectBackendError(path: string, ...parts: string[]): Promise<void> {
  const lock = new FileLock(path);
  const open = readdirSync('/proc/self/fd').length;
  for (const attempt of [() => lock.acquire(), async () => lock.acquireSync(), () => lock.tryAcquire()]) {
    const error = await failure(attempt());
    expect(error).toBeInstanceOf(BackendUnavailableError);
    expect(error.message).toContain(path);
    for (const part of parts) expect(error.message).toContain(part);
  }
  expect(readdirSync('/proc/self/fd').length).toBeLessThanOrEqual(open);
}

describe('FileLock excludes', () => {
  test('two locks on one path in one thread, by whatever way the path is written', async () => {
    const path = newPath();
    const lock = new FileLock(path);
    for (const other of [path, relative(process.cwd(), path), pathToFileURL(path)]) {
      const guard = lock.acquireSync();
      const second = new FileLock(other);
      expect(second.path).toBe(path);
      expectRefused(second.tryAcquireSync());
      const waiting = second.acquire();
      guard.release();
      (await waiting).release();
    }
  });

  test('two paths to one file', async () => {
    const path = newPath();
    const guard = new FileLock(path).acquireSync();
    linkSync(path, `${path}.link`);
    const other = new FileLock(`${path}.link`);
    expectRefused(other.tryAcquireSync());
    expect(() => other.acquireSync()).toThrow(DeadlockError);
    const waiting = other.acquire();
    guard.release();
    (await waiting).release();
  });

  test.each(elsewhere)('another %s', async (_, start) => {
    const lock = new FileLock(newPath());
    const peer = start();
    expect(await peer.run(holds, lock.path)).toBe(false);
    expectRefused(await lock.tryAcquire());
    expect(lock.isLockedSync()).toBe(true);
    expect(lock.isOwnedSync()).toBe(false);
    const waiting = lock.acquire();
    expect(await peer.run(lets)).toBe(true);
    const guard = await waiting;
    expect(await peer.run(canTake, lock.path)).toBe(false);
    guard.release();
    expect(await peer.run(canTake, lock.path)).toBe(true);
  });

  test('four processes: no increment of a file is lost, blocking and async', async () => {
    const counter = newFile();
    writeFileSync(counter, '0');
    const increment = async ({ FileLock, fs }: Tools, counter: string): Promise<void> => {
      const add = (): void => fs.writeFileSync(counter, String(Number(fs.readFileSync(counter, 'utf8')) + 1));
      const lock = new FileLock(`${counter}.lock`);
      for (let i = 0; i < 100; i++) lock.withLockSync(add);
      await Promise.all(Array.from({ length: 100 }, () => lock.withLock(add)));
    };
    const peers = [Peer.process(), Peer.process(), Peer.process(), Peer.thread()];
    await Promise.all(peers.map((peer) => peer.run(increment, counter)));
    expect(Number(readFileSync(counter, 'utf8'))).toBe(800);
  });

  test('those who do not use this package, but flock', async () => {
    const path = newFile(0);
    const addon = native();
    const fd = openSync(path, 'r+');
    onTestFinished(() => closeSync(fd));
    addon.flock(fd, addon.flockModes.exclusive);
    const lock = new FileLock(path);
    expectRefused(lock.tryAcquireSync());
    expect(lock.infoSync()).toMatchObject({ holders: 1, owner: null, pid: null });
    const waiting = lock.acquire();
    const blocked = Peer.process().run(holds, path);
    addon.flock(fd, addon.flockModes.unlock);
    (await waiting).release();
    expect(await blocked).toBe(false);
    expect(addon.flock(fd, addon.flockModes.exclusive)).toBe(false);
  });

  test('those who do not use this package and do not say who they are', async () => {
    const lock = new FileLock(newPath());
    const shared = new FileLock(lock.path, { shared: true });
    shared.acquireSync().release();
    const fd = openSync(lock.path, 'r+');
    onTestFinished(() => closeSync(fd));
    const { flock, flockModes } = native();
    flock(fd, flockModes.exclusive);
    expect((await failure(lock.acquire({ timeout: 0 }))).message).not.toContain('last held');
    flock(fd, flockModes.unlock);
    lock.acquireSync().release();
    flock(fd, flockModes.exclusive);
    expect(lock.infoSync()).toMatchObject({ holders: 1, owner: null, pid: null, acquiredAt: null });
  });
});

describe('FileLock, shared', () => {
  test('many hold it at once, in this thread and elsewhere; nobody has it alone meanwhile', async () => {
    const path = newPath();
    const [shared, alone] = [new FileLock(path, { shared: true }), new FileLock(path)];
    const guards = [shared.acquireSync(), await shared.acquire(), shared.acquireSync()];
    expect(shared.infoSync()).toMatchObject({ holders: 3, owner: null });
    const peers = elsewhere.map(([, start]) => start());
    for (const peer of peers) expect(await peer.run(shares, path)).toBe(false);
    for (const guard of guards) {
      expectRefused(alone.tryAcquireSync());
      guard.release();
    }
    expect(alone.infoSync()).toMatchObject({ holders: 1, owner: null });
    const waiting = alone.acquire();
    for (const peer of peers) {
      expectRefused(alone.tryAcquireSync());
      await peer.run(lets);
    }
    expect((await waiting).release()).toBe(true);
  });

  test('requests of one thread are served in their order, neighbours that share at once', async () => {
    const path = newPath();
    const [shared, alone] = [new FileLock(path, { shared: true }), new FileLock(path)];
    const held = alone.acquireSync();
    const order: string[] = [];
    const enter = (lock: FileLock, name: string): Promise<void> =>
      lock.withLock(async () => {
        order.push(`+${name}`);
        await null;
        order.push(`-${name}`);
      });
    const all = [
      enter(shared, 'a'),
      enter(shared, 'b'),
      enter(alone, 'c'),
      enter(shared, 'd'),
      enter(alone, 'e'),
    ];
    held.release();
    await Promise.all(all);
    expect(order.slice(0, 2)).toEqual(['+a', '+b']);
    expect(order.slice(2, 4).sort()).toEqual(['-a', '-b']);
    expect(order.slice(4)).toEqual(['+c', '-c', '+d', '-d', '+e', '-e']);
  });

  test('a thread that shares it may share it again, blocking, past those who wait to have it alone', async () => {
    const path = newPath();
    const shared = new FileLock(path, { shared: true });
    const first = shared.acquireSync();
    const waiting = new FileLock(path).acquire();
    const second = shared.acquireSync();
    first.release();
    expect(await Promise.race([waiting, Promise.resolve('waits')])).toBe('waits');
    second.release();
    (await waiting).release();
  });

  test('whoever waits elsewhere to have it alone is not kept out by those who go on sharing', async () => {
    const path = newPath();
    const shared = new FileLock(path, { shared: true });
    const peer = Peer.process();
    let current = await shared.acquire();
    const waiting = peer.run(holds, path);
    await until(() => shared.infoSync().waiters === 1, 'it waits');
    let done = false;
    void waiting.then(() => (done = true));
    let turns = 0;
    while (!done) {
      const next = shared.acquire();
      await Promise.race([next, waiting, new Promise((resolve) => setTimeout(resolve, 5))]);
      current.release();
      if (done) break;
      await Promise.race([next, waiting]);
      if (!done) current = await next;
      else void next.then((guard) => guard.release());
      expect(++turns).toBeLessThan(10_000);
    }
    await peer.run(lets);
  });
});

describe('FileLock, shared,', () => {
  test('is shared again by a thread that keeps sharing it, though somebody waits elsewhere to have it alone', async () => {
    const path = newPath();
    const shared = new FileLock(path, { shared: true });
    const outer = await shared.acquire();
    const waiting = Peer.process().run(holds, path);
    await until(() => shared.infoSync().waiters === 1, 'it waits');
    const inner = await shared.acquire({ timeout: 5000 });
    inner.release();
    outer.release();
    await waiting;
  });
});

describe('FileLock of the dead', () => {
  test.each([
    ['killed process', () => Peer.process()],
    ['terminated thread', () => Peer.thread()],
  ])('goes on at once to whoever waits, who is told: %s', async (_, start) => {
    const lock = new FileLock(newPath());
    const peer = start();
    await peer.run(holds, lock.path);
    const waiting = lock.acquire();
    const blocked = Peer.process();
    await peer.kill();
    const guard = await waiting;
    expect(seen(guard)).toEqual({ held: true, abandoned: true });
    guard.release();
    // It was told; the next one need not be.
    expect(await blocked.run(holds, lock.path)).toBe(false);
  });

  test('a blocked waiter has it as well', async () => {
    const lock = new FileLock(newPath());
    const [holder, waiter] = [Peer.process(), Peer.process()];
    await holder.run(holds, lock.path);
    const waiting = waiter.run(holds, lock.path);
    await until(() => lock.infoSync().waiters === 1, 'it waits');
    await holder.kill();
    expect(await waiting).toBe(true);
  });

  test('those who share it are told until somebody has had it alone', async () => {
    const path = newPath();
    const peer = Peer.process();
    await peer.run(holds, path);
    await peer.kill();
    const shared = new FileLock(path, { shared: true });
    expect(shared.withLockSync(({ abandoned }) => abandoned)).toBe(true);
    expect(shared.withLockSync(({ abandoned }) => abandoned)).toBe(true);
    const alone = new FileLock(path);
    expect(alone.withLockSync(({ abandoned }) => abandoned)).toBe(true);
    expect(shared.withLockSync(({ abandoned }) => abandoned)).toBe(false);
  });

  test('who shared it leaves no trace', async () => {
    const path = newPath();
    const peer = Peer.process();
    await peer.run(shares, path);
    await peer.kill();
    expect(new FileLock(path).withLockSync(({ abandoned }) => abandoned)).toBe(false);
  });

  test('a child of its holder does not keep it', async () => {
    const path = newPath();
    const peer = Peer.process();
    await peer.run(holds, path);
    const child = await peer.run(({ fork, self }) => {
      const process = fork(new URL('stays.mjs', self), { detached: true, stdio: 'ignore' });
      return new Promise<number>((resolve) => process.once('message', () => resolve(process.pid ?? 0)));
    });
    onTestFinished(() => {
      process.kill(child, 'SIGKILL');
    });
    await peer.kill();
    expect((await new FileLock(path).acquire({ timeout: 20_000 })).abandoned).toBe(true);
    expect(process.kill(child, 0)).toBe(true);
  });

  test('a thread whose files Node.js does not close keeps nothing', async () => {
    const [path, last] = [newPath(), newPath()];
    const peer = Peer.thread({ trackUnmanagedFds: false });
    await peer.run(holds, path);
    await peer.run(takes, last);
    await peer.kill();
    expect(new FileLock(path).tryAcquireSync()?.abandoned).toBe(true);
    expect(new FileLock(last).tryAcquireSync()?.abandoned).toBe(false);
  });

  test('a process that ends by itself while it holds it has died too', async () => {
    const path = newPath();
    const peer = Peer.process();
    await peer.run(holds, path);
    peer.abandon(() => process.exit(0));
    await peer.exited;
    expect(new FileLock(path).withLockSync(({ abandoned }) => abandoned)).toBe(true);
  });
});

describe('FileLock tells', () => {
  test('who holds it, where and since when', async () => {
    const lock = new FileLock(newPath());
    expect(lock.infoSync()).toEqual({
      name: lock.path,
      path: lock.path,
      owner: null,
      pid: null,
      threadId: null,
      host: null,
      acquiredAt: null,
      ttl: null,
      holders: 0,
      waiters: 0,
    });
    expect(existsSync(lock.path)).toBe(false);
    const peer = Peer.process();
    await peer.run(holds, lock.path);
    const info = await lock.info();
    const pid = await peer.run(() => process.pid);
    expect(info).toMatchObject({ pid, threadId: 0, host: hostname(), holders: 1, waiters: 0 });
    expect(info.owner).toBe(`thread 0 of process ${pid} on ${hostname()}`);
    expect(Math.abs(Date.now() - info.acquiredAt!)).toBeLessThan(20_000);
    const error = await failure(lock.acquire({ timeout: 1 }));
    expect(error.message).toContain(`last held alone by ${info.owner}`);
  });

  test('how many wait here, and that somebody waits elsewhere', async () => {
    const lock = new FileLock(newPath());
    const guard = lock.acquireSync();
    const waiting = [lock.acquire(), lock.acquire()];
    expect(lock.infoSync().waiters).toBe(2);
    guard.release();
    for (const one of waiting) (await one).release();
    expect(lock.infoSync().waiters).toBe(0);
    const held = lock.acquireSync();
    const elsewhere = Peer.process().run(holds, lock.path);
    await until(() => lock.infoSync().waiters === 1, 'it waits');
    held.release();
    await elsewhere;
  });

  test('a fence that grows from process to process, and when the file is made again', async () => {
    const lock = new FileLock(newPath());
    const fences: bigint[] = [lock.withLockSync(({ fence }) => fence)];
    const fenceElsewhere = ({ FileLock }: Tools, path: string): bigint =>
      new FileLock(path).withLockSync(({ fence }) => fence);
    fences.push(await Peer.thread().run(fenceElsewhere, lock.path));
    const removing = new FileLock(lock.path, { removeOnRelease: true });
    for (let i = 0; i < 50; i++) {
      fences.push(removing.withLockSync(({ fence }) => fence));
      expect(existsSync(lock.path)).toBe(false);
    }
    for (let i = 1; i < fences.length; i++) expect(fences[i]!).toBeGreaterThan(fences[i - 1]!);
    const shared = new FileLock(lock.path, { shared: true });
    lock.acquireSync().release();
    const last = lock.withLockSync(({ fence }) => fence);
    expect(shared.withLockSync(({ fence }) => fence)).toBe(last);
  });
});

describe('The file', () => {
  test('that a loss of power has set back gives no fence again', () => {
    const lock = new FileLock(newPath());
    lock.acquireSync().release();
    const contents = readFileSync(lock.path);
    const fences = Array.from({ length: 10 }, () => lock.withLockSync(({ fence }) => fence));
    lock.dispose();
    writeFileSync(lock.path, contents, { flag: 'r+' });
    expect(new FileLock(lock.path).withLockSync(({ fence }) => fence)).toBeGreaterThan(fences[9]!);
  });

  test('is made with its folders, for this user only, and stays', () => {
    const folder = newPath();
    const before = process.umask(0);
    onTestFinished(() => {
      process.umask(before);
    });
    const lock = new FileLock(join(folder, 'a', 'b.lock'));
    lock.acquireSync().release();
    expect(statSync(lock.path).mode & 0o777).toBe(0o600);
    expect(statSync(join(folder, 'a')).mode & 0o777).toBe(0o700);
    const open = new FileLock(join(folder, 'c.lock'), { mode: 0o664 });
    open.acquireSync().release();
    expect(statSync(open.path).mode & 0o777).toBe(0o664);
  });

  test('that others may use is made with a folder that lets them get to it', () => {
    const folder = newPath();
    const before = process.umask(0);
    onTestFinished(() => {
      process.umask(before);
    });
    new FileLock(join(folder, 'a.lock'), { mode: 0o660 }).acquireSync().release();
    expect(statSync(folder).mode & 0o777).toBe(0o750);
  });

  test('may be empty, as flock(1) and touch leave it', () => {
    const lock = new FileLock(newFile(0));
    lock.acquireSync().release();
    expect(lock.withLockSync(({ fence }) => fence)).toBeGreaterThan(0n);
  });

  test('may be cut off, as a shell does with 9>a.lock, while it is open, held and waited for', async () => {
    const path = newPath();
    const peer = Peer.process();
    await peer.run(({ FileLock }, path) => {
      const lock = new FileLock(path);
      lock.acquireSync().release();
    }, path);
    const cut = (): void => writeFileSync(path, '');
    cut();
    await peer.run(holds, path);
    const waiting = Peer.process();
    const blocked = Peer.process();
    const waits = async ({ FileLock, kept }: Tools, path: string): Promise<void> => {
      kept.guard = await new FileLock(path).acquire();
      kept.guard.release();
    };
    const served = [waiting.run(waits, path), blocked.run(holds, path).then(() => blocked.run(lets))];
    await until(() => new FileLock(path).infoSync().waiters === 1, 'one waits');
    cut();
    await new Promise((resolve) => setTimeout(resolve, 50));
    expect(await peer.run(lets)).toBe(true);
    await Promise.all(served);
    const fence = new FileLock(path).withLockSync(({ fence }) => fence);
    expect(fence).toBeGreaterThan(0n);
  });

  test('may be full of zeros, as a loss of power may leave it', () => {
    const lock = new FileLock(newFile(512));
    expect(lock.withLockSync(({ fence }) => fence)).toBeGreaterThan(0n);
  });

  test('that is cut off and written to while it is held stays as it was written', async () => {
    const lock = new FileLock(newPath());
    const guard = lock.acquireSync();
    const waiting = lock.acquire();
    const contents = 'somebody wrote this. '.repeat(100);
    writeFileSync(lock.path, contents);
    expect(guard.release()).toBe(true);
    expect((await failure(waiting)).message).toContain('other contents');
    expect(readFileSync(lock.path, 'utf8')).toBe(contents);
    writeFileSync(lock.path, '');
    lock.acquireSync().release();
  });

  test('that has other contents is refused, and not touched', async () => {
    const path = newPath();
    for (const contents of ['1234\n', 'x', 'a long file '.repeat(100)]) {
      writeFileSync(path, contents);
      const before = statSync(path);
      await expectBackendError(path, 'not a lock file');
      expect(readFileSync(path, 'utf8')).toBe(contents);
      expect(statSync(path).mtimeMs).toBe(before.mtimeMs);
    }
  });

  test('of another version, or cut short, is refused and not touched', async () => {
    const path = newPath();
    new FileLock(path).acquireSync().release();
    const contents = readFileSync(path);
    const copy = `${path}.copy`;
    writeFileSync(copy, contents.subarray(0, 100));
    await expectBackendError(copy, 'cut short');
    expect(statSync(copy).size).toBe(100);
    contents.writeInt32LE(7, 4);
    writeFileSync(copy, contents);
    await expectBackendError(copy, 'version 7');
    expect(readFileSync(copy).equals(contents)).toBe(true);
  });

  test('cannot be a directory, a symbolic link, a FIFO, or in what is no directory', async () => {
    const path = newPath();
    mkdirSync(path);
    await expectBackendError(path, 'EISDIR', 'directory');
    const target = newFile(0);
    symlinkSync(target, `${path}.link`);
    await expectBackendError(`${path}.link`, 'ELOOP', 'symbolic link');
    symlinkSync(`${target}.missing`, `${path}.dangling`);
    await expectBackendError(`${path}.dangling`);
    expect(existsSync(`${target}.missing`)).toBe(false);
    await expectBackendError('/dev/null', 'not a regular file');
    execFileSync('mkfifo', [`${path}.fifo`]);
    await expectBackendError(`${path}.fifo`, 'not a regular file');
    await expectBackendError(join(newFile(0), 'a.lock'), 'ENOTDIR');
    await expectBackendError(join(path, 'n'.repeat(300)), 'ENAMETOOLONG', 'too long');
    expect(statSync(target).size).toBe(0);
  });

  test('cannot be where no folder can be made', async () => {
    await expectBackendError('/proc/self/none/a.lock', 'cannot be created: ENOENT', 'folder');
    const link = newPath();
    symlinkSync(`${link}.missing`, link);
    await expectBackendError(join(link, 'a', 'b.lock'), 'cannot be created: ENOENT', 'folder');
    expect(existsSync(`${link}.missing`)).toBe(false);
  });

  test('where nothing may be written, or the system gives no locks: an error with path and code', async () => {
    const run = async (body: (tools: Tools, path: string) => unknown, path: string): Promise<unknown> => {
      const failing = new URL('./fixtures/file-lock/refusing.cjs', import.meta.url).pathname;
      return Peer.process({ MORTISE_ADDON: failing }).run(body, path);
    };
    const tries = ({ FileLock }: Tools, path: string): string => {
      try {
        new FileLock(path).acquireSync();
        return 'acquired';
      } catch (error) {
        return String((error as Error).message);
      }
    };
    const path = newPath();
    const message = await run(tries, path);
    expect(message).toContain(`ERR_LOCK_BACKEND: the lock file ${path} cannot be locked: ENOLCK`);
    if (process.getuid?.() === 0) {
      const folder = newPath();
      mkdirSync(folder, { mode: 0o700 });
      const peer = Peer.process();
      await peer.run(() => process.setuid?.(65534));
      expect(await peer.run(tries, join(folder, 'a.lock'))).toMatch(
        /a\.lock cannot be (opened|created): EACCES/,
      );
    } else {
      const folder = newPath();
      mkdirSync(folder, { mode: 0o500 });
      await expectBackendError(join(folder, 'a.lock'), 'EACCES');
      chmodSync(folder, 0o700);
    }
  });

  test('that somebody removed or replaced is made again at the next acquire', () => {
    const lock = new FileLock(newPath());
    lock.acquireSync().release();
    rmSync(lock.path);
    lock.acquireSync().release();
    expect(existsSync(lock.path)).toBe(true);
    const other = new FileLock(newPath());
    const guard = other.acquireSync();
    renameSync(other.path, lock.path);
    expectRefused(lock.tryAcquireSync());
    guard.release();
    expect(lock.tryAcquireSync()?.release()).toBe(true);
  });

  test('is removed at the release when that is asked for', async () => {
    const lock = new FileLock(newPath(), { removeOnRelease: true });
    for (let i = 0; i < 3; i++) {
      const guard = await lock.acquire();
      expect(existsSync(lock.path)).toBe(true);
      guard.release();
      expect(existsSync(lock.path)).toBe(false);
    }
    const shared = new FileLock(lock.path, { shared: true, removeOnRelease: true });
    const [first, second] = [shared.acquireSync(), shared.acquireSync()];
    const peer = Peer.process();
    await peer.run(shares, lock.path);
    first.release();
    second.release();
    expect(existsSync(lock.path)).toBe(true);
    await peer.run(lets);
    shared.acquireSync().release();
    expect(existsSync(lock.path)).toBe(false);
  });

  test('is removed while others wait and come, and no two of them hold it at once', async () => {
    const path = newPath();
    const counter = newFile();
    writeFileSync(counter, '0');
    const increment = async ({ FileLock, fs }: Tools, argument: string): Promise<void> => {
      const [path, counter] = argument.split('\n') as [string, string];
      for (let i = 0; i < 150; i++) {
        const lock = new FileLock(path, { removeOnRelease: i % 3 > 0 });
        const add = (): void =>
          fs.writeFileSync(counter, String(Number(fs.readFileSync(counter, 'utf8')) + 1));
        if (i % 2 === 0) lock.withLockSync(add);
        else await lock.withLock(add);
      }
    };
    const peers = [Peer.process(), Peer.process(), Peer.process(), Peer.thread()];
    await Promise.all(peers.map((peer) => peer.run(increment, `${path}\n${counter}`)));
    expect(Number(readFileSync(counter, 'utf8'))).toBe(600);
  });

  test("that was removed is nobody's lock any more, even if a hard link keeps it", async () => {
    const path = newPath();
    const opens = ({ FileLock }: Tools, path: string): boolean => new FileLock(path).acquireSync().release();
    const [first, second] = [Peer.process(), Peer.process()];
    for (const peer of [first, second]) await peer.run(opens, path);
    linkSync(path, `${path}.link`);
    new FileLock(path, { removeOnRelease: true }).acquireSync().release();
    // Both have the removed file open.
    await first.run(holds, path);
    expect(await second.run(canTake, path)).toBe(false);
  });

  test('whose holder died while it removed it is made again', async () => {
    const path = newPath();
    const peer = Peer.process();
    await peer.run(holds, path);
    // As it leaves the file: marked as removed, and still there.
    await peer.run(({ words }, path) => void Atomics.store(words(path), 2, 1), path);
    await peer.kill();
    const before = statSync(path, { bigint: true }).ino;
    const holder = openSync(path, 'r'); // Or the inode may be used again.
    onTestFinished(() => closeSync(holder));
    new FileLock(path).acquireSync().release();
    expect(statSync(path, { bigint: true }).ino).not.toBe(before);
  });
});

describe('A waiter', () => {
  test('is an error at once where this thread would wait for itself', () => {
    const path = newPath();
    const [shared, alone] = [new FileLock(path, { shared: true }), new FileLock(path)];
    const guard = alone.acquireSync();
    for (const lock of [alone, shared, new FileLock(path)])
      expect(() => lock.acquireSync()).toThrow(/^ERR_LOCK_DEADLOCK: .*holds it already/);
    guard.release();
    const reading = shared.acquireSync();
    expect(() => alone.acquireSync()).toThrow(DeadlockError);
    reading.release();
    alone.acquireSync().release();
  });

  test('whose file was empty when it came is known as soon as there is something in it', async () => {
    const [path, filled] = [newFile(0), newPath()];
    new FileLock(filled).acquireSync().release();
    const fd = openSync(path, 'r+');
    onTestFinished(() => closeSync(fd));
    const { flock, flockModes } = native();
    flock(fd, flockModes.exclusive);
    const waiting = Peer.process().run(takes, path);
    const own = new FileLock(path).acquire();
    await new Promise((resolve) => setTimeout(resolve, 50));
    writeSync(fd, readFileSync(filled)); // As the first holder does.
    const words = wordsOf(path);
    await until(() => Atomics.load(words, FILE_WAITED) !== 0, 'somebody says so');
    flock(fd, flockModes.unlock);
    (await own).release();
    await waiting;
  });

  test('is not given the lock by the abort of the one before it, which is its own as well', async () => {
    const lock = new FileLock(newPath());
    const guard = lock.acquireSync();
    const controller = new AbortController();
    const { signal } = controller;
    const aborted = [1, 2, 3].map(() => failure(lock.acquire({ signal })));
    const last = lock.acquire();
    guard.release();
    controller.abort(new Error('enough'));
    for (const reason of await Promise.all(aborted)) expect(reason).toBe(signal.reason);
    (await last).release();
  });

  test('that lets others go first makes an attempt all the same before its time is up', async () => {
    const lock = new FileLock(newPath());
    lock.acquireSync().release();
    const words = wordsOf(lock.path);
    for (let i = 0; i < 20; i++) {
      // As one that waits and is killed leaves it.
      Atomics.store(words, FILE_WAITED, moment(now() + 900));
      (await lock.acquire({ timeout: 1 })).release();
    }
  });

  test('whose file was removed waits for the next one', async () => {
    const [path, next] = [newPath(), newPath()];
    new FileLock(path).acquireSync().release();
    new FileLock(next).acquireSync().release();
    const { flock, flockModes } = native();
    const [old, fd] = [openSync(path, 'r+'), openSync(next, 'r+')];
    onTestFinished(() => [old, fd].forEach((one) => closeSync(one)));
    for (const one of [old, fd]) flock(one, flockModes.exclusive);
    const controller = new AbortController();
    const lock = new FileLock(path);
    const first = failure(lock.acquire({ signal: controller.signal }));
    const second = lock.acquire();
    renameSync(next, path);
    flock(old, flockModes.unlock);
    const words = wordsOf(path);
    // The second one looks now.
    controller.abort();
    expect(Atomics.load(words, FILE_WAITED)).not.toBe(0);
    await first;
    flock(fd, flockModes.unlock);
    (await second).release();
  });

  test('that gives up does not make the others forgotten', async () => {
    const path = newPath();
    new FileLock(path).acquireSync().release();
    const fd = openSync(path, 'r+');
    onTestFinished(() => closeSync(fd));
    const { flock, flockModes } = native();
    flock(fd, flockModes.exclusive);
    const waiting = Peer.process().run(holds, path);
    const words = wordsOf(path);
    await until(() => Atomics.load(words, FILE_WAITED) !== 0, 'it waits');
    const before = Atomics.load(words, FILE_RELEASES);
    const lock = new FileLock(path);
    expect(() => lock.acquireSync({ timeout: 1 })).toThrow(LockTimeoutError);
    const controller = new AbortController();
    const aborted = failure(lock.acquire({ signal: controller.signal }));
    controller.abort();
    await aborted;
    // It says again that it waits, for it has been woken.
    if (Atomics.load(words, FILE_WAITED) === 0) expect(Atomics.load(words, FILE_RELEASES)).not.toBe(before);
    flock(fd, flockModes.unlock);
    await waiting;
  });

  test('does not block the pool of the process: 200 of them, and a file is read', async () => {
    const path = newPath();
    const peer = Peer.process();
    const read = await peer.run(async ({ FileLock, fs }, path) => {
      const locks = Array.from({ length: 200 }, () => new FileLock(path));
      const holder = new FileLock(path).acquireSync();
      const waiting = locks.map((lock) => lock.acquire());
      const contents = await fs.promises.readFile('/proc/self/status', 'utf8');
      const threads = Number(/^Threads:\s+(\d+)/m.exec(contents)![1]);
      holder.release();
      for (const one of waiting) (await one).release();
      return threads;
    }, path);
    // Node.js's own, its pool, and one that watches.
    expect(read).toBeLessThan(20);
  });

  test('for another process costs a process one thread, however many wait, which goes again', async () => {
    const paths = Array.from({ length: 100 }, newPath);
    const [holder, waiter] = [Peer.process(), Peer.process()];
    await holder.run(holdsAll, paths.join('\n'));
    const waiting = waiter.run(async ({ FileLock, watchers, kept }, list) => {
      const all = list.split('\n').flatMap((path) => {
        const lock = new FileLock(path);
        return [lock.acquire(), lock.acquire()];
      });
      kept.calls = watchers;
      await Promise.all(all.map(async (one) => (await one).release()));
    }, paths.join('\n'));
    await until(() => new FileLock(paths[99]!).infoSync().waiters > 0, 'the last one waits');
    expect(await waiter.run(({ watchers }) => watchers())).toBeLessThanOrEqual(1);
    await holder.run(lets);
    await waiting;
    await waiter.run(({ until, watchers }) => until(() => watchers() === 0));
  });

  test('looks the more seldom by itself the more files its thread waits for', async () => {
    const paths = Array.from({ length: 200 }, newPath);
    await Peer.process().run(holdsAll, paths.join('\n'));
    const perSecond = await Peer.process().run(async ({ FileLock, addon, until }, list) => {
      let looks = 0;
      const { flockLinks } = addon;
      Object.assign(addon, { flockLinks: (fd: number, mode: number) => (++looks, flockLinks(fd, mode)) });
      const paths = list.split('\n');
      for (const path of paths) void new FileLock(path).acquire();
      // At first they look oftener.
      await until(() => looks > 5 * paths.length);
      const [before, begin] = [looks, performance.now()];
      await until(() => looks > 10 * paths.length);
      return ((looks - before) / (performance.now() - begin)) * 1000;
    }, paths.join('\n'));
    // Every 20 ms each, it would be 10,000.
    expect(perSecond).toBeLessThan(5000);
  });

  test('has the lock of a holder that was killed, with however many others its thread waits', async () => {
    const paths = Array.from({ length: 200 }, newPath);
    const holder = Peer.process();
    await holder.run(holdsAll, paths.join('\n'));
    const waiting = paths.map((path) => new FileLock(path).acquire({ timeout: 20_000 }));
    await holder.kill();
    const guards = await Promise.all(waiting);
    expect(guards.every(({ abandoned }) => abandoned)).toBe(true);
    for (const guard of guards) guard.release();
  });

  test('keeps its process alive until it has the lock, and no longer', async () => {
    const lock = new FileLock(newPath());
    const guard = lock.acquireSync();
    const child = fork(new URL('./fixtures/file-lock/waits.mjs', import.meta.url), [lock.path]);
    const exited = once(child, 'exit');
    expect(await once(child, 'message').then(([message]) => message as string)).toBe('waits');
    guard.release();
    expect(await once(child, 'message').then(([message]) => message as string)).toBe('acquired');
    expect(await exited).toEqual([0, null]);
  });
});

describe('FileLock', () => {
  test.each([
    [undefined, TypeError, 'undefined'],
    [5, TypeError, '5'],
    ['', RangeError, "''"],
    ['a\0b', RangeError, 'a\\x00b'],
    [new URL('http://x/y'), TypeError, 'scheme file'],
  ] as const)('refuses the path %s', (path, type, shown) => {
    const make = (): FileLock => new FileLock(path as never);
    expect(make).toThrow(type);
    expect(make).toThrow(shown);
  });

  test.each([
    [{ shared: 1 }, TypeError, 'options.shared', '1'],
    [{ removeOnRelease: 'yes' }, TypeError, 'options.removeOnRelease', 'yes'],
    [{ mode: 0o1777 }, RangeError, 'options.mode', '1023'],
    [{ mode: '600' }, TypeError, 'options.mode', '600'],
    [{ mode: 0o400 }, RangeError, 'options.mode', '0o400'],
    [null, TypeError, 'options', 'null'],
  ] as const)('refuses the options %o', (options, type, name, shown) => {
    const make = (): FileLock => new FileLock('a.lock', options as unknown as FileLockOptions);
    expect(make).toThrow(type);
    expect(make).toThrow(name);
    expect(make).toThrow(shown);
  });

  test('dispose() closes the file, not while it is held or waited for', async () => {
    const lock = new FileLock(newPath());
    const isOpen = (): boolean =>
      readFileSync('/proc/self/maps', 'utf8').includes(basename(lock.path)) ||
      readdirSync('/proc/self/fd').some((fd) => {
        try {
          return statSync(`/proc/self/fd/${fd}`).ino === statSync(lock.path).ino;
        } catch {
          return false;
        }
      });
    const guard = lock.acquireSync();
    const waiting = lock.acquire();
    expect(() => lock.dispose()).toThrow(LockBusyError);
    guard.release();
    (await waiting).release();
    expect(isOpen()).toBe(true);
    lock.dispose();
    globalThis.gc?.();
    await until(() => !isOpen(), 'the mapping has gone');
    await expect(lock.acquire()).rejects.toThrow(InvalidHandleError);
    new FileLock(lock.path).acquireSync().release();
  });

  test('keeps few files open, however many it has locked at the same time', () => {
    const open = readdirSync('/proc/self/fd').length;
    const guards = Array.from({ length: 300 }, () => new FileLock(newPath()).acquireSync());
    for (const guard of guards) guard.release();
    expect(readdirSync('/proc/self/fd').length - open).toBeLessThanOrEqual(65);
  });

  test('keeps few files open, however many it has locked', () => {
    const open = readdirSync('/proc/self/fd').length;
    for (let i = 0; i < 500; i++) new FileLock(newPath()).acquireSync().release();
    expect(readdirSync('/proc/self/fd').length - open).toBeLessThanOrEqual(64);
  });

  test('keeps few files mapped, even of a thread that never yields', () => {
    const mappings = (): number => readFileSync('/proc/self/maps', 'utf8').split('\n').length;
    const before = mappings();
    const lock = new FileLock(newPath(), { removeOnRelease: true });
    for (let i = 0; i < 500; i++) {
      lock.acquireSync().release();
      new FileLock(newPath()).acquireSync().release();
    }
    expect(mappings() - before).toBeLessThan(500);
  });

  test('a guard that is garbage-collected while held is reported with its path', async () => {
    const path = newPath();
    const peer = Peer.process();
    const warning = await peer.run(({ FileLock }, path) => {
      const told = new Promise<string>((resolve) =>
        process.once('warning', (warning) =>
          resolve(`${(warning as { code?: string }).code} ${warning.message}`),
        ),
      );
      void (() => new FileLock(path).acquireSync())();
      const timer = setInterval(() => globalThis.gc?.(), 1);
      void told.then(() => clearInterval(timer));
      return told;
    }, path);
    expect(warning).toContain('MORTISE_GUARD_LOST');
    expect(warning).toContain(path);
  });
});
