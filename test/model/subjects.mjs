/**
 * What is explored: programs of several threads that use one lock, or a part of it.
 *
 * A subject has a `name`; `threads`, for each thread the programs it runs, as functions of the code of
 * `programs.mjs` and its `api`; `kinds` of the locks it opens, and how (`open`), or how a thread is prepared without
 * (`prepare`); and what must hold in the end (`atEnd`).
 */
import { DEAD, atomic } from './thread.mjs';
import { bits, layout } from './space.mjs';

const { ABANDONED, OWNER, QUEUED } = bits;

export const mutexOf = (load, opened) => new (load('primitives/mutex.js').Mutex)(opened);
export const semaphoreOf = (load, opened) => new (load('primitives/semaphore.js').Semaphore)(opened);
export const readWriteLockOf = (load, opened) =>
  new (load('primitives/read-write-lock.js').ReadWriteLock)(opened);

/** A thread whose `how` joins several by ` + ` runs as many programs in its event loop. */
const each = (how, program) => how.split(' + ').map((one, task) => program(one, task));

export const described = (options) =>
  Object.keys(options).length === 0 ? '' : ` ${JSON.stringify(options)}`;

function checkMutex(world, cell, inside) {
  const word = world.wordOf(cell);
  if ((word & OWNER) !== 0) throw new Error(`somebody still owns it: ${describeWord(word)}`);
  if ((word & QUEUED) !== 0) throw new Error(`somebody still queues: ${describeWord(word)}`);
  if (inside !== 0 && (word & ABANDONED) === 0) throw new Error('nobody will be told who died inside');
}

export function describeWord(word) {
  const flags = [
    [QUEUED, 'QUEUED'],
    [bits.STARVING, 'STARVING'],
    [bits.WAKE, 'WAKE'],
    [ABANDONED, 'ABANDONED'],
  ].filter(([bit]) => (word & bit) !== 0);
  return [word & OWNER, ...flags.map(([, name]) => name)].join(' + ');
}

/** Those who try, or wait for less than a slice, ask at once whether the holders live: see `attemptLast`. */
const looksAtOnce = (hows, { timeout }) => timeout !== undefined || hows.some((how) => how.includes('try'));

/** Options of an acquire, with the thread's signal where it can have one. */
const optionsFor = (options, how, { signal }) =>
  signal !== undefined && how.endsWith('async') ? { ...options, signal } : options;

/** None at all if there are none: the fast path is only for those who give none. */
export function optionsIfAny(options, how, api) {
  const given = optionsFor(options, how, api);
  return Object.keys(given).length === 0 ? undefined : given;
}

/**
 * @param {string[]} hows for each thread `sync`, `async`, `try` or `try async`, or several, joined by ` + `
 * @param {number} rounds
 * @param {object} options of each acquire; `abortable`: async ones can be aborted
 */
export function mutex(hows, rounds = 1, { abortable = false, ...options } = {}) {
  return {
    name: `mutex ${hows.join(', ')} x ${rounds}${described(options)}${abortable ? ' abortable' : ''}`,
    kinds: [layout.KIND_MUTEX],
    open: mutexOf,
    abortable,
    threads: hows.map((how) =>
      each(how, (one) => (code, api) => code.useMutex(api, one, rounds, optionsFor(options, one, api))),
    ),
    atEnd: (world) => checkMutex(world, 0, world.claims.inside),
  };
}

/** As the subject, but some threads sleep in their critical sections, for so many milliseconds each. */
export const slow = (subject, naps) => ({
  ...subject,
  name: `${subject.name}, naps of ${naps.join(', ')} ms`,
  naps,
  isSymmetric: false,
  opened: undefined,
});

/** As the subject, but to take a latch is one operation. That the latch does that is shown for the latch by itself. */
export function wholeLatch(subject) {
  return { ...subject, name: `${subject.name}, latch whole`, isLatchWhole: true, opened: undefined };
}

/**
 * As the subject, and one thread more is told when another one has died, as a parent is; where the system does not tell
 * who lives, nobody else is.
 */
export const watched = (subject, isTold = true) => ({
  ...subject,
  name: `${subject.name}, ${isTold ? 'watched' : 'untold'}`,
  isTold,
  parent: subject.threads.length,
  immortal: subject.threads.length,
  threads: [...subject.threads, [(code, api) => code.buryEnded(api)]],
  isSymmetric: false,
  opened: undefined,
});

export const untold = (subject) => watched(subject, false);

/** As the subject, but its lock was acquired so often before. */
export const fenced = (subject, fence) => ({
  ...subject,
  name: `${subject.name}, fences from ${fence}`,
  fence,
  opened: undefined,
});

/** In a space for many threads, where those of the subject are not next to one another. */
export const scattered = (subject, first, step, room) => ({
  ...subject,
  name: `${subject.name}, threads from ${first} by ${step} of ${room}`,
  entries: { first, step },
  room,
  // An execution takes longer, and differs from others only where threads are counted.
  share: 0.25,
  opened: undefined,
});

export function reentrantMutex(hows, rounds = 1, { abortable = false, ...options } = {}) {
  return {
    name: `reentrant mutex ${hows.join(', ')} x ${rounds}${described(options)}${abortable ? ' abortable' : ''}`,
    kinds: [layout.KIND_REENTRANT_MUTEX],
    open: mutexOf,
    abortable,
    threads: hows.map((how) =>
      each(
        how,
        (one) => (code, api) => code.useReentrantMutex(api, one, rounds, optionsIfAny(options, one, api)),
      ),
    ),
    atEnd: (world) => checkMutex(world, 0, world.claims.inside),
  };
}

export function semaphore(hows, weights, permits, rounds = 1, { abortable = false, ...options } = {}) {
  const weighted = hows.map((how, index) => `${how} ${weights[index]}`).join(', ');
  return {
    name: `semaphore of ${permits}, ${weighted} x ${rounds}${described(options)}${abortable ? ' abortable' : ''}`,
    kinds: [layout.KIND_SEMAPHORE],
    permits,
    open: semaphoreOf,
    abortable,
    ordered: hows.every((how) => how === 'sync') && Object.keys(options).length === 0,
    looks: looksAtOnce(hows, options),
    threads: hows.map((how, index) =>
      each(how, (one) => (code, api) => {
        const given = { ...options, weight: weights[index] };
        return code.useSemaphore(api, one, rounds, optionsFor(given, one, api));
      }),
    ),
    atEnd(world) {
      const word = world.wordOf(0);
      if (word !== permits) throw new Error(`${word} of ${permits} permits are back`);
    },
  };
}

/** Each thread's role, as `useReadWriteLock` knows them, and how. */
export function readWriteLock(roles, rounds = 1, { abortable = false, ...options } = {}) {
  const program = (role) => (code, api) => {
    const [what, how = 'sync'] = role.split(/ (.*)/);
    return code.useReadWriteLock(api, what, how, rounds, optionsFor(options, how, api));
  };
  return {
    name: `read-write lock ${roles.join(', ')} x ${rounds}${described(options)}${abortable ? ' abortable' : ''}`,
    kinds: [layout.KIND_READ_WRITE_LOCK],
    open: readWriteLockOf,
    abortable,
    needsEveryone: roles.some((role) => /share|join/.test(role)),
    looks: looksAtOnce(roles, options),
    threads: roles.map((role) => each(role, program)),
    atEnd(world) {
      const word = world.wordOf(0);
      if ((word & ~ABANDONED) !== 0) throw new Error(`it is still held or queued for: ${word}`);
      if (world.claims.inside !== 0 && (word & ABANDONED) === 0)
        throw new Error('nobody will be told who died inside');
    },
  };
}

const like = { mutex: (hows) => mutex(hows), semaphore: (hows) => semaphore(hows, [1, 2, 1], 2) };

/**
 * Each thread's role, as `useOnFullStack` knows them, and how; of a semaphore with two permits, of which each takes one more
 * than its index.
 */
export function onFullStack(roles, hows, rounds = 1, { abortable = false, ...options } = {}) {
  const [first] = roles[0].split(' ');
  const kind = like[first] === undefined ? 'read-write lock' : first;
  const subject = like[kind]?.(hows) ?? readWriteLock(hows.map(() => 'read'));
  const uses = roles.map((role, index) => `${role} ${hows[index]}`).join(', ');
  return {
    ...subject,
    name: `${kind} on full stacks, ${uses} x ${rounds}${described(options)}${abortable ? ' abortable' : ''}`,
    abortable,
    ordered: false,
    // Of a hold that was given back at once, nobody has seen the fence.
    isFenced: false,
    // A wake that could not be given is made good by the next look.
    patience: 100,
    looks: true,
    threads: roles.map((role, index) =>
      each(hows[index], (how) => (code, api) => {
        const given = kind === 'semaphore' ? { ...options, weight: (index % 2) + 1 } : options;
        return code.useOnFullStack(api, role, how, rounds, optionsFor(given, how, api));
      }),
    ),
  };
}

/** As the subject, while one thread more counts anew what is held, as after a death: it naps while others are in doubt. */
export const recounted = (subject, times = 1) => ({
  ...subject,
  patience: 3,
  name: `${subject.name}, and a recount${times === 1 ? '' : ` x ${times}`}`,
  threads: [...subject.threads, [(code, api) => code.recount(api, times)]],
  ordered: false,
  opened: undefined,
});

/** As the subject, but others hold so much that there is room for one reader; `flags` of the word as well. */
export function crowded(subject, flags = 0) {
  const word = (bits.WRITE_WEIGHT - 1) | flags;
  return {
    ...subject,
    name: `${subject.name}, one place left${flags === 0 ? '' : `, ${describeWord(flags)}`}`,
    word,
    places: 1,
    // A reader who waits finds by its next look that there is room: releasing readers wake writers only.
    patience: 45,
    opened: undefined,
    atEnd(world) {
      if (world.wordOf(0) !== word) throw new Error(`the word has become ${describeWord(world.wordOf(0))}`);
    },
  };
}

/** Roles in `twoMutexes` and `twoSemaphores`: which locks a thread takes, the outer one first. */
const roles = {
  first: (code, api, how) => code.useOneOfTwo(api, how, false),
  second: (code, api, how) => code.useOneOfTwo(api, how, true),
  both: (code, api, how) => code.useBoth(api, how, false),
  inverse: (code, api, how) => code.useBoth(api, how, true),
  aside: (code, api) => code.useSecondAside(api),
};

function twoLocks(parts) {
  const program = (part) => (code, api) => {
    const [role, how = 'sync'] = part.split(/ (.*)/);
    return roles[role](code, api, how);
  };
  return { locks: 2, threads: parts.map((part) => each(part, program)) };
}

/** @param {string[]} parts for each thread its role and how, or several, joined by ` + ` */
export function twoMutexes(parts) {
  return {
    ...twoLocks(parts),
    name: `two mutexes ${parts.join(', ')}`,
    kinds: [layout.KIND_MUTEX, layout.KIND_MUTEX],
    open: mutexOf,
    atEnd(world) {
      checkMutex(world, 0, world.claims.inside);
      checkMutex(world, 1, world.claims.insideSecond);
    },
  };
}

/** As `twoMutexes`, with semaphores of one permit: nobody barges. */
export function twoSemaphores(parts) {
  return {
    ...twoLocks(parts),
    name: `two semaphores ${parts.join(', ')}`,
    kinds: [layout.KIND_SEMAPHORE, layout.KIND_SEMAPHORE],
    permits: 1,
    isFenced: false,
    open: semaphoreOf,
    atEnd(world) {
      const words = [world.wordOf(0), world.wordOf(1)];
      if (words.some((word) => word !== 1)) throw new Error(`${words.join(' and ')} of 1 permit are back`);
    },
  };
}

function* isDead(stamp) {
  return !(yield atomic('look', undefined, stamp));
}

/** The latch by itself; `threads` of them, with their number as stamp. */
export function latch(threads, rounds = 1) {
  const stampOf = (index) => index + 1;
  return {
    name: `latch, ${threads} threads x ${rounds}`,
    threads: Array.from({ length: threads }, () => [(code, api) => code.useLatch(api, rounds)]),
    prepare(world, index) {
      const { acquireLatch, releaseLatch } = world.realm(index)('space/latch.js');
      const { words } = world;
      return {
        latch: {
          acquire: () => acquireLatch(words, layout.HEADER_LATCH, stampOf(index), isDead),
          release: () => releaseLatch(words, layout.HEADER_LATCH),
        },
      };
    },
    atEnd({ words, machine }) {
      const held = words[layout.HEADER_LATCH] & ~(1 << 31);
      if (held === 0) return;
      if (machine.threads[held - 1].state !== DEAD) throw new Error(`thread ${held - 1} still has the latch`);
    },
  };
}

/** A latch whose users cannot tell who is dead; one thread more looks after it until they have all rung its bell. */
export function watchedLatch(threads, rounds = 1) {
  const users = latch(threads, rounds);
  return {
    ...users,
    name: `latch, ${threads} threads x ${rounds}, watched`,
    immortal: threads,
    threads: [...users.threads, [(code, api) => code.watchLatch(api)]],
    prepare(world, index) {
      const { acquireLatch, breakLatch, releaseLatch } = world.realm(index)('space/latch.js');
      const { words, machine } = world;
      const at = layout.HEADER_LATCH;
      const others = machine.threads.slice(0, threads);
      const isDead = ({ state }) => state === DEAD;
      return {
        latch: {
          acquire: () => acquireLatch(words, at, index + 1, () => false),
          release: () => releaseLatch(words, at),
        },
        dead: () => others.filter(isDead).map((one) => one.index),
        isOver: () => world.claims.haveAllLeft(others.map((one) => one.index)),
        breakLatch: (one) => breakLatch(words, at, one + 1),
      };
    },
  };
}
