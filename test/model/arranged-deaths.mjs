/** Situations around deaths, see `arranged.mjs`. */
import { READ, SOON, WRITE, arranged, described, kinds, sides } from './arrange.mjs';

/** Those who do not queue find the dead at their first attempt. */
const atOnce = { delay: 1, limit: 0 };
const tries = [
  ['try', atOnce],
  ['try async', atOnce],
  ['sync', { ...atOnce, timeout: 0 }, ' within no time'],
  ['async', { ...atOnce, timeout: 0 }, ' within no time'],
  ['async', { ...atOnce, timeout: 5 }, ' within 5 ms'],
  ['async', { timeout: 100 }],
];
export const deaths = Object.keys(kinds).flatMap((kind) =>
  sides[kind].flatMap((side) => {
    const die = (code, api) => code.takeAndDie(api, kind === 'read-write lock' ? WRITE : {});
    const abandoned = kind !== 'semaphore';
    return [
      ...tries.map(([how, options, within = '']) =>
        arranged(kind, `${described({ ...side, how })}${within} again and again after a death`, [
          die,
          (code, api) => code.trySoon(api, 1, how, { limit: SOON, ...side, ...options, abandoned }),
        ]),
      ),
      arranged(kind, `${described(side)} and async soon after a death`, [
        die,
        (code, api) => code.takeSoon(api, 1, { ...side, limit: SOON }),
        (code, api) => code.takeSoon(api, 1, { ...side, how: 'async', limit: SOON }),
      ]),
    ];
  }),
);

const rw = 'read-write lock';
export const doubts = [
  ...['die before', 'die after'].flatMap((what) => [
    arranged(rw, `a reader may ${what} its CAS, and a writer comes`, [
      (code, api) => code.dieTaking(api, 0, what, READ),
      (code, api) => code.takeTold(api, 1, false, SOON, WRITE),
      (code, api) => code.takeTold(api, 2, false, SOON, WRITE),
    ]),
    arranged(rw, `a reader may ${what} its CAS, and a writer is inside`, [
      (code, api) => code.dieTaking(api, 0, what, READ),
      (code, api) => code.stayUntil(api, 1, 3, { ...WRITE, ringsAt: 25 }),
      (code, api) => code.takeTold(api, 2, false, 2 * SOON, READ),
    ]),
    arranged(
      'semaphore',
      `somebody may ${what} its CAS, and another one needs all`,
      [
        (code, api) => code.dieTaking(api, 0, what),
        (code, api) => code.takeSoon(api, 1, { weight: 2, limit: SOON }),
      ],
      { permits: 2 },
    ),
  ]),
  arranged(rw, 'a reader dies before its CAS, one who counts the dead dies, and a writer is inside', [
    (code, api) => code.dieTaking(api, 0, 'die before', READ),
    (code, api) => code.stayUntil(api, 1, 3, { ...WRITE, ringsAt: 45 }),
    (code, api) => code.dieCounting(api, 2, READ),
    (code, api) => code.takeTold(api, 2, false, 4 * SOON, READ),
  ]),
  arranged(rw, 'a reader dies before its CAS, and then the writer who came in', [
    (code, api) => code.dieTaking(api, 0, 'die before', READ),
    (code, api) => code.takeAndDie(api, { ...WRITE, from: 1, after: 25 }),
    (code, api) => code.takeTold(api, 2, true, 3 * SOON, READ),
  ]),
  arranged(
    'semaphore',
    'a thread dies while it counts what the dead have held',
    [
      (code, api) => code.takeAndDie(api, {}),
      (code, api) => code.dieCounting(api, 1, { weight: 2 }),
      (code, api) => code.takeSoon(api, 1, { weight: 1, limit: 3 * SOON }),
    ],
    { permits: 2 },
  ),
  arranged(
    'semaphore',
    'a thread dies while it counts what the dead have held, and all are needed',
    [
      (code, api) => code.takeAndDie(api, {}),
      (code, api) => code.dieCounting(api, 1, { weight: 2 }),
      (code, api) => code.takeSoon(api, 1, { weight: 2, limit: 3 * SOON }),
    ],
    { permits: 2 },
  ),
  arranged(
    'semaphore',
    'a thread dies while it counts what the dead have held, and a holder releases',
    [
      (code, api) => code.takeAndDie(api, {}),
      (code, api) => code.dieCounting(api, 2, { weight: 3 }),
      (code, api) => code.stayUntil(api, 0, 3, { ringsAt: 25 }),
    ],
    { permits: 3 },
  ),
  arranged(rw, 'a thread dies while it counts what the dead have held, and a reader releases', [
    (code, api) => code.takeAndDie(api, READ),
    (code, api) => code.dieCounting(api, 2, WRITE),
    (code, api) => code.stayUntil(api, 0, 3, { ...READ, ringsAt: 25 }),
  ]),
  arranged(rw, 'a thread dies while it counts what the dead have held, and a writer releases', [
    (code, api) => code.dieTaking(api, 0, 'die before', READ),
    (code, api) => code.stayUntil(api, 1, 3, { ...WRITE, lingers: 3 }),
    (code, api) => code.dieCounting(api, 2, WRITE),
    (code, api) => code.stayUntil(api, 2, 3, { ...WRITE, queued: 2, delay: 5, ringsAt: 10 }),
    (code, api) => code.stayUntil(api, 2, 3, { ...WRITE, queued: 2, delay: 5, ringsAt: 10 }),
  ]),
  arranged(
    'semaphore',
    'a thread dies before it counts what the dead have held',
    [
      (code, api) => code.takeAndDie(api, {}),
      (code, api) => code.dieCounting(api, 1, { weight: 2, what: 'die before' }),
      (code, api) => code.takeSoon(api, 1, { weight: 2, limit: 3 * SOON }),
    ],
    { permits: 2 },
  ),
  arranged(
    'semaphore',
    'a thread dies in the queue, and waited for more than there is',
    [
      (code, api) => code.stayUntil(api, 0, 3),
      (code, api) => code.dieWaiting(api, 1, { weight: 2 }),
      (code, api) => code.takeSoon(api, 2, { limit: SOON }),
    ],
    { permits: 2 },
  ),
  arranged(rw, 'a thread dies while it counts what the dead have held', [
    (code, api) => code.takeAndDie(api, READ),
    (code, api) => code.dieCounting(api, 1, WRITE),
    (code, api) => code.takeSoon(api, 1, { ...WRITE, limit: 3 * SOON }),
  ]),
  arranged(
    'semaphore',
    'a thread gives up while another one dies that counts what the dead have held',
    [
      (code, api) => code.takeAndDie(api, {}),
      (code, api) => code.giveUpAndTakeAll(api, 2, { weight: 2, timeout: 20 }),
      (code, api) => code.dieTrying(api, 1, 17, { weight: 2 }),
    ],
    { permits: 2 },
  ),
  arranged(rw, 'one reader dies, and another one reads on', [
    (code, api) => code.stayUntil(api, 0, 3, { ...READ, ringsAt: 25 }),
    (code, api) => code.takeAndDie(api, { ...READ, from: 1 }),
    (code, api) => code.takeTold(api, 2, false, 2 * SOON, WRITE),
  ]),
  arranged(rw, 'a writer dies, then a reader, and the next writer is told', [
    (code, api) => code.takeAndDie(api, WRITE),
    (code, api) => code.takeAndDie(api, { ...READ, from: 1 }),
    (code, api) => code.takeTold(api, 2, true, 2 * SOON, WRITE),
  ]),
  arranged(
    'semaphore',
    'a release that is not noted yet when holds are counted',
    [
      (code, api) => code.releaseSlowly(api, 0, 2),
      (code, api) => code.takeAndDie(api, { from: 1 }),
      (code, api) => code.takeSoon(api, 2, { weight: 2, limit: SOON + 5 }),
    ],
    { permits: 2 },
  ),
  ...[19, 20].map((delay) =>
    arranged(
      'semaphore',
      `a release while holds are counted, after ${delay} ms`,
      [
        (code, api) => code.releaseSlowly(api, 0, 2, { delay, pauses: false }),
        (code, api) => code.takeAndDie(api, { from: 1 }),
        (code, api) => code.takeSoon(api, 2, { weight: 2, limit: SOON + 5 }),
      ],
      { permits: 2 },
    ),
  ),
  ...[19, 20].map((delay) =>
    arranged(rw, `a reader who comes after ${delay} ms does not pass a writer who waits for a dead one`, [
      (code, api) => code.takeAndDie(api, WRITE),
      (code, api) => code.takeAfter(api, 1, undefined, 1, WRITE),
      (code, api) => code.takeAfter(api, 1, 1, 2, { ...READ, delay }),
    ]),
  ),
  ...['mutex', 'semaphore'].map((kind) =>
    arranged(kind, 'a request goes on when another one of its event loop was granted, and finds the dead', [
      (code, api) => code.holdBetween(api, 0, 3),
      (code, api) => code.takeAndDie(api, { second: true }),
      (code, api) => code.askForBoth(api, 2, SOON + 5),
    ]),
  ),
  arranged(rw, 'a read hold that ends, not noted yet when holds are counted', [
    (code, api) => code.releaseSlowly(api, 0, 2, READ),
    (code, api) => code.takeAndDie(api, { ...READ, from: 1 }),
    (code, api) => code.takeTold(api, 2, false, SOON + 5, WRITE),
  ]),
];
