import { createHash } from 'node:crypto';
import { join } from 'node:path';
import { checkOptions, show, type Names } from '../deadline.js';
import { UnsupportedError } from '../errors.js';
import { FileLock } from '../file/file-lock.js';
import { checkKey, type Backend, type Capabilities } from '../manager/backend.js';
import { absolutePath, checkMode } from '../path.js';

export interface FileBackendOptions {
  /** As a `FileLock`'s: permissions of files that are made, less the process's umask. Default 0o600: for this user only. */
  mode?: number;
}

/**
 * Locks between processes, each a `FileLock` in the folder `dir`, which is made when it is needed. The file of a key
 * stays, is named so that a reader recognizes the key, and is the same one for `lock` and for `readLock` and `writeLock`.
 * Other programs can take part with flock(1). There are no semaphores: asking for one throws an UnsupportedError.
 * @throws TypeError or RangeError for bad arguments.
 *
 * @example
 * ```js
 * import { existsSync, mkdtempSync, rmSync } from 'node:fs';
 * import { tmpdir } from 'node:os';
 * import { join } from 'node:path';
 * import { LockManager, fileBackend } from 'mortise';
 *
 * const folder = mkdtempSync(join(tmpdir(), 'mortise-'));
 * const locks = new LockManager({ backend: fileBackend(folder) });
 * await locks.lock('nightly report').withLock(() => existsSync(join(folder, 'nightly%20report.lock'))); // => true
 * rmSync(folder, { recursive: true });
 * ```
 */
export function fileBackend(dir: string | URL, options: FileBackendOptions = {}): Backend {
  const folder = absolutePath(dir);
  checkOptions(options, 'options', OPTIONS);
  const { mode = 0o600 } = options;
  checkMode(mode);
  const fileOf = (key: string): string => join(folder, fileNameOf(key));
  return Object.freeze<Backend>({
    id: `file:${folder}`,
    capabilities,
    lock: (key) => new FileLock(fileOf(key), { mode }),
    readWriteLock(key) {
      const reader = new FileLock(fileOf(key), { mode, shared: true });
      const writer = new FileLock(fileOf(key), { mode });
      return {
        reader,
        writer,
        dispose(): void {
          writer.dispose();
          reader.dispose();
        },
      };
    },
    semaphore(key) {
      throw new UnsupportedError(
        `the semaphore ${show(key)} cannot live in files (${folder}): a file is locked by one or shared by all, ` +
          'and counts nobody. memoryBackend() and sharedMemoryBackend(path) have semaphores',
      );
    },
  });
}

const OPTIONS: Names<FileBackendOptions> = { mode: true };

const capabilities: Capabilities = Object.freeze<Capabilities>({
  scope: 'processes',
  sync: true,
  fence: true,
  ttl: null,
  weighted: false,
  rw: true,
  fifo: false,
});

/** Room for '.lock' within the 255 bytes that a file name may have. */
const MAX_ENCODED = 200;
const KEPT = 120;

/**
 * Small letters, digits, '-' and '_' stand for themselves, every other byte of the UTF-8 is %XX: so no two keys share a
 * file even where file names ignore case, and none leads to another folder. A long name ends in its SHA-256.
 */
function fileNameOf(key: string): string {
  checkKey(key, 'name');
  let name = '';
  for (const byte of Buffer.from(key)) {
    const character = String.fromCharCode(byte);
    name += /[a-z0-9_-]/.test(character) ? character : `%${byte.toString(16).toUpperCase().padStart(2, '0')}`;
  }
  if (name.length > MAX_ENCODED)
    name = `${name.slice(0, KEPT)}~${createHash('sha256').update(key).digest('hex')}`;
  // Windows takes con.lock for a device.
  else if (/^(con|prn|aux|nul|com\d|lpt\d)$/.test(name))
    name = `%${name.charCodeAt(0).toString(16)}${name.slice(1)}`;
  return `${name}.lock`;
}
