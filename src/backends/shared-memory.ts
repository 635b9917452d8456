import type { Backend } from '../manager/backend.js';
import { absolutePath } from '../path.js';
import { Space, type SpaceOpenOptions } from '../primitives/space.js';
import { spaceBackend } from './space.js';

/**
 * Locks between processes, in the file at `path`, as `Space.open(path, options)` makes and opens it: as fast as between
 * threads. The file is opened, or made, at once. Needs the native addon, and Linux.
 * @throws what `Space.open` does.
 *
 * @example
 * ```js
 * import { mkdtempSync, rmSync } from 'node:fs';
 * import { tmpdir } from 'node:os';
 * import { join } from 'node:path';
 * import { LockManager, sharedMemoryBackend } from 'mortise';
 *
 * const folder = mkdtempSync(join(tmpdir(), 'mortise-')); // in production rather in /dev/shm
 * const backend = sharedMemoryBackend(join(folder, 'locks'), { locks: 16, threads: 8 });
 * const locks = new LockManager({ backend });
 * await locks.semaphore('downloads', 4).withLock(() => 'one of four', { weight: 1 }); // => 'one of four'
 * rmSync(folder, { recursive: true });
 * ```
 */
export function sharedMemoryBackend(path: string | URL, options: SpaceOpenOptions = {}): Backend {
  const space = Space.open(path, options);
  const file = absolutePath(path);
  return spaceBackend(`shared-memory:${file}`, 'processes', () => space, file);
}
