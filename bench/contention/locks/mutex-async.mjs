import { Mutex } from 'mortise';

export const title = 'Mutex, async';

export { create } from './mutex.mjs';

export function open(handle) {
  const mutex = Mutex.from(handle);
  return { style: 'awaiting', enter: () => mutex.acquire(), leave: (guard) => guard.release() };
}
