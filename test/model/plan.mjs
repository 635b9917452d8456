/** What is run: the subjects of each primitive with what may happen to them, and how far they are explored. */
import { arrangedCases } from './arranged.mjs';
import {
  fenced,
  latch,
  mutex,
  onFullStack,
  readWriteLock,
  recounted,
  reentrantMutex,
  scattered,
  semaphore,
  slow,
  twoMutexes,
  twoSemaphores,
  untold,
  watched,
  watchedLatch,
  wholeLatch,
} from './subjects.mjs';
import { comparisons, names } from './spaces.mjs';

/** What may happen to blocking threads, and to event loops. */
const quiet = {};
const early = { clock: 1 };
const deadly = { deaths: 1 };
/** The second one can die while it buries the first. */
const twice = { deaths: 2, clock: 1 };
const killed = { kills: 1 };
const killedTwice = { kills: 2, clock: 1 };
const deadlyEarly = { deaths: 1, clock: 1 };
const troubled = { clock: 2, wakes: 1, busy: 1 };
const aborted = { aborts: 1 };
const abortedDeadly = { aborts: 1, deaths: 1, clock: 1, busy: 1 };
const abortedKilled = { aborts: 1, kills: 1, clock: 1, wakes: 1 };

const blocking = [quiet, early, killed, deadlyEarly, twice, killedTwice, troubled];
const looping = [
  quiet,
  early,
  deadlyEarly,
  twice,
  killed,
  killedTwice,
  troubled,
  aborted,
  abortedDeadly,
  abortedKilled,
];

const abortable = true;
const s = 'sync';
const a = 'async';

const three = [
  ['a', true],
  ['a', true],
  ['b', true],
];

/** By primitive: programs of blocking threads only, and programs with event loops. */
export const primitives = {
  latch: { sync: [latch(2, 2), latch(3, 2), latch(4, 1), watchedLatch(3)], async: [] },
  mutex: {
    sync: [
      mutex([s, s, s], 2),
      mutex([s, s, 'try'], 2, { timeout: 5 }),
      mutex([s, s, s, s]),
      twoMutexes(['both', 'both', 'second']),
      slow(mutex([s, s, s]), [50, 0, 0]),
      untold(mutex([s, s, s])),
    ],
    async: [
      mutex([a, a, a], 2),
      mutex([s, a, a], 2, { timeout: 5, abortable }),
      mutex([`${a} + ${a}`, `${a} + try async`, s], 1, { abortable }),
      slow(mutex([a, a, s], 1, { timeout: 30 }), [0, 50, 0]),
      twoMutexes(['first async + second sync', 'first async', 'both sync']),
      twoMutexes(['first async + second async', 'both async', 'first sync']),
      twoMutexes(['aside', 'inverse sync', 'first sync']),
    ],
  },
  'reentrant mutex': {
    sync: [
      reentrantMutex([s, s, s], 2),
      reentrantMutex([s, s], 3),
      reentrantMutex([s, s, 'try'], 2, { timeout: 5 }),
    ],
    async: [
      reentrantMutex([a, a, s], 2),
      reentrantMutex([`${a} + ${a}`, s], 1),
      reentrantMutex([s, a, a], 2, { timeout: 5, abortable }),
    ],
  },
  semaphore: {
    sync: [
      semaphore([s, s, s], [1, 2, 1], 2, 2),
      semaphore([s, s, 'try'], [2, 1, 1], 2, 2, { timeout: 5 }),
      semaphore([s, s, s, s], [1, 3, 2, 1], 3),
      semaphore([s, s, s, s], [3, 1, 3, 1], 3),
      slow(semaphore([s, s, s], [1, 1, 2], 3), [0, 50, 0]),
      scattered(semaphore([s, s, s], [1, 2, 1], 2), 1, 32, 128),
      scattered(semaphore([s, s, s], [1, 2, 1], 2), 98, 1, 128),
      scattered(twoSemaphores(['both', 'both', 'first']), 30, 1, 288),
    ],
    async: [
      semaphore([s, a, a], [1, 2, 1], 2, 2),
      semaphore([a, a, s], [1, 2, 2], 3, 1, { timeout: 5, abortable }),
      semaphore([`${a} + ${a}`, `${a} + try async`, s], [1, 2, 1], 3, 1, { abortable }),
      twoSemaphores(['aside', 'inverse sync', 'first sync']),
      slow(semaphore([a, s, a], [1, 1, 2], 2, 2), [0, 50, 30]),
      twoSemaphores(['aside', 'inverse async', 'first async']),
    ],
  },
  'read-write lock': {
    sync: [
      readWriteLock(['read', 'write', 'read', 'downgrade']),
      readWriteLock(['read', 'write', 'read try'], 2, { timeout: 5 }),
      readWriteLock(['downgrade', 'downgrade', 'read'], 2),
      readWriteLock(['share', 'join', 'read']),
      slow(readWriteLock(['read', 'read', 'write', 'downgrade']), [0, 50, 0, 0]),
    ],
    async: [
      readWriteLock(['read async', 'write async', 'read', 'downgrade async']),
      readWriteLock(['read async', 'write', 'downgrade async'], 2, { timeout: 5, abortable }),
      slow(readWriteLock(['read async', 'write async', 'read']), [50, 30, 0]),
      readWriteLock(['read async + write async', 'read async + read async', 'write'], 1, { abortable }),
    ],
  },
  names: {
    sync: [
      names(three),
      names(three, 1, { room: 2 }),
      untold(names(three.slice(0, 2))),
      watched(names(three.slice(0, 2))),
      names(
        [
          ['a', true],
          ['a', false],
        ],
        2,
      ),
      comparisons(3, 2),
      names(
        [
          ['a', true],
          ['a', true],
          ['b', true, 'try'],
        ],
        2,
        { timeout: 5 },
      ),
    ],
    async: [
      names([
        ['a', true, 'async'],
        ['a', true, 'async'],
        ['a', true],
      ]),
      names(
        [
          ['a', true, 'async'],
          ['a', true, 'async'],
          ['a', true],
        ],
        2,
        { timeout: 5, abortable },
      ),
    ],
  },
};

/** Where threads meet, nobody may die; where only a parent is told, one: another one's latch may keep it. */
const isPossible = ({ needsEveryone, isTold = true }, { deaths = 0, kills = 0 }) =>
  deaths + kills <= (needsEveryone ? 0 : isTold ? Infinity : 1);

/** Without a signal, an abort that would be all that happens is nothing. */
const isVain = ({ abortable = false }, budget) => budget === aborted && !abortable;

const cases = (subjects, budgets) =>
  subjects.flatMap((subject) =>
    budgets
      .filter((budget) => isPossible(subject, budget) && !isVain(subject, budget))
      .map((budget) => ({ subject, budget })),
  );

/** Those that use locks as a user does: they can be run on real threads. */
export const subjectsOfLocks = Object.values(primitives)
  .flatMap(({ sync, async }) => [...sync, ...async])
  .filter(({ open, needsEveryone, naps }) => open !== undefined && !needsEveryone && !naps)
  .filter(
    ({ isTold = true, entries, fence, word }) =>
      isTold && !entries && fence === undefined && word === undefined,
  );

/** Every subject with every budget, for random and PCT schedules. */
export const schedules = Object.entries(primitives).map(([name, { sync, async }]) => ({
  name,
  sync: cases(sync, blocking),
  async: cases(async, looping),
}));

/** The stack can be full wherever a function is entered. */
const overflown = [{ overflows: 1 }, { overflows: 2 }, { overflows: 3, clock: 1, aborts: 1 }];
const overflows = [overflown[0]];
schedules.push({
  name: 'full stack',
  sync: [
    ...cases(
      [
        onFullStack(['mutex waits', 'mutex rings'], [s, s], 2),
        onFullStack(['mutex waits', 'mutex rings'], ['try', s], 2),
      ],
      overflows,
    ),
    ...cases(
      [
        onFullStack(['mutex', 'mutex', 'mutex'], [s, s, 'try'], 2),
        onFullStack(['mutex', 'mutex'], [s, s], 2, { timeout: 5 }),
        onFullStack(['semaphore', 'semaphore', 'semaphore'], [s, 'try', s], 2),
        onFullStack(['reader', 'writer', 'reader'], [s, s, s], 2),
        onFullStack(['mutex again', 'mutex', 'mutex again'], [s, s, 'try']),
        onFullStack(['semaphore again', 'semaphore'], [s, 'try'], 2),
        onFullStack(['reader again', 'writer', 'downgrade'], [s, s, s]),
      ],
      overflown,
    ),
  ],
  async: cases(
    [
      onFullStack(['mutex again', 'mutex'], [`${a} + ${a}`, s], 1, { timeout: 5, abortable }),
      onFullStack(['semaphore again', 'semaphore'], [`${a} + ${a}`, a], 1, { abortable }),
      onFullStack(['downgrade', 'reader again'], [`${a} + ${a}`, 'try async']),
      onFullStack(['mutex', 'mutex'], [`${a} + ${a}`, s], 2),
      onFullStack(['reader', 'writer'], [`${a} + ${a}`, s], 2),
      onFullStack(['mutex', 'mutex', 'mutex'], [s, a, a], 2),
      onFullStack(['semaphore', 'semaphore', 'semaphore'], [a, a, s], 2, { timeout: 5 }),
      onFullStack(['writer', 'reader', 'writer'], [a, a, s], 2),
    ],
    overflown,
  ),
});

/** Situations that are arranged, and what has to come of them. */
schedules.push({ name: 'situation', sync: arrangedCases, async: [] });

export const everything = schedules.flatMap(({ sync, async }) => [...sync, ...async]);

/** Gone through completely in `npm test`. */
export const small = [
  ...cases([watchedLatch(2)], [quiet, deadly]),
  ...cases([latch(2, 2), latch(3), mutex([s, s]), mutex([s, a])], [quiet, early, deadly, killed]),
  ...cases([mutex([a, a], 1, { abortable })], [quiet, aborted, deadly]),
  ...cases([mutex([s, s], 2)], [quiet, deadly]),
  ...cases([fenced(mutex([s, s]), 2 ** 32 - 1)], [killed]),
  ...cases([fenced(readWriteLock(['write', 'read']), 2 ** 32 - 1)], [quiet]),
  ...cases([mutex([s, s], 1, { timeout: 5 })], [quiet, early]),
  ...cases([reentrantMutex([s, s]), reentrantMutex([s, a])], [quiet, deadly]),
  ...cases([semaphore([s, s], [1, 2], 2), semaphore([s, a], [1, 2], 2)], [quiet, early]),
  ...cases([readWriteLock(['read', 'write']), readWriteLock(['read async', 'downgrade'])], [quiet]),
  ...cases(
    [semaphore([s], [1], 2), ...['reread', 'write', 'downgrade'].map((role) => readWriteLock([role]))].map(
      (subject) => recounted(subject),
    ),
    [quiet, killed],
  ),
  ...cases(
    [
      onFullStack(['mutex again', 'mutex'], [s, s]),
      onFullStack(['mutex', 'mutex'], [s, a]),
      onFullStack(['semaphore', 'semaphore'], [s, a]),
      onFullStack(['reader', 'writer'], [s, s]),
    ],
    overflows,
  ),
];

/** Wherever `terminate()` can strike, SIGKILL can as well. */
const faults = [quiet, early, killed];
const asyncFaults = [...faults, aborted];
const disposed = (count) => Array.from({ length: count }, () => ['a', true]);
const awaited = [
  ['a', true, 'async'],
  ['a', true],
];
const timeout = { timeout: 5 };

/** 2 threads x 2 rounds of every primitive. */
const pairs = [
  ...cases([latch(2, 2)], faults),
  ...cases([mutex([s, s], 2, timeout)], faults),
  ...cases([mutex([a, a], 2, { abortable }), mutex([s, a], 2, { abortable })], asyncFaults),
  ...cases([reentrantMutex([s, s], 2, timeout)], faults),
  ...cases([reentrantMutex([s, a], 2, { abortable })], asyncFaults),
  ...cases([semaphore([s, s], [1, 2], 2, 2)], faults),
  ...cases([semaphore([a, a], [1, 2], 2, 2, { abortable })], asyncFaults),
  ...cases([readWriteLock(['read', 'write'], 2), readWriteLock(['downgrade', 'write'], 2)], faults),
  ...cases([readWriteLock(['read async', 'write async'], 2, { abortable })], asyncFaults),
  ...cases(
    [
      mutex([a, a], 2, timeout),
      mutex([s, a], 2, timeout),
      reentrantMutex([s, a], 2, timeout),
      semaphore([s, a], [1, 2], 2, 2, timeout),
      readWriteLock(['read', 'write async'], 2, timeout),
      semaphore([s, s], [1, 2], 2, 2, timeout),
      readWriteLock(['read', 'write'], 2, timeout),
      readWriteLock(['downgrade', 'write'], 2, timeout),
    ],
    [early],
  ),
  ...cases([names(disposed(2))], faults),
  ...cases([names(disposed(2), 1, timeout)], [early]),
  ...cases([names(awaited, 1, { abortable })], [quiet, aborted]),
  ...cases([names(disposed(2), 2)], faults),
];

const asyncTriples = [
  mutex([a, a, a], 1, { abortable }),
  mutex([s, s, a], 1, { abortable }),
  reentrantMutex([a, a, s], 1, { abortable }),
  semaphore([s, a, a], [1, 2, 1], 2, 1, { abortable }),
  readWriteLock(['read async', 'write async', 'downgrade'], 1, { abortable }),
];
const triples = [
  mutex([s, s, s], 1, timeout),
  reentrantMutex([s, s, s], 1, timeout),
  semaphore([s, s, s], [1, 2, 1], 2),
  readWriteLock(['read', 'write', 'downgrade']),
  readWriteLock(['read', 'read', 'write']),
];

/** 2 threads x 2 rounds and 3 x 1 of every primitive, with one fault anywhere: for `npm run model:full`. */
export const complete = [
  ...pairs,
  ...cases([latch(3)], faults),
  ...cases([...triples, ...asyncTriples], [quiet]),
  ...cases(triples.map(wholeLatch), faults),
  ...cases(
    [
      semaphore([s, s, a], [1, 2, 1], 2, 1, timeout),
      readWriteLock(['read', 'write', 'read async'], 1, timeout),
    ].map(wholeLatch),
    [early],
  ),
  ...cases([names(disposed(3))].map(wholeLatch), faults),
  ...cases(asyncTriples.map(wholeLatch), asyncFaults),
];

/** 3 threads x 2 rounds and 4 x 1, with at most this many preemptions. */
export const PREEMPTIONS = 3;
export const bounded = cases(
  [
    latch(3, 2),
    latch(4),
    mutex([s, s, s], 2),
    mutex([s, s, s, s]),
    mutex([a, a, a], 2),
    mutex([s, a, s, a]),
    reentrantMutex([s, s, s], 2),
    reentrantMutex([a, s, a], 2),
    reentrantMutex([s, s, s, s]),
    reentrantMutex([s, a, s, a]),
    semaphore([s, s, s], [1, 2, 1], 2, 2),
    semaphore([s, s, s, s], [1, 2, 1, 1], 2),
    semaphore([a, s, a], [1, 2, 1], 2, 2),
    semaphore([s, a, s, a], [1, 2, 1, 1], 2),
    readWriteLock(['read', 'write', 'downgrade'], 2),
    readWriteLock(['read', 'read', 'write', 'downgrade']),
    readWriteLock(['read async', 'write async', 'downgrade'], 2),
    readWriteLock(['read', 'read async', 'write async', 'downgrade']),
    names(disposed(3), 2),
    names(disposed(4)),
  ],
  [quiet, killed],
);
