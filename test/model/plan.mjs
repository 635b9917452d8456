/** What is run: subjects with the faults that may happen to them, and how far. */
import { mutex, readWriteLock, semaphore } from './subjects.mjs';

const quiet = {};
const hurried = { clock: 1 };
const deadly = { deaths: 1, clock: 1 };

const subjects = {
  sync: [
    mutex(['sync', 'sync', 'sync'], 2),
    mutex(['sync', 'sync', 'try'], 1, { timeout: 5 }),
    semaphore(['sync', 'sync', 'sync'], [1, 2, 1], 2, 2),
    readWriteLock(['read', 'write', 'read', 'downgrade'], 1),
  ],
  async: [
    mutex(['async', 'async', 'async'], 2),
    mutex(['sync', 'async', 'async'], 1, { timeout: 5 }),
    semaphore(['sync', 'async', 'async'], [1, 2, 1], 2, 2),
    readWriteLock(['read async', 'write async', 'read', 'downgrade async'], 1),
  ],
};

const cases = (list) =>
  list.flatMap((subject) => [quiet, hurried, deadly].map((budget) => ({ subject, budget })));

/** For `npm test`, and to look for seeded faults. */
export const bounded = [...cases(subjects.sync), ...cases(subjects.async)];

/** Small enough to be gone through completely. */
export const small = [
  mutex(['sync', 'sync']),
  mutex(['sync', 'async']),
  mutex(['async', 'async']),
  semaphore(['sync', 'sync'], [1, 2], 2),
  semaphore(['sync', 'async'], [1, 2], 2),
  readWriteLock(['read', 'write']),
  readWriteLock(['read async', 'downgrade']),
].map((subject) => ({ subject, budget: quiet }));
