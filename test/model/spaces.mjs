/** Subjects whose threads attach to a space, make and find locks there, and dispose of them. See `subjects.mjs`. */
import { bits, layout } from './space.mjs';
import { described, mutexOf, optionsIfAny, readWriteLockOf, semaphoreOf } from './subjects.mjs';
import { DEAD, ENDED } from './thread.mjs';

/** What a thread can open, and how it is described; the number of permits follows a semaphore's name. */
const kinds = {
  mutex: { kind: layout.KIND_MUTEX, permits: 0, of: mutexOf },
  semaphore: { kind: layout.KIND_SEMAPHORE, permits: 1, of: semaphoreOf },
  'semaphore-of-2': { kind: layout.KIND_SEMAPHORE, permits: 2, of: semaphoreOf },
  'read-write-lock': { kind: layout.KIND_READ_WRITE_LOCK, permits: 0, of: readWriteLockOf },
};

function* openNamed(presence, lockOf, label, kind = 'mutex') {
  const name = label.startsWith('-') ? undefined : label;
  const wanted = { kind: kinds[kind].kind, permits: kinds[kind].permits, name };
  return lockOf(presence, yield* presence.obtain(wanted), kind);
}

function* openNumber(presence, lockOf, number, kind) {
  return lockOf(presence, yield* presence.open(number, [kinds[kind].kind]), kind);
}

/** `floor`: of fences, as in a space that was used for long. */
function prepare(world, index, { floor = 0 }) {
  const load = world.realm(index);
  const { memory, words } = world;
  const threads = load('space/threads.js');
  const presenceOf = (attachment) => {
    const { roots } = world.machine.threads[index];
    threads.attachment = attachment;
    roots.presence ??= new (load('space/presence.js').Presence)(memory);
    threads.attachment = undefined;
    return roots.presence;
  };
  const lockOf = (presence, cell, kind) => {
    const { Opened } = load('primitives/handles.js');
    return kinds[kind].of(load, new Opened(presence, cell));
  };
  const { machine } = world;
  // Whoever is told of the others, is there before them.
  const first =
    index === world.subject.parent && machine.as(machine.threads[index], () => threads.attach(memory));
  const others = machine.threads.filter((one) => one.index !== index);
  words[layout.HEADER_FENCE_FLOOR] = floor;
  words[layout.HEADER_FENCE_FLOOR + 1] = floor / 2 ** 32;
  return {
    room: world.subject.room,
    living: () => others.filter(({ state }) => state !== DEAD && state !== ENDED).length,
    attach: () => first || threads.attach(memory),
    // Made once: V8 makes a map for each generator function that runs, which stays, with all that it knows.
    open: (attachment, label, kind) => openNamed(presenceOf(attachment), lockOf, label, kind),
    openHandle: (attachment, number, kind) => openNumber(presenceOf(attachment), lockOf, number, kind),
    comparison(attachment) {
      const copy = words.slice();
      // Others have it for a space, and have asked oftener.
      copy[layout.HEADER_ECHO] += 100;
      return { presence: presenceOf(attachment), same: memory, copy: { words: copy } };
    },
  };
}

/** Cells that were disposed of, and that nobody has open, are free, unless somebody has to be told of a death. */
function checkGivenBack({ words, geometry }) {
  for (let cell = 0; cell < geometry.locks; cell++) {
    const about = layout.aboutAt(geometry, cell);
    const isDisposed = words[about + layout.ABOUT_KIND] !== 0 && words[about + layout.ABOUT_DISPOSED] !== 0;
    const isKept = (words[layout.cellAt(geometry, cell) + layout.CELL_WORD] & bits.ABANDONED) !== 0;
    const isOpen = Array.from({ length: geometry.threads }, (_, thread) =>
      layout.recordAt(geometry, thread, cell),
    ).some((record) => words[record + layout.RECORD_OPEN] !== 0);
    if (isDisposed && !isKept && !isOpen) throw new Error(`cell ${cell} was not given back`);
  }
}

/** Every entry but the observer's is free again, and every cell. */
function checkAllGivenBack({ words, memory: { geometry } }) {
  const used = words[layout.HEADER_THREADS_USED];
  const taken = Array.from(
    { length: used },
    (_, index) => words[layout.threadAt(index) + layout.THREAD_STATE],
  );
  if (taken.filter((state) => state !== 0).length !== 1)
    throw new Error(`entries were not given back: ${taken.join()}`);
  for (let cell = 0; cell < geometry.locks; cell++)
    if (words[layout.aboutAt(geometry, cell) + layout.ABOUT_KIND] !== 0)
      throw new Error(`cell ${cell} was not given back`);
}

const shared = (options = {}) => ({
  attaches: true,
  ...options,
  prepare: (world, index) => prepare(world, index, options),
  atEnd: checkAllGivenBack,
});

/**
 * @param {[string, boolean, string?][]} users for each thread a name, does it dispose of it, and how it acquires
 * @param {object} options `room`: for how many threads there is room; `abortable`: async ones can be aborted; others
 * of each acquire
 */
export function names(users, rounds = 1, { room, abortable = false, ...options } = {}) {
  if (room !== undefined && (abortable || rounds > 1 || Object.keys(options).length > 0))
    throw new RangeError('those who wait for room do so once, without options');
  const describe = ([name, disposes, how]) =>
    `${name}${how === undefined ? '' : ` ${how}`}${disposes ? ' disposed of' : ''}`;
  const limits = `${room === undefined ? '' : `, room for ${room}`}${described(options)}${abortable ? ' abortable' : ''}`;
  return {
    ...shared({ locks: 2 }),
    // Which entry of the space a thread has depends on when it attaches, and all that it writes on its entry, but for
    // the numbers that say who it is.
    isSymmetric: room === undefined && users.every((user) => describe(user) === describe(users[0])),
    name: `names ${users.map(describe).join(', ')} x ${rounds}${limits}`,
    abortable,
    room,
    threads: users.map(([name, disposes, how = 'sync']) => [
      (code, api) =>
        room === undefined
          ? code.useName(api, name, { how, disposes, rounds }, optionsIfAny(options, how, api))
          : code.useNameInTurn(api, name, disposes),
    ]),
    /** Nothing is lost: whoever comes later finds every name, and can dispose of it. */
    *conclude(world, load, attachment) {
      const { memory } = world;
      checkGivenBack(memory);
      load('space/threads.js').attachment = attachment;
      const presence = new (load('space/presence.js').Presence)(memory);
      for (const name of new Set(users.map(([one]) => one))) {
        const cell = yield* presence.obtain({ kind: layout.KIND_MUTEX, permits: 0, name });
        const lock = mutexOf(load, new (load('primitives/handles.js').Opened)(presence, cell));
        const guard = yield* lock.tryAcquireSync();
        if (guard === null) throw new Error(`'${name}' is still held`);
        yield* guard.release();
        yield* lock.dispose();
      }
    },
  };
}

/** Threads that tell the memory of the space from a copy. */
export function comparisons(threads, rounds = 1) {
  return {
    ...shared(),
    hasSections: false,
    name: `names and copies of the space, ${threads} threads x ${rounds}`,
    threads: Array.from({ length: threads }, () => [(code, api) => code.compareMemory(api, rounds)]),
  };
}

/**
 * Threads that each follow a plan, and dispose of all that they open. Its steps are words and labels:
 *
 * | step | says |
 * |---|---|
 * | `open a`, `open a semaphore` | makes or finds it by name; `a*` is one object more, `-x` has no name |
 * | `refuse a semaphore` | the name is that of another kind |
 * | `full b` | there is no room |
 * | `post -x`, `receive -x`, `stale -x` | passes its handle on; opens it; it stands for nothing any more |
 * | `race -x` | opens and disposes of what a handle stands for, if it still does |
 * | `take a`, `inherit a`, `free a` | acquires it, is told of a death; releases it |
 * | `ask a`, `get a` | acquires it in the event loop, and waits for it |
 * | `wait a` | tries for a millisecond, in vain |
 * | `dispose a`, `busy a` | and may not, since it is held or waited for |
 * | `collect a`, `sweep a` | the lock object is collected; so is what was kept of it. `forget a`: both at once |
 * | `bury`, `lose a` | looks after the dead; nobody has to be told who died inside |
 * | `die`, `meet before`, `meet after` | dies here; before or after its next store. The bell rings then |
 * | `ring`, `until 2` | at the bell |
 */
export function play(what, plans, options = { locks: 1 }) {
  return {
    ...shared(options),
    name: `names: ${what}`,
    isArranged: true,
    threads: plans.map((steps) => [(code, api) => code.follow(api, steps.split(', '))]),
  };
}
