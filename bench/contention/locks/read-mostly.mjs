import { ReadWriteLock } from 'mortise';

export const title = 'RW lock, 1 of 16 writes';

export function create() {
  const lock = new ReadWriteLock();
  return { shared: lock.handle, dispose: () => lock.dispose() };
}

export function open(handle) {
  const lock = ReadWriteLock.from(handle);
  return {
    style: 'blocking',
    enter: (exclusive) => (exclusive ? lock.acquireWriteSync() : lock.acquireReadSync()),
    leave: (guard) => guard.release(),
    exclusiveEvery: 16,
  };
}
