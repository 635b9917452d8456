import { FutexMutex } from '../futex-mutex.mjs';

export const title = 'Plain futex mutex';

export function create() {
  return { shared: new Int32Array(new SharedArrayBuffer(64)) };
}

export function open(words) {
  const mutex = new FutexMutex(words);
  return { style: 'blocking', enter: () => mutex.lock(), leave: () => mutex.unlock() };
}
