/** Locks whose manager counts are the same locks: what they promise, they promise still. */
import { join } from 'node:path';
import { LockManager, Mutex, ReadWriteLock, Semaphore, fileBackend } from 'mortise';
import { describeLock } from '../contract/lock.ts';
import { folder } from '../fixtures/space-open/region.ts';

let names = 0;
const newName = (): string => `measured ${names++}`;
const locks = new LockManager({ statistics: true });

describeLock(
  'A lock that is counted',
  (name = newName()) => {
    const lock = locks.lock(name);
    return { lock, blocker: lock, handle: new Mutex({ name }).handle } as never;
  },
  { exclusive: true, inSpace: false },
);

describeLock(
  'A read lock that is counted',
  (name = newName()) => {
    const faces = { face: 'reader', blockerFace: 'writer' } as const;
    const { handle } = new ReadWriteLock({ name });
    return { lock: locks.readLock(name), blocker: locks.writeLock(name), handle, ...faces } as never;
  },
  { exclusive: false, inSpace: false },
);

describeLock(
  'A write lock that is counted',
  (name = newName()) => {
    const faces = { face: 'writer', blockerFace: 'writer' } as const;
    const { handle } = new ReadWriteLock({ name });
    return { lock: locks.writeLock(name), blocker: locks.writeLock(name), handle, ...faces } as never;
  },
  { exclusive: true, inSpace: false },
);

describeLock(
  'A semaphore that is counted',
  (name = newName()) => {
    const lock = locks.semaphore(name, 1);
    return { lock, blocker: lock, handle: new Semaphore(1, { name }).handle } as never;
  },
  { exclusive: false, inSpace: false },
);

describeLock(
  'A reentrant mutex that is counted',
  (name) => {
    const mutex = new Mutex(name === undefined ? { reentrant: true } : { name, reentrant: true });
    const lock = locks.register(newName(), mutex);
    return { lock, blocker: lock, handle: mutex.handle } as never;
  },
  { exclusive: true, inSpace: false },
);

describeLock(
  'A file that is counted',
  (name = newName()) => {
    const dir = join(folder, `counted ${name}`);
    const lock = new LockManager({ statistics: true, backend: fileBackend(dir) }).lock('file');
    return { lock, blocker: lock, handle: { lockFile: join(dir, 'file.lock') } } as never;
  },
  { exclusive: true, inSpace: false },
);
