import type { Backend } from '../manager/backend.js';
import { absolutePath } from '../path.js';
import { Space, type SpaceOpenOptions } from '../primitives/space.js';
import { spaceBackend } from './space.js';

/**
 * Locks between processes, in the file at `path`, as `Space.open(path, options)` makes and opens it: as fast as between
 * threads. The file is opened, or made, at once. Needs the native addon, and Linux.
 * @throws what `Space.open` does.
 */
export function sharedMemoryBackend(path: string | URL, options: SpaceOpenOptions = {}): Backend {
  const space = Space.open(path, options);
  return spaceBackend(`shared-memory:${absolutePath(path)}`, 'processes', () => space);
}
