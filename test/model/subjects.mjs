/**
 * What is explored: small programs of several threads that use one lock, with the claims that must hold in every
 * execution. A claim that fails throws.
 */
import { DEAD, ENDED, Machine, atomic, awaited } from './machine.mjs';
import { loadRealm } from './realm.mjs';

const realms = { true: [], false: [] };
const realm = (index, edges = false) => (realms[edges][index] ??= loadRealm(index, edges));
export const layout = realm(0)('space/layout.js');
const { ABANDONED, MAX_PERMITS, OWNER, QUEUED, RECOVER } = realm(0)('space/words.js');

const THREADS = 6;
const memoryOf = realm(0)('space/memory.js');
const blank = memoryOf.createMemory(1, THREADS);
export const { geometry } = blank;
const snapshot = blank.words.slice();

/** Statistics decide nothing, and would tell apart states that are the same. */
const statsFrom = layout.statsAt(geometry, 0);
const isIgnored = Array.from({ length: geometry.words }, (_, at) => {
  if (at >= statsFrom && at < statsFrom + layout.STATS_WORDS) return true;
  const inRecord = (at - geometry.recordsAt) % layout.RECORD_WORDS;
  return at >= geometry.recordsAt && inRecord === layout.RECORD_CONTENDED;
});
const ignored = (at) => isIgnored[at];

/** One execution of a subject. */
export class World {
  /** @param {boolean} edges may threads also die between operations? */
  constructor(subject, edges) {
    this.edges = edges;
    this.subject = subject;
    this.machine = new Machine(subject.threads.length + 1, ignored);
    this.memory = blank;
    blank.words.set(snapshot);
    this.locks = [];
    this.inside = new Set();
    this.abandoned = 0;
    this.sections = 0;
    this.#open();
    subject.threads.forEach((program, index) => {
      const thread = this.machine.threads[index];
      const api = { lock: this.locks[index], world: this, index };
      thread.start(() => program(api));
    });
  }

  #open() {
    const { machine, memory, subject } = this;
    const { kind, permits = 0, open } = subject;
    let number;
    for (let index = 0; index < machine.threads.length; index++) {
      const load = realm(index, this.edges);
      const { Presence } = load('space/presence.js');
      const { Opened } = load('primitives/handles.js');
      const { cellNumber } = load('space/cells.js');
      const make = function* () {
        const presence = new Presence(memory);
        const cell =
          number === undefined
            ? yield* presence.obtain({ kind, permits, name: undefined })
            : yield* presence.open(number, [kind]);
        number ??= cellNumber(memory, cell.index);
        return { presence, lock: open(load, new Opened(presence, cell)) };
      };
      const { presence, lock } = machine.as(index, make);
      if (index === subject.threads.length) {
        this.observer = { presence, lock };
        machine.threads[index].state = ENDED;
      } else this.locks.push(lock);
    }
  }

  /** The critical section of an exclusive owner: nobody living may be inside, and the dead must be told of. */
  *exclusive(index, guard) {
    const { threads } = this.machine;
    this.sections++;
    for (const other of this.inside) {
      if (threads[other].state !== DEAD)
        throw new Error(`thread ${other} and thread ${index} are both inside`);
      if (!guard.abandoned) throw new Error(`thread ${index} was not told that thread ${other} died inside`);
      this.abandoned++;
    }
    this.inside.clear();
    this.inside.add(index);
    yield* this.pause();
    this.inside.delete(index);
  }

  /**
   * Those who asked for permits before this thread and still wait fit in with it: it took none of theirs. Only for
   * blocking requests: an async one may be passed over.
   */
  inOrder(index) {
    const { words } = this.memory;
    const record = (thread) => layout.recordAt(geometry, thread, 0);
    const word = words[layout.cellAt(geometry, 0) + layout.CELL_WORD];
    if ((word & RECOVER) === RECOVER) return;
    let room = word & MAX_PERMITS;
    const ticket = words[record(index) + layout.RECORD_TICKET];
    for (const { index: other } of this.machine.threads) {
      const waits = words[record(other) + layout.RECORD_WAIT] !== 0;
      if (other === index || !waits || words[record(other) + layout.RECORD_TICKET] - ticket >= 0) continue;
      room -= words[record(other) + layout.RECORD_WEIGHT];
      if (room < 0) throw new Error(`thread ${index} has passed thread ${other}, which asked before it`);
    }
  }

  /** A step that touches nothing. */
  *pause() {
    yield atomic('load', scratch, 0);
  }

  /** After everybody has ended and the dead are buried: nothing is held, and nobody queues. */
  finish() {
    const { machine, subject, observer } = this;
    machine.as(subject.threads.length, () => observer.presence.attachment.reapDead());
    const word = blank.words[layout.cellAt(geometry, 0) + layout.CELL_WORD];
    subject.atEnd(word, this);
  }

  fingerprint(extra) {
    return this.machine.fingerprint(blank.words, extra);
  }
}
const scratch = new Int32Array(1);

const mutexOf = (load, opened) => new (load('primitives/mutex.js').Mutex)(opened);
const semaphoreOf = (load, opened) => new (load('primitives/semaphore.js').Semaphore)(opened);

function mutexAtEnd(word, { inside }) {
  if ((word & OWNER) !== 0) throw new Error(`somebody still owns it: ${describeWord(word)}`);
  if ((word & QUEUED) !== 0) throw new Error(`somebody still queues: ${describeWord(word)}`);
  if (inside.size > 0 && (word & ABANDONED) === 0) throw new Error('nobody will be told who died inside');
}

function describeWord(word) {
  const flags = [
    [QUEUED, 'QUEUED'],
    [1 << 26, 'STARVING'],
    [1 << 25, 'WAKE'],
    [ABANDONED, 'ABANDONED'],
  ].filter(([bit]) => (word & bit) !== 0);
  return [word & OWNER, ...flags.map(([, name]) => name)].join(' + ');
}

/** How one thread takes the lock: a generator that returns the guard, or null. */
const ways = {
  *sync({ lock }, options) {
    return yield* lock.acquireSync(options);
  },
  *async({ lock }, options) {
    return yield awaited(yield* lock.acquire(options));
  },
  *try({ lock }, options) {
    return yield* lock.tryAcquireSync(options);
  },
};

const isTimeout = (error) => error.code === 'ERR_LOCK_TIMEOUT';

function mutexUser(how, rounds, options) {
  return function* (api) {
    for (let round = 0; round < rounds; round++) {
      let guard = null;
      try {
        guard = yield* ways[how](api, options);
      } catch (error) {
        if (!isTimeout(error)) throw error;
      }
      if (guard === null) continue;
      yield* api.world.exclusive(api.index, guard);
      if (!(yield* guard.release())) throw new Error('release() of a held guard returned false');
    }
  };
}

export function mutex(hows, rounds = 1, options) {
  return {
    name: `mutex ${hows.join(', ')} x ${rounds}${options ? ` ${JSON.stringify(options)}` : ''}`,
    kind: layout.KIND_MUTEX,
    open: mutexOf,
    threads: hows.map((how) => mutexUser(how, rounds, options)),
    atEnd: mutexAtEnd,
  };
}

function semaphoreUser(how, rounds, weight, permits, ordered) {
  return function* (api) {
    const { world, index } = api;
    for (let round = 0; round < rounds; round++) {
      const guard = yield* ways[how](api, { weight });
      if (guard === null) continue;
      if (ordered) world.inOrder(index);
      world.taken ??= new Map();
      world.taken.set(index, weight);
      let sum = 0;
      for (const [other, held] of world.taken) if (world.machine.threads[other].state !== DEAD) sum += held;
      if (sum > permits) throw new Error(`${sum} of ${permits} permits are held`);
      world.sections++;
      yield* world.pause();
      world.taken.delete(index);
      if (!(yield* guard.release())) throw new Error('release() of a held guard returned false');
    }
  };
}

export function semaphore(hows, weights, permits, rounds = 1) {
  const ordered = hows.every((how) => how === 'sync');
  return {
    name: `semaphore of ${permits}, ${hows.map((how, index) => `${how} ${weights[index]}`).join(', ')} x ${rounds}`,
    kind: layout.KIND_SEMAPHORE,
    permits,
    open: semaphoreOf,
    threads: hows.map((how, index) => semaphoreUser(how, rounds, weights[index], permits, ordered)),
    atEnd(word) {
      if (word !== permits) throw new Error(`${word} of ${permits} permits are back`);
    },
  };
}

/** A read-write lock: each thread reads or writes, blocking or async; `downgrade` writes and goes on as a reader. */
export function readWriteLock(roles, rounds = 1) {
  return {
    name: `read-write lock ${roles.join(', ')} x ${rounds}`,
    kind: layout.KIND_READ_WRITE_LOCK,
    open: (load, opened) => new (load('primitives/read-write-lock.js').ReadWriteLock)(opened),
    threads: roles.map((role) => readWriteUser(role, rounds)),
    atEnd(word) {
      if ((word & ~ABANDONED) !== 0) throw new Error(`it is still held or queued for: ${word}`);
    },
  };
}

function readWriteUser(role, rounds) {
  const [what, how = 'sync'] = role.split(' ');
  return function* (api) {
    const { world, index, lock } = api;
    const living = (set) => [...set].filter((other) => world.machine.threads[other].state !== DEAD);
    world.readers ??= new Set();
    for (let round = 0; round < rounds; round++) {
      const side = what === 'read' ? lock.reader : lock.writer;
      let guard = yield* ways[how]({ lock: side });
      if (what !== 'read') {
        if (living(world.readers).length > 0) throw new Error(`thread ${index} writes while others read`);
        yield* world.exclusive(index, guard);
        if (what === 'downgrade') guard = yield* guard.downgrade();
      }
      if (what !== 'write') {
        world.readers.add(index);
        if (living(world.inside).length > 0) throw new Error(`thread ${index} reads while another writes`);
        world.sections++;
        yield* world.pause();
        world.readers.delete(index);
      }
      if (!(yield* guard.release())) throw new Error('release() of a held guard returned false');
    }
  };
}
