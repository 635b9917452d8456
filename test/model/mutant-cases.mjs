/** With which cases a mutant is looked for, and how far: the quickest first. Seeds are always the same. */
import { arrangedCases } from './arranged.mjs';
import { concurrent } from './mutated.mjs';
import { schedules, small } from './plan.mjs';
import {
  fenced,
  latch,
  mutex,
  onFullStack,
  readWriteLock,
  recounted,
  semaphore,
  watchedLatch,
} from './subjects.mjs';
import { nameOf } from './task.mjs';

const s = 'sync';
const a = 'async';
const cases = (subjects, budgets) =>
  subjects.flatMap((subject) => budgets.map((budget) => ({ subject, budget })));

/** Those who bury the dead die as well. */
const deadlier = cases(
  [
    semaphore([s, s, s], [1, 2, 1], 2),
    readWriteLock(['read', 'write', 'downgrade']),
    readWriteLock(['read', 'read', 'write']),
    mutex([s, s, s]),
  ],
  [{ deaths: 2 }, { kills: 2 }],
);

/** Gone through completely, and soon. */
const recounts = [
  ...cases(
    [semaphore([s], [1], 2), ...['reread', 'write', 'downgrade'].map((role) => readWriteLock([role]))].map(
      (subject) => recounted(subject),
    ),
    [{}, { kills: 1 }],
  ),
  ...cases(
    ['write', 'downgrade'].map((role) => recounted(readWriteLock([role]), 2)),
    [{}],
  ),
];

/** What takes many schedules to come about. */
const rare = [
  ...cases([semaphore([s, s, s, s], [3, 1, 3, 1], 3)], [{}]),
  ...cases([mutex([`${a} + ${a}`, s, s], 1, { timeout: 5, abortable: true })], [{ aborts: 1 }]),
];

/** What is not cleared up at once, and something comes before the microtask. */
const rareOnFullStacks = [
  ...cases([onFullStack(['reader', 'writer'], [`${a} + ${a}`, s], 2)], [{ overflows: 2 }]),
  ...cases(
    [onFullStack(['semaphore again', 'semaphore'], [`${a} + ${a}`, a], 1, { abortable: true })],
    [{ overflows: 3, clock: 1, aborts: 1 }],
  ),
];

/** Gone through completely. */
const exhausted = [
  ...cases([latch(2, 2), latch(3), watchedLatch(2), watchedLatch(3)], [{ deaths: 1 }]),
  ...cases(
    [mutex([s, s]), mutex([s, a]), semaphore([s, s], [1, 2], 2), readWriteLock(['read', 'write'])],
    [{}],
  ),
  ...cases([fenced(mutex([s, s]), 2 ** 32 - 1)], [{ kills: 1 }]),
  ...cases([fenced(readWriteLock(['write', 'read']), 2 ** 32 - 1)], [{}]),
];

const isOnFullStack = ({ budget }) => budget.overflows > 0;
const fullStacks = schedules.flatMap(({ sync, async }) => [...sync, ...async]).filter(isOnFullStack);

const chance = schedules
  .filter(({ name }) => name !== 'situation' && name !== 'full stack')
  .flatMap(({ name, sync, async }) => [...sync, ...async].map((one) => ({ ...one, primitive: name })));

/**
 * Executions of every case and strategy, or how many there are at the most, stage after stage. `seed`: where it begins, if
 * not after those of the stage before.
 */
const STAGES = [
  { of: arrangedCases, executions: 8 },
  { of: recounts, limit: 8000 },
  { of: fullStacks, executions: 20, seed: 1 },
  { of: chance, executions: 1 },
  { of: deadlier, executions: 8 },
  { of: rare, executions: 400 },
  { of: exhausted, limit: 8000 },
  { of: chance, executions: 8 },
  { of: rareOnFullStacks, executions: 300, seed: 1 },
  { of: small.filter(isOnFullStack), limit: 8000 },
  { of: fullStacks, executions: 80, seed: 21 },
];
/** Executions of the cases that have found most mutants of the module so far. */
const FAVOURITE = 6;

const named = new Map(
  [...arrangedCases, ...chance, ...deadlier, ...fullStacks].map((one) => [nameOf(one), one]),
);

/** @param {string[]} favourites names of cases that are tried first */
export function* attempts(file, favourites) {
  const primitives = concurrent.get(file);
  const isConcerned = ({ subject, primitive }) =>
    primitives.some((one) => (primitive ?? subject.name).startsWith(one));
  let seed = 1;
  const times = function* (some, executions, own) {
    for (const one of some)
      for (const strategy of ['pct', 'random'])
        yield { name: nameOf(one), one, strategy, seed: own ?? seed, executions };
    if (own === undefined) seed += executions;
  };
  const known = favourites.filter((name) => named.has(name)).map((name) => named.get(name));
  yield* times(known, FAVOURITE);
  for (const { of, executions, limit, seed: own } of STAGES) {
    const some = of.filter(isConcerned);
    if (limit === undefined) yield* times(some, executions, own);
    else for (const one of some) yield { name: nameOf(one), one, strategy: 'exhaustive', limit };
  }
}
