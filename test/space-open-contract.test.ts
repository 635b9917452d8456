/** What every lock of the package promises, of locks that processes share. */
import { Mutex, Semaphore, ReadWriteLock, Space } from 'mortise';
import { describeLock } from './contract/lock.ts';
import { newRegion } from './fixtures/space-open/region.ts';

const space = Space.open(newRegion(), { locks: 512, threads: 8 });
const options = (name?: string): { name?: string; space: Space } =>
  name === undefined ? { space } : { name, space };

for (const [kind, reentrant] of [
  ['Mutex', false],
  ['Reentrant mutex', true],
] as const)
  describeLock(
    `${kind} between processes`,
    (name) => {
      const mutex = new Mutex({ ...options(name), reentrant });
      return { lock: mutex, blocker: mutex, handle: mutex.handle, stats: () => mutex.stats() };
    },
    { exclusive: true },
  );

describeLock(
  'Semaphore of one permit between processes',
  (name) => {
    const semaphore = new Semaphore(1, options(name));
    return { lock: semaphore, blocker: semaphore, handle: semaphore.handle, stats: () => semaphore.stats() };
  },
  { exclusive: false },
);

for (const face of ['reader', 'writer'] as const)
  describeLock(
    `${face === 'reader' ? 'Reader' : 'Writer'} of a ReadWriteLock between processes`,
    (name) => {
      const rw = new ReadWriteLock(options(name));
      const faces = { face, blockerFace: 'writer' } as const;
      return { lock: rw[face], blocker: rw.writer, handle: rw.handle, ...faces, stats: () => rw.stats() };
    },
    { exclusive: face === 'writer' },
  );
