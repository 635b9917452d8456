import { Semaphore } from 'mortise';

export const title = 'Semaphore of 4';

export const permits = 4;

/** One request in four is for all permits, the others for one. */
export const exclusiveEvery = 4;

export function create() {
  const semaphore = new Semaphore(permits);
  return { shared: semaphore.handle, dispose: () => semaphore.dispose() };
}

const one = { weight: 1 };
const all = { weight: permits };

export function open(handle) {
  const semaphore = Semaphore.from(handle);
  return {
    style: 'blocking',
    enter: (exclusive) => semaphore.acquireSync(exclusive ? all : one),
    leave: (guard) => guard.release(),
    exclusiveEvery,
    permits,
  };
}
