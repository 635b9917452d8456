import { existsSync, mkdtempSync, readdirSync, rmSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { describe, expect, onTestFinished, test } from 'vitest';
import { fileBackend, memoryBackend, Mutex, sharedMemoryBackend, Space, type Backend } from 'mortise';
import { FileLock } from 'mortise/file';
import { describeBackend } from '../contract/backend.ts';
import { expectRefused } from '../contract/guards.ts';
import { folder, newRegion } from '../fixtures/space-open/region.ts';

describeBackend('memoryBackend()', { factory: 'memoryBackend', args: [] });
describeBackend('fileBackend(dir)', {
  factory: 'fileBackend',
  args: [join(folder, 'not yet', 'made')],
});
describeBackend('sharedMemoryBackend(path)', {
  factory: 'sharedMemoryBackend',
  args: [newRegion(), { locks: 256, threads: 16 }],
});

describe('memoryBackend', () => {
  test('has the locks of the default space, by name', () => {
    using _guard = new Mutex({ name: 'memory backend' }).acquireSync();
    const lock = memoryBackend().lock('memory backend') as Mutex;
    expectRefused(lock.tryAcquireSync());
    expect(lock.isOwnedSync()).toBe(true);
  });
});

describe('sharedMemoryBackend', () => {
  test('has the locks of the space in its file, by name', async () => {
    const path = newRegion();
    const backend = sharedMemoryBackend(pathToFileURL(path), { locks: 16, threads: 8 });
    const guard = await backend.lock('db').acquire();
    expectRefused(Space.open(path).mutex('db').tryAcquireSync());
    await guard.release();
  });

  test('checks its arguments as Space.open does', () => {
    expect(() => sharedMemoryBackend(5 as never)).toThrow(TypeError);
    expect(() => sharedMemoryBackend(newRegion(), { locks: 0 })).toThrow(RangeError);
  });
});

describe('fileBackend', () => {
  function newFolder(): string {
    const made = mkdtempSync(join(folder, 'locks-'));
    onTestFinished(() => rmSync(made, { recursive: true }));
    return made;
  }

  async function filesOf(backend: Backend, dir: string, keys: string[]): Promise<string[]> {
    for (const key of keys) await backend.lock(key).withLock(() => undefined);
    return readdirSync(dir).sort();
  }

  test('makes no file before a lock is asked for', () => {
    const dir = join(newFolder(), 'deeper');
    fileBackend(dir).lock('db');
    expect(existsSync(dir)).toBe(false);
  });

  test('names files so that a reader recognizes the key', async () => {
    const dir = newFolder();
    expect(await filesOf(fileBackend(dir), dir, ['nightly_report-2', 'User:1', '../a', 'con'])).toEqual(
      ['%55ser%3A1.lock', '%2E%2E%2Fa.lock', '%63on.lock', 'nightly_report-2.lock'].sort(),
    );
  });

  test('has file names of a length that file systems take, in its folder and different, for any key', async () => {
    const dir = newFolder();
    const files = await filesOf(fileBackend(dir), dir, ['/'.repeat(255), `${'/'.repeat(254)}!`]);
    expect(files).toHaveLength(2);
    for (const file of files) expect(file).toMatch(/^(%2F){40}~[0-9a-f]{64}\.lock$/);
  });

  test('is the same lock as a FileLock of the file', async () => {
    const dir = newFolder();
    const guard = await fileBackend(dir).lock('db').acquire();
    expectRefused(new FileLock(join(dir, 'db.lock')).tryAcquireSync());
    await guard.release();
  });

  test('makes files with the permissions that were asked for', async () => {
    const dir = newFolder();
    await filesOf(fileBackend(dir, { mode: 0o640 }), dir, ['db']);
    await fileBackend(dir)
      .lock('private')
      .withLock(() => undefined);
    const umask = process.umask();
    expect(statSync(join(dir, 'db.lock')).mode & 0o777).toBe(0o640 & ~umask);
    expect(statSync(join(dir, 'private.lock')).mode & 0o777).toBe(0o600 & ~umask);
  });

  test('refuses bad arguments with an error that names them', () => {
    expect(() => fileBackend(5 as never)).toThrow(/^path must be a string.*5/);
    expect(() => fileBackend('locks', null as never)).toThrow(/^options must be an object, not null/);
    expect(() => fileBackend('locks', { mode: '600' as never })).toThrow(/^options.mode must be a number/);
    expect(() => fileBackend('locks', { mode: 0o1000 })).toThrow(RangeError);
    expect(() => fileBackend('locks', { mode: 0o400 })).toThrow(
      /^options.mode must let its owner read and write/,
    );
  });
});
