import { Mutex } from 'mortise';

export const title = 'Mutex';

export function create() {
  const mutex = new Mutex();
  return { shared: mutex.handle, dispose: () => mutex.dispose() };
}

export function open(handle) {
  const mutex = Mutex.from(handle);
  return { style: 'blocking', enter: () => mutex.acquireSync(), leave: (guard) => guard.release() };
}
