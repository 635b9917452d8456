/**
 * What the rounds check a lock with, in shared memory. Nobody dies in a round, and there is one lock at a time, so
 * what the lock protects is plain words.
 */
import { MUTEX, READ, REENTRANT, SEMAPHORE, VIOLATIONS, WORKERS, WRITE, words } from './board.mjs';

/** What a round is about. `async`: how much of it is async may be drawn from these. */
export const PRIMITIVES = [
  { name: 'mutex-blocking', lock: 'mutex', subjects: [MUTEX], async: [0] },
  { name: 'mutex-async', lock: 'mutex', subjects: [MUTEX], async: [1] },
  { name: 'mutex-mixed', lock: 'mutex', subjects: [MUTEX], async: [0.02, 0.2, 0.6] },
  { name: 'reentrant', lock: 'reentrant', subjects: [REENTRANT], async: [0, 0.02, 0.2, 1] },
  { name: 'semaphore', lock: 'semaphore', subjects: [SEMAPHORE], async: [0, 0.02, 0.2, 1] },
  { name: 'read-write', lock: 'readWrite', subjects: [READ, WRITE], async: [0, 0.02, 0.2, 1] },
];

/** Counted per slot in a round, in `tally`. The slots are a cache line apart. */
export const TALLIES = [
  'sections',
  'exclusive',
  'downgrades',
  're-entries',
  'tries refused',
  'refused at once',
  'timeouts',
  'aborts',
  'deadlocks refused',
];
export const SECTIONS = 0;
export const EXCLUSIVE = 1;
export const DOWNGRADES = 2;
export const REENTRIES = 3;
export const TRIES = 4;
export const AT_ONCE = 5;
export const TIMEOUTS = 6;
export const ABORTS = 7;
export const DEADLOCKS = 8;
/** What the slot's thread is at, and with which subject. */
export const DOING = 14;
export const DOING_WITH = 15;
export const LINE = 16;

export const ACTIVITIES = [
  'is not in this round',
  'has ended its share',
  'is at the barrier',
  'tries',
  'acquires blocking',
  'acquires blocking with a timeout',
  'has async acquires under way',
];
export const ABSENT = 0;
export const ENDED = 1;
export const AT_BARRIER = 2;
export const TRYING = 3;
export const BLOCKING = 4;
export const BLOCKING_BRIEFLY = 5;
export const ASYNC = 6;

/** Indices of `state`: the sum of the shares inside, and the two words an exclusive section makes unequal for a while. */
export const INSIDE = 0;
export const FIRST = 1;
export const SECOND = 2;

export function createRoundsBoard() {
  return {
    state: words(Int32Array, LINE),
    /** Of the last exclusive owner. */
    fence: words(Float64Array, 8),
    tally: words(Int32Array, WORKERS * LINE),
    violations: words(Int32Array, VIOLATIONS.length * 5),
    /** How many have arrived at the barrier; the number of the last round it was opened for. */
    barrier: words(Int32Array, LINE),
    /** 1 while a round is under way. */
    running: words(Int32Array, 1),
    /** How often, and for how many milliseconds in all, nobody was inside and nobody came in: see idle.mjs. */
    idle: words(Float64Array, 2),
    /** The longest time by which a thread that touches no lock overslept. */
    noise: words(Float64Array, 1),
    stop: words(Int32Array, 1),
  };
}

export function sumTally(board, counter) {
  let sum = 0;
  for (let slot = 0; slot < WORKERS; slot++) sum += board.tally[slot * LINE + counter];
  return sum;
}
