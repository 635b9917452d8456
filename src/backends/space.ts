/** Locks that live in a space, whether it is in memory or in a file. */
import type { Backend, Capabilities } from '../manager/backend.js';
import type { Space } from '../primitives/space.js';
import { FileBoard } from './board.js';
import { SpaceCensus } from './census.js';

/** The space is asked for when the first lock is, so that what it throws names a use. `path`: of its file. */
export function spaceBackend(
  id: string,
  scope: Capabilities['scope'],
  space: () => Space,
  path?: string,
): Backend {
  const threads = new SpaceCensus(space);
  return Object.freeze<Backend>({
    id,
    capabilities: Object.freeze<Capabilities>({
      scope,
      sync: true,
      fence: true,
      ttl: null,
      weighted: true,
      rw: true,
      fifo: true,
    }),
    lock: (key) => space().mutex(key),
    readWriteLock: (key) => space().readWriteLock(key),
    semaphore: (key, permits) => space().semaphore(key, permits),
    census: path === undefined ? { threads } : { threads, board: new FileBoard(`${path}.waits`) },
  });
}
