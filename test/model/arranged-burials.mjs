/** Situations in which the dead are buried while others come, or the next one dies; see `arranged.mjs`. */
import { READ, SOON, WRITE, arranged } from './arrange.mjs';

const rw = 'read-write lock';

export const burials = [
  arranged(
    'semaphore',
    'a permit that was taken and is not noted yet when holds are counted',
    [
      (code, api) => code.takeAndDie(api, {}),
      (code, api) => code.takeSlowly(api, 1, 18, 2),
      (code, api) => code.tryLate(api, 1, 20, { weight: 2 }),
    ],
    { permits: 2 },
  ),
  arranged(
    'semaphore',
    'one who tries while holds are counted',
    [
      (code, api) => code.takeAndDie(api, {}),
      (code, api) => code.tryPaused(api, 1, 20, { weight: 2 }),
      (code, api) => code.tryTwice(api, 1, 21, { weight: 2 }),
    ],
    { permits: 2 },
  ),
  arranged(
    'semaphore',
    'one who tries when holds were counted does not pass one who waits',
    [
      (code, api) => code.takeAndDie(api, {}),
      (code, api) => code.takePaused(api, 1, 'store', { weight: 2 }),
      (code, api) => code.tryLate(api, 1, 21, {}),
    ],
    { permits: 2 },
  ),
  arranged(rw, 'a reader who tries when a writer was buried does not pass one who waits', [
    (code, api) => code.takeAndDie(api, WRITE),
    (code, api) => code.takePaused(api, 1, 'store', WRITE),
    (code, api) => code.tryLate(api, 1, 21, READ),
  ]),
  arranged('mutex', 'a thread dies when it has begun to bury the owner', [
    (code, api) => code.takeAndDie(api, {}),
    (code, api) => code.dieBurying(api, 1, 0),
    (code, api) => code.takeSoon(api, 2, { limit: 3 * SOON }),
  ]),
  arranged('mutex', 'a thread dies when it has buried one who was blocked', [
    (code, api) => code.holdBoth(api, 3),
    (code, api) => code.askAndDie(api, 1),
    (code, api) => code.dieBurying(api, 2, 1, true),
  ]),
  ...[{ how: 'sync' }, { how: 'async' }].flatMap(({ how }) => [
    arranged('mutex', `a thread frees it and dies, and ${how} waits`, [
      (code, api) => code.dieReleasing(api, 1, { skips: 1 }),
      (code, api) => code.takeSoon(api, 1, { how, limit: SOON }),
    ]),
    arranged(rw, `a writer frees it and dies, and ${how} waits`, [
      (code, api) => code.dieReleasing(api, 1, { ...WRITE, skips: 1 }),
      (code, api) => code.takeSoon(api, 1, { ...WRITE, how, limit: SOON }),
    ]),
  ]),
];
