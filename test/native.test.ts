/** The addon: locks of files, memory of files, and sleeping on words of it, across threads and processes. */
import {
  closeSync,
  linkSync,
  mkdtempSync,
  openSync,
  readFileSync,
  rmSync,
  truncateSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { afterEach, describe, expect, onTestFinished, test } from 'vitest';
import { native } from '../dist/native.js';
import { runFixture } from './fixtures/child.ts';
import { endPeers, Peer, type Tools } from './fixtures/native/peer.ts';
import { newFile } from './fixtures/native/scratch.ts';
import { until } from './fixtures/until.ts';

const addon = native();
const { shared, exclusive, unlock } = addon.flockModes;

afterEach(endPeers);

function open(file: string): number {
  const fd = openSync(file, 'r+');
  onTestFinished(() => {
    closeSync(fd);
  });
  return fd;
}

const wordsOf = (file: string): Int32Array => new Int32Array(addon.map(open(file), 4096));

/** Runs in a peer: takes the lock of a file by a descriptor that stays open. */
function takes({ addon, fs }: Tools, file: string): boolean {
  return addon.flock(fs.openSync(file, 'r+'), addon.flockModes.exclusive);
}

const elsewhere = [
  ['thread', () => Peer.thread()],
  ['process', () => Peer.process()],
] as const;

describe('flock', () => {
  test('two open files exclude each other, in one thread too', () => {
    const file = newFile();
    const [first, second] = [open(file), open(file)];
    expect(addon.flock(first, exclusive)).toBe(true);
    expect(addon.flock(second, exclusive)).toBe(false);
    expect(addon.flock(second, shared)).toBe(false);
    expect(addon.flock(first, unlock)).toBe(true);
    expect(addon.flock(second, exclusive)).toBe(true);
  });

  test('many share it, and exclude whoever wants it alone', () => {
    const file = newFile();
    const [first, second, third] = [open(file), open(file), open(file)];
    expect(addon.flock(first, shared)).toBe(true);
    expect(addon.flock(second, shared)).toBe(true);
    expect(addon.flock(third, exclusive)).toBe(false);
    addon.flock(first, unlock);
    addon.flock(second, unlock);
    expect(addon.flock(third, exclusive)).toBe(true);
  });

  test('flockLinks tells how many names the locked file has', () => {
    const file = newFile();
    const [first, second] = [open(file), open(file)];
    expect(addon.flockLinks(first, exclusive)).toBe(1);
    expect(addon.flockLinks(second, exclusive)).toBe(-1);
    linkSync(file, `${file}.link`);
    expect(addon.flockLinks(first, exclusive)).toBe(2);
    rmSync(`${file}.link`);
    rmSync(file);
    expect(addon.flockLinks(first, unlock)).toBe(0);
    expect(addon.flock(second, exclusive)).toBe(true);
  });

  test.each(elsewhere)('excludes another %s', async (_, start) => {
    const file = newFile();
    const fd = open(file);
    const peer = start();
    expect(addon.flock(fd, exclusive)).toBe(true);
    expect(await peer.run(takes, file)).toBe(false);
    addon.flock(fd, unlock);
    expect(await peer.run(takes, file)).toBe(true);
    expect(addon.flock(fd, exclusive)).toBe(false);
  });

  test('is free when its holder was killed', async () => {
    const file = newFile();
    const peer = Peer.process();
    expect(await peer.run(takes, file)).toBe(true);
    const fd = open(file);
    expect(addon.flock(fd, exclusive)).toBe(false);
    await peer.kill();
    expect(addon.flock(fd, exclusive)).toBe(true);
  });

  test('is not inherited by a child process', async () => {
    const file = newFile();
    const peer = Peer.process();
    expect(await peer.run(takes, file)).toBe(true);
    // The child says that it runs, and does not end with its parent.
    const child = await peer.run(({ fork, self }) => {
      const program = new URL('stays.mjs', self);
      const process = fork(program, { detached: true, stdio: 'ignore' });
      return new Promise<number>((resolve) => process.once('message', () => resolve(process.pid ?? 0)));
    });
    onTestFinished(() => {
      process.kill(child, 'SIGKILL');
    });
    await peer.kill();
    expect(addon.flock(open(file), exclusive)).toBe(true);
    expect(process.kill(child, 0)).toBe(true);
  });
});

describe('map', () => {
  test('guarded memory has zeros where the file was cut off, until it is mapped again', async () => {
    const file = newFile();
    const guarded = (): Int32Array => new Int32Array(addon.map(open(file), 4096, true));
    const before = guarded();
    before.fill(7);
    const peer = Peer.process();
    expect(await peer.run(({ words }, file) => words(file)[1000], file)).toBe(7);
    truncateSync(file, 0);
    expect([before[0], before[1000]]).toEqual([0, 0]);
    before[1000] = 1; // Its own from here on.
    writeFileSync(file, Buffer.alloc(4096));
    const after = guarded();
    expect(after[1000]).toBe(0);
    Atomics.store(after, 3, 5);
    expect(await peer.run(({ words }, file) => words(file)[3], file)).toBe(5);
    expect(before[3]).toBe(0);
  });

  test('the end of all memory that is not guarded is SIGBUS as before, with guarded memory beside it', async () => {
    const peer = Peer.process();
    peer.abandon(({ addon, fs, words }, file) => {
      const fd = fs.openSync(`${file}.guarded`, 'w+');
      fs.writeSync(fd, new Uint8Array(4096));
      const guarded = new Int32Array(addon.map(fd, 4096, true));
      const bare = words(file);
      fs.ftruncateSync(fd, 0);
      fs.truncateSync(file, 0);
      return [guarded[0], bare[0]];
    }, newFile());
    expect(await peer.exited).toEqual([null, 'SIGBUS']);
  });

  test('a SIGBUS that somebody sends ends a process with guarded memory as it would end another', async () => {
    const peer = Peer.process();
    const pid = await peer.run(({ addon, fs, kept }, file) => {
      kept.words = new Int32Array(addon.map(fs.openSync(file, 'r+'), 4096, true));
      return process.pid;
    }, newFile());
    process.kill(pid, 'SIGBUS');
    expect(await peer.exited).toEqual([null, 'SIGBUS']);
  });

  test('a listener of SIGBUS hears what somebody sends, and guarded memory has its zeros beside it', async () => {
    const peer = Peer.process();
    const told = await peer.run(async ({ addon, fs }, file) => {
      const heard = new Promise((resolve) => process.once('SIGBUS', resolve));
      const fd = fs.openSync(file, 'r+');
      const guarded = new Int32Array(addon.map(fd, 4096, true)).fill(7);
      fs.ftruncateSync(fd, 0);
      const zero = guarded[1000];
      process.kill(process.pid, 'SIGBUS');
      return [zero, await heard];
    }, newFile());
    expect(told).toEqual([0, 'SIGBUS']);
  });

  test.each(elsewhere)('is the same memory in another %s', async (_, start) => {
    const file = newFile();
    const words = wordsOf(file);
    Atomics.store(words, 5, 41);
    const peer = start();
    expect(await peer.run(({ words }, file) => Atomics.add(words(file), 5, 1), file)).toBe(41);
    expect(Atomics.load(words, 5)).toBe(42);
  });

  test('maps a file once, and no longer than it is used', async () => {
    const peer = Peer.process();
    const mapped = await peer.run(async ({ addon, fs, until }, file) => {
      const fd = fs.openSync(file, 'r+');
      const mappings = (): number => fs.readFileSync('/proc/self/maps', 'utf8').split(file).length - 1;
      const share = (): number | undefined => {
        const buffers = Array.from({ length: 1000 }, () => addon.map(fd, 4096));
        for (const buffer of buffers.slice(999)) new Int32Array(buffer)[3] = 7;
        return new Int32Array(buffers[0] ?? new ArrayBuffer(0))[3];
      };
      const same = share();
      const most = mappings();
      await until(() => {
        globalThis.gc?.();
        return mappings() === 0;
      });
      return { most, same };
    }, newFile());
    expect(mapped).toEqual({ most: 1, same: 7 });
  });

  test('survives the thread that asked first, and the closing of the file', async () => {
    const file = newFile();
    const thread = Peer.thread();
    await thread.run(({ words, kept }, file) => {
      kept.words = words(file);
      Atomics.store(kept.words, 1, 9);
    }, file);
    const words = wordsOf(file);
    await thread.kill();
    expect(Atomics.load(words, 1)).toBe(9);
  });

  test('a larger part of a file that has grown is the same memory', () => {
    const file = newFile(8192);
    const fd = open(file);
    const small = new Int32Array(addon.map(fd, 64));
    const large = new Int32Array(addon.map(fd, 8192));
    small[15] = 3;
    expect(large[15]).toBe(3);
    expect([small.byteLength, large.byteLength]).toEqual([64, 8192]);
    expect(readFileSync(file).readInt32LE(60)).toBe(3);
  });
});

describe('futexWait and futexWake', () => {
  test.each(elsewhere)('wake another %s', async (_, start) => {
    const file = newFile();
    const words = wordsOf(file);
    const waiting = start().run(({ addon, words }, file) => addon.futexWait(words(file), 2, 0, 60_000), file);
    await until(() => addon.futexWake(words, 2, 1) === 1, 'somebody was woken');
    expect(await waiting).toBe('ok');
  });

  test('wake as many as there are', async () => {
    const file = newFile();
    const words = wordsOf(file);
    const waiting = Array.from({ length: 3 }, () =>
      Peer.thread().run(({ addon, words }, file) => addon.futexWait(words(file), 0, 0, Infinity), file),
    );
    let woken = 0;
    await until(() => (woken += addon.futexWake(words, 0, Infinity)) === 3, 'all three were woken');
    expect(await Promise.all(waiting)).toEqual(['ok', 'ok', 'ok']);
  });

  test('do not wait for a word that has changed', () => {
    const words = wordsOf(newFile());
    Atomics.store(words, 0, -1);
    expect(addon.futexWait(words, 0, 0, Infinity)).toBe('not-equal');
    expect(addon.futexWait(words, 0, -1, 0)).toBe('timed-out');
    expect(addon.futexWake(words, 0, Infinity)).toBe(0);
  });

  test('give up in time', () => {
    const words = wordsOf(newFile());
    const begin = performance.now();
    expect(addon.futexWait(words, 0, 0, 30.5)).toBe('timed-out');
    const waited = performance.now() - begin;
    expect(waited).toBeGreaterThan(30);
    expect(waited).toBeLessThan(10_000);
  });
});

describe('Wrong arguments', () => {
  const words = (): Int32Array => wordsOf(newFile());
  const any = addon as unknown as Record<
    'flock' | 'map' | 'futexWait' | 'futexWake' | 'watch' | 'unwatch' | 'lifeHold',
    (...wrong: unknown[]) => unknown
  >;
  const nothing = (): void => undefined;

  test.each([
    ['fd must be a number, got "x"', TypeError, () => any.flock('x', 1)],
    ['fd must be a number, got undefined', TypeError, () => any.flock()],
    ['fd must be a number, got a symbol', TypeError, () => any.flock(Symbol('x'), 1)],
    ['fd must be an integer from 0 to 2147483647, got -1', RangeError, () => any.map(-1, 1)],
    ['fd must be an integer from 0 to 2147483647, got 1.5', RangeError, () => any.map(1.5, 1)],
    ['mode must be an integer from 1 to 3, got 0', RangeError, () => any.flock(0, 0)],
    ['mode must be a number, got "exclusive"', TypeError, () => any.flock(0, 'exclusive')],
    ['bytes must be an integer from 1 to 2147483647, got NaN', RangeError, () => any.map(0, NaN)],
    [
      'bytes must be at most the size of the file, got 4097',
      RangeError,
      () => addon.map(open(newFile()), 4097),
    ],
    [
      'words must be an Int32Array, got an object',
      TypeError,
      () => any.futexWait(new Uint32Array(1), 0, 0, 0),
    ],
    ['words must be an Int32Array, got null', TypeError, () => any.futexWake(null, 0, 1)],
    [
      'index must be an integer from 0 to 1023, got 1024',
      RangeError,
      () => addon.futexWake(words(), 1024, 1),
    ],
    [
      'words must be an Int32Array that is not empty',
      RangeError,
      () => addon.futexWake(new Int32Array(0), 0, 1),
    ],
    ['expected must be an integer', RangeError, () => addon.futexWait(words(), 0, 2 ** 31, 0)],
    ['milliseconds must be 0 or more, got -1', RangeError, () => addon.futexWait(words(), 0, 0, -1)],
    ['milliseconds must be 0 or more, got NaN', RangeError, () => addon.futexWait(words(), 0, 0, NaN)],
    ['count must be an integer from 0', RangeError, () => addon.futexWake(words(), 0, -Infinity)],
    ['seen must be a number, got undefined', TypeError, () => any.watch(words(), 0)],
    ['callback must be a function, got an object', TypeError, () => any.watch(words(), 0, 0, {})],
    [
      'words must be an Int32Array on memory from map',
      TypeError,
      () => addon.watch(new Int32Array(4), 0, 0, nothing),
    ],
    ['id must be a number, got true', TypeError, () => any.unwatch(true)],
    ['buffer must be an ArrayBuffer from map', TypeError, () => any.lifeHold(new SharedArrayBuffer(64), 0)],
    ['buffer must be an ArrayBuffer from map', TypeError, () => addon.lifeInit(new ArrayBuffer(64), 0)],
    [
      'offset must be a multiple of 8, got 4',
      RangeError,
      () => addon.lifeInit(addon.map(open(newFile()), 4096), 4),
    ],
    ['offset must be an integer', RangeError, () => addon.lifeEnded(addon.map(open(newFile()), 4096), 4096)],
    ['offset must be an integer', RangeError, () => addon.lifeEnded(new ArrayBuffer(8), 0)],
  ])('%s', (message, kind, call) => {
    expect(call).toThrow(kind);
    expect(call).toThrow(message);
  });

  test('a closed file, a folder, and a file that is open for reading only', () => {
    const folder = mkdtempSync(`${tmpdir()}/mortise-native-`);
    onTestFinished(() => {
      rmSync(folder, { recursive: true });
    });
    const closed = openSync(folder, 'r');
    closeSync(closed);
    expect(() => addon.flock(closed, exclusive)).toThrow(
      expect.objectContaining({
        code: 'EBADF',
        syscall: 'flock',
        message: 'EBADF: bad file descriptor, flock',
      }),
    );
    expect(() => addon.map(closed, 1)).toThrow(expect.objectContaining({ code: 'EBADF' }));
    const readOnly = openSync(newFile(), 'r');
    expect(() => addon.map(readOnly, 1)).toThrow(
      expect.objectContaining({ code: 'EACCES', syscall: 'mmap' }),
    );
    closeSync(readOnly);
    const directory = openSync(folder, 'r');
    expect(() => addon.map(directory, 1)).toThrow();
    closeSync(directory);
  });

  test('words that were transferred away', () => {
    const buffer = new ArrayBuffer(8);
    const gone = new Int32Array(buffer);
    structuredClone(buffer, { transfer: [buffer] });
    expect(() => addon.futexWake(gone, 0, 1)).toThrow(RangeError);
  });
});

test('Nothing that was allocated is left when threads and processes end', async () => {
  // Without the sanitizers of `npm run test:sanitized` nobody reads this, and the test says only that nothing fails.
  const env = { ASAN_OPTIONS: 'detect_leaks=1' };
  const { code, stderr } = await runFixture('./native/everything.mjs', [newFile()], { env });
  expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
});
