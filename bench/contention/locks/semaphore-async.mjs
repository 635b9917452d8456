import { Semaphore } from 'mortise';
import { exclusiveEvery, permits } from './semaphore.mjs';

export const title = 'Semaphore of 4, async';

export { create } from './semaphore.mjs';

const one = { weight: 1 };
const all = { weight: permits };

export function open(handle) {
  const semaphore = Semaphore.from(handle);
  return {
    style: 'awaiting',
    enter: (exclusive) => semaphore.acquire(exclusive ? all : one),
    leave: (guard) => guard.release(),
    exclusiveEvery,
    permits,
  };
}
