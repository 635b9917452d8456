/**
 * Situations that chance brings about too seldom, with what is promised of them. The threads wait for one another at
 * a bell, so that everything else may happen in any order.
 */
import { LAPSED, READ, WRITE, arranged, described, kinds, sides } from './arrange.mjs';
import { attaching } from './arranged-attaching.mjs';
import { burials } from './arranged-burials.mjs';
import { deaths, doubts } from './arranged-deaths.mjs';
import { plays } from './arranged-names.mjs';
import { bits } from './space.mjs';
import { crowded, fenced, mutex, readWriteLock } from './subjects.mjs';

const elsewhere = ['mutex', 'semaphore'].map((kind) =>
  arranged(kind, 'a thread that blocks elsewhere holds up nobody', [
    (code, api) => code.askAndBlock(api, 2),
    (code, api) => code.holdBetween(api, 0, 3),
    (code, api) => code.holdBetween(api, 0, 4, { second: true }),
    (code, api) => code.takeSoon(api, 3),
  ]),
);

const returned = ['mutex', 'semaphore'].map((kind) =>
  arranged(kind, 'a thread that has blocked elsewhere is woken again', [
    (code, api) => code.blockAndAwait(api, 2),
    (code, api) => code.holdBetween(api, 0, 3),
    (code, api) => code.holdBetween(api, 0, 4, { second: true }),
  ]),
);

/** The time of a wake, which has 29 bits, wraps soon after. */
const WRAP = 2 ** 31 - 5;
const busy = ['mutex', 'semaphore'].map((kind) =>
  arranged(
    kind,
    'a busy event loop holds up others for one lapse',
    [
      (code, api) => code.askAndBeBusy(api, 1, 3),
      (code, api) => code.holdBetween(api, 0, 2),
      (code, api) => code.takeSoon(api, 2, { limit: LAPSED }),
    ],
    { patience: LAPSED, now: WRAP },
  ),
);

/** Longer than a slice, and by less than a millisecond. */
const TIMEOUT = { timeout: 20.5 };
const timeouts = Object.keys(kinds).flatMap((kind) =>
  sides[kind].map((side) =>
    arranged(
      kind,
      `${described(side)} and async give up in time`,
      [
        (code, api) => code.holdBetween(api, 0, 3, kind === 'read-write lock' ? WRITE : {}),
        (code, api) => code.giveUp(api, 1, 'sync', { ...side, ...TIMEOUT }),
        (code, api) => code.giveUp(api, 1, 'async', { ...side, ...TIMEOUT }),
      ],
      { patience: 20.5 },
    ),
  ),
);

const aborts = Object.keys(kinds).flatMap((kind) =>
  sides[kind].map((side) =>
    arranged(
      kind,
      `${described({ ...side, how: 'async' })} is aborted, and no timer is left`,
      [
        (code, api) => code.holdBetween(api, 0, 2, kind === 'read-write lock' ? WRITE : {}),
        (code, api) => code.giveUpAborted(api, 1, { ...side, timeout: 100, limit: 10 }),
        (code, api) => code.abortQueued(api, 1),
      ],
      { abortable: true },
    ),
  ),
);

const obstacles = [
  arranged('mutex', 'whoever would wait for itself is told', [(code, api) => code.askInVain(api)]),
  arranged('semaphore', 'whoever would wait for itself is told', [(code, api) => code.askInVain(api)]),
  arranged('read-write lock', 'whoever would wait for itself is told', [
    (code, api) => code.askInVain(api, 'writer'),
  ]),
];

/** Where the low half of the fence becomes negative, and where the high half begins. */
const fences = [2 ** 31 - 2, 2 ** 32 - 1].flatMap((fence) => [
  fenced(mutex(['sync', 'async']), fence),
  fenced(readWriteLock(['downgrade', 'downgrade async', 'read']), fence),
]);

/** As many read as can. */
const crowds = [
  crowded(readWriteLock(['read', 'read async', 'read'])),
  crowded(readWriteLock(['read', 'read async', 'read']), bits.ABANDONED),
  crowded(
    arranged(
      'read-write lock',
      'a thread that reads waits to read again when no more can',
      [
        (code, api) => code.rereadInVain(api, 1),
        (code, api) => code.giveUp(api, 1, 'sync', { ...WRITE, timeout: 20.5 }),
      ],
      { patience: 20.5 },
    ),
  ),
];

const orders = [
  ...['mutex', 'semaphore'].map((kind) =>
    arranged(kind, 'two locks for one event loop at about the same time', [
      (code, api) => code.holdBetween(api, 0, 3),
      (code, api) => code.holdBetween(api, 0, 3, { second: true }),
      (code, api) => code.askForBoth(api, 2, 0),
    ]),
  ),
  ...['mutex', 'semaphore'].map((kind) =>
    arranged(kind, 'a request does not pass one of its own thread', [
      (code, api) => code.holdBetween(api, 0, 2, { rings: true }),
      (code, api) => code.askAgain(api, 1, 3),
    ]),
  ),
  ...['mutex', 'semaphore'].map((kind) =>
    arranged(
      kind,
      'a request of an event loop comes after one that was given up',
      [(code, api) => code.holdBetween(api, 0, 2), (code, api) => code.giveUpFirst(api, 1, 5, 2)],
      { patience: 5 },
    ),
  ),
  ...['mutex', 'semaphore'].map((kind) =>
    arranged(kind, 'requests of one event loop in order', [
      (code, api) => code.takeInOrder(api, 1, 3),
      (code, api) => code.holdBetween(api, 0, 2),
    ]),
  ),
  arranged(
    'read-write lock',
    'a reader does not pass a writer',
    [
      (code, api) => code.holdBetween(api, 0, 2, READ),
      (code, api) => code.takeAfter(api, 1, undefined, 1, WRITE),
      (code, api) => code.takeAfter(api, 1, 1, 2, READ),
      (code, api) => code.ringAfter(api, [1, 2]),
    ],
    { patience: 10 },
  ),
];

const queues = [
  ...[
    ['sync', 'sync', 'sync'],
    ['async', 'sync', 'async'],
  ].map((hows) =>
    arranged(
      'semaphore',
      `${hows.join(', ')} in the order in which they queued`,
      [
        (code, api) => code.holdBetween(api, 0, 2, { weight: 3 }),
        ...hows.map(
          (how, index) => (code, api) =>
            code.takeAfter(api, 1, index === 0 ? undefined : index, index + 1, {
              how,
              weight: 3 - (index % 2),
            }),
        ),
        (code, api) => code.ringAfter(api, [1, 2, 3]),
      ],
      { permits: 3, patience: 25 },
    ),
  ),
  arranged(
    'semaphore',
    'an async request comes after those who queued before it',
    [
      (code, api) => code.holdBetween(api, 0, 2),
      (code, api) => code.takeAfter(api, 1, 3, 3, { how: 'async' }),
      (code, api) => code.takeAfter(api, 1, undefined, 1),
      (code, api) => code.takeAfter(api, 1, 2, 2),
      (code, api) => code.ringAfter(api, [1, 2, 3]),
    ],
    { patience: 25 },
  ),
  arranged(
    'semaphore',
    'an async request keeps its place when the thread has blocked meanwhile',
    [
      (code, api) => code.holdBetween(api, 0, 3),
      (code, api) => code.askAndGiveUp(api, 1, 1, 10),
      (code, api) => code.takeAfter(api, 2, undefined, 2),
    ],
    { patience: 15 },
  ),
  ...['try', 'try async'].map((how) =>
    arranged(
      'semaphore',
      `${how} does not take what another one waits for`,
      [
        (code, api) => code.holdBetween(api, 0, 2, { weight: 1 }),
        (code, api) => code.takeSoon(api, 1, { weight: 2, limit: 10 }),
        (code, api) => code.tryInVain(api, 1, how, { weight: 1 }),
      ],
      { permits: 2, patience: 10 },
    ),
  ),
  arranged(
    'semaphore',
    'try passes a busy event loop',
    [
      (code, api) => code.askAndBeBusy(api, 1, 3),
      (code, api) => code.holdBetween(api, 0, 2),
      (code, api) => code.trySoon(api, 2, 'try', { limit: LAPSED }),
      (code, api) => code.ringAt(api, LAPSED + 10),
    ],
    { patience: LAPSED + 15 },
  ),
];

const woken = [
  arranged(
    'semaphore',
    'one after another in a space for many threads',
    [
      (code, api) => code.holdUntilQueued(api, [1, 2], {}),
      (code, api) => code.takeAfter(api, 1, 2, 2),
      (code, api) => code.takeAfter(api, 1, undefined, 1),
    ],
    { patience: 5, entries: { first: 1, step: 32 }, room: 128 },
  ),
  arranged(
    'semaphore',
    'some try while one who waits comes in',
    [
      (code, api) => code.holdUntilQueued(api, [1], {}),
      (code, api) => code.takeSoon(api, 1, { weight: 2, limit: 5 }),
      (code, api) => code.tryBesides(api, 1, 4),
      (code, api) => code.tryBesides(api, 1, 4),
    ],
    { permits: 2, patience: 5 },
  ),
  arranged(
    'read-write lock',
    'a writer who is woken for nothing waits on',
    [
      (code, api) => code.wakeForNothing(api, 1, READ),
      (code, api) => code.takeTold(api, 1, false, 10, WRITE),
    ],
    { patience: 10 },
  ),
  arranged(
    'semaphore',
    'one after another, the last one of 32 threads',
    [
      (code, api) => code.holdUntilQueued(api, [1, 2], {}),
      (code, api) => code.takeAfter(api, 1, undefined, 1),
      (code, api) => code.takeAfter(api, 1, 1, 2),
    ],
    { patience: 5, entries: { first: 29, step: 1 }, room: 64 },
  ),
  ...[false, true].map((pauses) =>
    arranged(
      'mutex',
      `the second in the queue is woken when the first has given up${pauses ? ' slowly' : ''}`,
      [
        (code, api) => code.stayUntil(api, 0, 2, { ringsAt: 12 }),
        (code, api) => code.giveUpSlowly(api, 1, 10, pauses),
        (code, api) => code.takeSoon(api, 1, { queued: 1, limit: 16 }),
      ],
      { patience: 16 },
    ),
  ),
  ...[19, 20, 21].map((time) =>
    arranged(
      'semaphore',
      `an async request that is woken after ${time} ms has its turn before one that looks just then`,
      [
        (code, api) => code.stayUntil(api, 0, 2, { ringsAt: time }),
        (code, api) => code.takeAfter(api, 1, undefined, 1, { how: 'async' }),
        (code, api) => code.takeAfter(api, 1, 1, 2),
      ],
      { patience: 25 },
    ),
  ),
];

const full = [
  ...[
    ['mutex', 'async'],
    ['semaphore', 'sync'],
    ['read-write lock', 'sync', WRITE],
  ].map(([kind, how, side = {}]) =>
    arranged(kind, `${how} is woken by a release on a full stack`, [
      (code, api) => code.releaseOnFullStack(api, 1, side),
      (code, api) => code.takeSoon(api, 1, { ...side, how, limit: 2 }),
    ]),
  ),
  ...['mutex', 'semaphore'].map((kind) =>
    arranged(kind, 'a thread that fails on a full stack when it has it, and blocks', [
      (code, api) => code.releaseAndFail(api, 1, 2),
      (code, api) => code.failAndBlock(api, 1, 3),
    ]),
  ),
];

const together = [
  arranged(
    'read-write lock',
    'two who wait come in together',
    [
      (code, api) => code.holdUntilQueued(api, [1, 2], WRITE),
      (code, api) => code.stayUntil(api, 1, 3, READ),
      (code, api) => code.stayUntil(api, 1, 3, READ),
    ],
    { patience: 5 },
  ),
  arranged('read-write lock', 'readers come in together', [
    (code, api) => code.holdBetween(api, 0, 1, WRITE),
    (code, api) => code.stayUntil(api, 1, 3, READ),
    (code, api) => code.stayUntil(api, 1, 3, { ...READ, how: 'async' }),
  ]),
  arranged(
    'semaphore',
    'two come in together',
    [
      (code, api) => code.holdBetween(api, 0, 1, { weight: 2 }),
      (code, api) => code.stayUntil(api, 1, 3),
      (code, api) => code.stayUntil(api, 1, 3, { how: 'async' }),
    ],
    { permits: 2 },
  ),
  arranged(
    'read-write lock',
    'a downgrade lets readers in',
    [(code, api) => code.downgradeUntil(api, 1, 2), (code, api) => code.stayUntil(api, 1, 2, READ)],
    { patience: 10 },
  ),
  arranged(
    'read-write lock',
    'a reader does not pass a writer while another one downgrades',
    [
      (code, api) => code.downgradeSlowly(api, 1),
      (code, api) => code.takeAfter(api, 1, undefined, 1, WRITE),
      (code, api) => code.takeAfter(api, 1, 1, 2, { ...READ, delay: 2 }),
    ],
    { patience: 60 },
  ),
  arranged(
    'read-write lock',
    'a thread that reads may read again before a writer',
    [
      (code, api) => code.stayUntil(api, 0, 1, { ...READ, again: 1 }),
      (code, api) => code.takeSoon(api, 1, { ...WRITE, limit: 10 }),
    ],
    { patience: 10 },
  ),
  arranged(
    'read-write lock',
    'a writer that gives up lets readers in',
    [
      (code, api) => code.holdBetween(api, 0, 3, READ),
      (code, api) => code.giveUp(api, 1, 'sync', { ...WRITE, timeout: 10 }),
      (code, api) => code.stayUntil(api, 1, 2, { ...READ, queued: 1 }),
    ],
    { patience: 12 },
  ),
];

const barging = [
  arranged('mutex', 'nobody starves while no time passes', [
    (code, api) => code.bargeAtOnce(api, 36),
    (code, api) => code.bargeAtOnce(api, 2),
    (code, api) => code.bargeAtOnce(api, 2),
  ]),
  arranged('mutex', 'the first in the queue starves while the lock is released', [
    (code, api) => code.bargeBusily(api, 1, 12),
    (code, api) => code.bargeBusily(api, 1, 12),
    (code, api) => code.bargeBusily(api, 1, 12),
    (code, api) => code.ringAt(api, 1),
  ]),
  arranged('mutex', 'an event loop does not starve at once', [
    (code, api) => code.bargePast(api, 1, false),
    (code, api) => code.takeSoon(api, 1, { how: 'async', limit: 20 }),
  ]),
  arranged(
    'mutex',
    'one that was woken just now may be passed',
    [
      (code, api) => code.bargePast(api, 1),
      (code, api) => code.takeSoon(api, 1, { limit: 40, slowness: 30 }),
    ],
    { patience: 60 },
  ),
  arranged(
    'mutex',
    'the first in the queue finds itself passed while the lock is taken and released',
    [
      (code, api) => code.barge(api, 20, 1, 20, false),
      (code, api) => code.takeSoon(api, 0, { limit: 40, endsStarving: true }),
      (code, api) => code.takeSoon(api, 0, { limit: 40, endsStarving: true }),
    ],
    { patience: 30 },
  ),
  arranged(
    'mutex',
    'the first in the queue is passed for two milliseconds',
    [(code, api) => code.barge(api, 12, 1, 3, false), (code, api) => code.takeSoon(api, 0, { limit: 20 })],
    { patience: 30 },
  ),
  arranged(
    'mutex',
    'one that was woken and has no processor is passed sixteen times and for two milliseconds',
    [
      (code, api) => code.barge(api, 60, 1, 18, true),
      (code, api) => code.takeSoon(api, 1, { limit: 60, slowness: 30 }),
    ],
    { patience: 60 },
  ),
  arranged(
    'mutex',
    'the other one was woken, has no processor and is passed sixteen times and for two milliseconds',
    [
      (code, api) => code.takeSoon(api, 1, { limit: 60, slowness: 30 }),
      (code, api) => code.barge(api, 60, 0, 18, true),
    ],
    { patience: 60, now: 1.2e6 },
  ),
];

export const arrangedSubjects = [
  ...elsewhere,
  ...returned,
  ...busy,
  ...deaths,
  ...doubts,
  ...burials,
  ...attaching,
  ...timeouts,
  ...aborts,
  ...obstacles,
  ...fences,
  ...crowds,
  ...orders,
  ...queues,
  ...woken,
  ...full,
  ...together,
  ...barging,
  ...plays,
];

export const arrangedCases = arrangedSubjects.map((subject) => ({ subject, budget: {} }));
