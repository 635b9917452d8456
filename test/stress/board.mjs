/**
 * What the harness and its workers write down to check the locks with, in shared memory.
 *
 * A worker can be terminated at every Atomics call, so the checking rests on two rules. Right after an RMW
 * come plain stores that record it (a thread is never cut there, see runtime-canary.test.ts): `share` always
 * says what its thread has put into `inside`. And only the thread of a slot writes that slot's words, until
 * the harness has seen it exit.
 */

export const WORKERS = 8;

/** What is under test, in the order of its index everywhere. */
export const SUBJECTS = ['mutex', 'reentrant mutex', 'semaphore', 'read', 'write'];
export const MUTEX = 0;
export const REENTRANT = 1;
export const SEMAPHORE = 2;
export const READ = 3;
export const WRITE = 4;

/** A semaphore's check needs its size; weights go from 1 to all of it. */
export const PERMITS = 10;

/** What a writer puts into `inside`; readers put in 1 each. */
export const WRITER = 1 << 16;

/** Reading and writing are two subjects of one lock: they share what is inside and who was there last. */
export const lockOf = (subject) => (subject === WRITE ? READ : subject);
export const LOCKS = [MUTEX, REENTRANT, SEMAPHORE, READ];

/** How many workers a run may start. */
export const LIVES = 1 << 17;

/** What a worker is told to do the next time it is inside, in `order`. */
export const LIVE = 0;
export const EXIT = 1;
export const THROW = 2;

/** Counted per slot and subject, in `counts`. */
export const COUNTERS = ['sections', 'abandoned', 'timeouts', 'aborts', 'refused'];
export const SECTIONS = 0;
export const ABANDONED = 1;
export const TIMEOUTS = 2;
export const ABORTS = 3;
export const REFUSED = 4;

/** Why a check failed. The first of each kind is kept with its details. */
export const VIOLATIONS = [
  'two owners inside',
  'owner changed while inside',
  'dead owner not reported by abandoned',
  'more inside than the lock admits',
  'fence did not grow',
  'reader saw an older fence than the last writer',
  'semaphore guard with a fence or abandoned',
  'release() of a held guard returned false',
  'unexpected error',
  'an update was lost',
  'written while read',
  'more permits free than can be',
];

export const words = (Type, count) => new Type(new SharedArrayBuffer(count * Type.BYTES_PER_ELEMENT));

export function createBoard() {
  return {
    /** Per lock: the sum of the shares of all who are inside. */
    inside: words(Int32Array, SUBJECTS.length),
    /** Per lock: the life (each worker started has its own number, from 1) of the exclusive owner inside, 0 when it has left in order. */
    owner: words(Int32Array, SUBJECTS.length),
    /** Per lock: fence of the last exclusive owner. */
    fence: words(BigInt64Array, SUBJECTS.length),
    /** Per slot and lock: what the slot's thread has put into `inside`. */
    share: words(Int32Array, WORKERS * SUBJECTS.length),
    /** Per slot: 1 from before its thread is killed until its shares are taken out. */
    doomed: words(Int32Array, WORKERS),
    /** Odd while the harness takes out shares; changes each time. */
    repairs: words(Int32Array, 1),
    order: words(Int32Array, WORKERS),
    counts: words(Int32Array, WORKERS * SUBJECTS.length * COUNTERS.length),
    /** Per kind: how often; and slot, subject, expected, found of the first. */
    violations: words(Int32Array, VIOLATIONS.length * 5),
    /** Per lock: when somebody last came in or went out. */
    progress: words(Float64Array, SUBJECTS.length),
    /** Per slot and subject: how many of its acquisitions are under way, and when the last one began. */
    waits: words(Int32Array, WORKERS * SUBJECTS.length),
    since: words(Float64Array, WORKERS * SUBJECTS.length),
    /** Per life: when it was killed, 0 before that. */
    killedAt: words(Float64Array, LIVES),
    /** Per slot and subject: the longest time it waited while nobody came in or went out. */
    stall: words(Float64Array, WORKERS * SUBJECTS.length),
    /** Per slot and subject: the longest time from the kill of an owner until this slot, which waited, took over. */
    takeover: words(Float64Array, WORKERS * SUBJECTS.length),
    /** The longest time by which a thread that touches no lock overslept: the machine's share of every stall. */
    noise: words(Float64Array, 1),
    stop: words(Int32Array, 1),
  };
}

/** The same moment is the same number in every thread. */
export const now = () => performance.timeOrigin + performance.now();

export function count(board, slot, subject, counter) {
  board.counts[(slot * SUBJECTS.length + subject) * COUNTERS.length + counter]++;
}

/** May all who are inside be inside together? */
export function fits(subject, inside) {
  switch (subject) {
    case SEMAPHORE:
      return inside <= PERMITS;
    case READ:
      return inside < WRITER;
    case WRITE:
      return inside === WRITER;
    default:
      return inside === 1;
  }
}

export function violate(board, kind, slot, subject, expected = 0, found = 0) {
  const at = VIOLATIONS.indexOf(kind) * 5;
  if (Atomics.add(board.violations, at, 1) === 0) {
    board.violations[at + 1] = slot;
    board.violations[at + 2] = subject;
    board.violations[at + 3] = expected;
    board.violations[at + 4] = found;
  }
}

/** The violations of a board, with the first of each kind. */
export function violationsOf(board) {
  return VIOLATIONS.flatMap((kind, index) => {
    const [times, slot, subject, expected, found] = board.violations.slice(index * 5, index * 5 + 5);
    return times > 0 ? [{ kind, times, first: { slot, subject: SUBJECTS[subject], expected, found } }] : [];
  });
}
