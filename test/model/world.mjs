/** One execution of a subject: its memory, its threads with their locks, and what must hold in the end. */
import { Claims } from './claims.mjs';
import { LatchRule, guardsIn } from './latches.mjs';
import { Machine, runAtOnce } from './machine.mjs';
import { ModelSignal } from './promise.mjs';
import { modeOf, realmOf } from './realm.mjs';
import { bits, layout } from './space.mjs';
import { fingerprint } from './states.mjs';
import { startOf, tidOf } from './system.mjs';
import { DEAD, ENDED } from './thread.mjs';

/** Memory of spaces by their size: one execution at a time uses it. */
const memories = new Map();
function memoryFor(locks, threads) {
  const size = `${locks} ${threads}`;
  if (!memories.has(size)) {
    const { createMemory } = realmOf(0, modeOf())('space/memory.js');
    const memory = createMemory(locks, threads);
    const blank = memory.words.slice();
    memories.set(size, {
      memory,
      blank,
      counted: countedIn(memory),
      constants: constantsOf(memory),
      rule: new LatchRule(memory, guardsIn(memory)),
      // Where threads find their locks open, what has opened them did so without a latch.
      ruleOfOpen: new LatchRule(memory, new Uint8Array(memory.words.length)),
    });
  }
  return memories.get(size);
}

/** Statistics and names decide nothing, and statistics would tell apart states that are the same. */
function countedIn({ geometry, words }) {
  const { statsAt, recordsAt } = geometry;
  const isCounted = (at) => {
    if (at >= statsAt && at < recordsAt) return false;
    return at < recordsAt || (at - recordsAt) % layout.RECORD_WORDS !== layout.RECORD_CONTENDED;
  };
  return Array.from(words.keys()).filter(isCounted);
}

/** Words that nobody writes while locks are used: only attaching, making and disposing do. */
function constantsOf({ geometry, words }) {
  const { HEADER_WORDS, THREAD_WORDS } = layout;
  const names = ['INCARNATION', 'TID', 'START', 'NODE_ID', 'PID'];
  const ofThread = new Set(names.map((name) => layout[`THREAD_${name}`]));
  const isConstant = (at) => {
    if (at < HEADER_WORDS) return at !== layout.HEADER_LATCH && at !== layout.HEADER_ECHO;
    if (at < geometry.cellsAt) return ofThread.has((at - HEADER_WORDS) % THREAD_WORDS);
    return at >= geometry.aboutAt && at < geometry.statsAt;
  };
  const has = words.map((_, at) => (isConstant(at) ? 1 : 0));
  return { has, list: [...has.keys()].filter((at) => has[at] === 1) };
}

/** Wakes of a thread that was about to sleep; no program has more requests that can come so far. */
const MOST_WAKES = 3;

/** The next tickets are those before 2^31, and then the smallest. */
export function letTicketsWrap({ words, geometry }) {
  for (let cell = 0; cell < geometry.locks; cell++)
    words[layout.cellAt(geometry, cell) + layout.CELL_TICKET] = 2 ** 31 - 3;
}

const SITUATIONS = ['situations.js', 'attaching.js', 'counting.js'];
const modulesFor = ({ isArranged, attaches }) => [
  'programs.js',
  ...(attaches ? ['openings.js'] : []),
  ...(isArranged ? SITUATIONS : []),
];

/** By realm: the programs of a subject, joined once and not for each execution. */
const joined = new WeakMap();
function programsFor(subject, load) {
  const key = (subject.isArranged ? 1 : 0) + (subject.attaches ? 2 : 0);
  if (!joined.has(load)) joined.set(load, []);
  return (joined.get(load)[key] ??= Object.assign({}, ...modulesFor(subject).map(load)));
}

/** What the programs use to pause and to meet. */
const scratch = new Int32Array(new SharedArrayBuffer(8));

export class World {
  /**
   * @param {object} subject see `subjects.mjs`
   * @param {import('./realm.mjs').Mode} mode how finely the code is cut
   */
  constructor(subject, mode) {
    this.subject = subject;
    this.mode = mode;
    this.machine = new Machine(subject.threads.length);
    this.machine.armsOnce = true;
    const { memory, blank, counted, constants, rule, ruleOfOpen } = memoryFor(
      subject.locks ?? 1,
      subject.room ?? subject.threads.length + 1,
    );
    this.memory = memory;
    this.words = memory.words;
    this.machine.rule = subject.attaches ? rule : ruleOfOpen;
    this.machine.rule.reset();
    this.blank = blank;
    this.counted = counted;
    this.constants = constants;
    this.claims = new Claims(
      this.machine,
      subject,
      subject.ordered ? (index) => this.#inOrder(index) : undefined,
    );
    // V8 takes a function that is assigned to a property where it is made for one that stays, with all that it knows.
    const lose = (index) => this.claims.lose(index, this.#ownedBy(index));
    this.machine.onDeath = lose;
    if (subject.now !== undefined) this.machine.now = subject.now;
    scratch.fill(0);
    this.#open();
    subject.threads.forEach((programs, index) => this.#start(programs, index));
    this.known = [memory, memory.geometry, scratch, this.machine];
    this.scratch = scratch;
  }

  get sections() {
    return this.claims.sections;
  }

  get abandoned() {
    return [...this.claims.told.values()].reduce((sum, told) => sum + told, 0);
  }

  /** The entry of a thread in the space. */
  entryOf(index) {
    const { entries: { first, step } = { first: 0, step: 1 } } = this.subject;
    return first + index * step;
  }

  realm(index) {
    return realmOf(index, this.mode);
  }

  #start(programs, index) {
    const thread = this.machine.threads[index];
    const { subject, claims, words } = this;
    const load = this.realm(index);
    const nap = subject.naps?.[index] ?? 0;
    const deep = (isDeep) => (thread.isDeep = isDeep);
    const api = { index, claims, scratch, nap, words, bell: layout.HEADER_ECHO, deep };
    Object.assign(api, this.opened[index]);
    if (subject.isArranged) Object.assign(api, this.#director(thread));
    if (subject.parent === index) Object.assign(api, this.#toldOf(index));
    if (subject.abortable) api.signal = thread.signal = new ModelSignal();
    const code = programsFor(subject, load);
    thread.roots = { lock: api.lock, second: api.second };
    thread.start(programs.map((program) => () => program(code, api)));
  }

  /**
   * Is its next step the same before as after whatever the others do? A read of what nobody else writes; something that is
   * under a latch that it has; or a note of what it holds, as long as no time can have passed and nobody has died: only then
   * do others look at it.
   */
  isLocal(thread, { clock, busy }) {
    const { next, wokenBy, index } = thread;
    const { kind, at } = next;
    if (kind === 'start' || kind === 'turn') return true;
    if (wokenBy !== undefined || next.words !== this.words) return false;
    if (this.machine.rule.isGuarded(thread, next)) return true;
    if (this.subject.open === undefined) return false;
    if (kind === 'plain store')
      return clock + busy === 0 && this.isUnwatched && this.#isOwnHold(at, index) && this.machine.isTimeless;
    if (kind !== 'load' && kind !== 'plain read') return false;
    return this.constants.has[at] === 1 || this.#isOwnHold(at, index);
  }

  /** How many locks that thread has, alone. */
  #ownedBy(index) {
    const { words, memory } = this;
    const { geometry } = memory;
    let owned = 0;
    for (let cell = 0; cell < geometry.locks; cell++) {
      const word = this.wordOf(cell);
      const kind = words[layout.aboutAt(geometry, cell) + layout.ABOUT_KIND];
      const isShared = kind === layout.KIND_READ_WRITE_LOCK && (word & bits.WRITER) === 0;
      const id = kind === layout.KIND_SEMAPHORE || isShared ? 0 : word & bits.OWNER;
      if (id === 0) continue;
      const entry = layout.threadAt(layout.indexOf(id));
      if (words[entry + layout.THREAD_STATE] === id && words[entry + layout.THREAD_NODE_ID] === index)
        owned++;
    }
    return owned;
  }

  /** Does nobody recount what is held, or ask who holds it, but after a death or when time has passed? */
  get isUnwatched() {
    const { patience, looks = false } = this.subject;
    return patience === undefined && !looks;
  }

  #isOwnHold(at, index) {
    const { recordsAt, locks } = this.memory.geometry;
    const own = at - recordsAt - this.entryOf(index) * locks * layout.RECORD_WORDS;
    return own >= 0 && own < locks * layout.RECORD_WORDS && own % layout.RECORD_WORDS === layout.RECORD_HOLD;
  }

  /** Whoever is given a free entry next, holds nothing and waits for nothing. */
  #checkBuried() {
    const { words, memory } = this;
    const { geometry } = memory;
    for (let entry = 0; entry < geometry.threads; entry++) {
      const { THREAD_STATE, THREAD_BLOCKED } = layout;
      if (words[layout.threadAt(entry) + THREAD_STATE] !== 0) continue;
      if (words[layout.threadAt(entry) + THREAD_BLOCKED] !== 0) throw new Error(`entry ${entry} is blocked`);
      for (let cell = 0; cell < geometry.locks; cell++) {
        const record = layout.recordAt(geometry, entry, cell);
        for (const at of [layout.RECORD_HOLD, layout.RECORD_WAIT, layout.RECORD_OPEN])
          if (words[record + at] !== 0) throw new Error(`entry ${entry} is free, and its records are not`);
      }
    }
  }

  #checkConstants() {
    const { constants, subject, words } = this;
    for (const at of constants.list)
      if (words[at] !== subject.opened[at])
        throw new Error(`word ${at} has changed, and is taken for a constant`);
  }

  /** Does a thread sleep of its own accord? */
  get isNapping() {
    return this.machine.waiters.some(({ words }) => words === scratch);
  }

  /** What situations look at, and bring about. */
  #director(thread) {
    const { machine, words } = this;
    const toll = () => {
      words[layout.HEADER_ECHO]++;
      machine.perform({ kind: 'notify', words, at: layout.HEADER_ECHO });
    };
    return {
      clock: () => machine.now,
      waits: (one) => this.#waits(one),
      wakes: (one) => ({ unparks: words[this.#parkOf(one)], sleeps: this.#sleepsOf(one) }),
      isStarving: () => (this.wordOf(0) & bits.STARVING) !== 0,
      abort: (one) => machine.abort(one),
      beSlow: (time) => (thread.slowness = time),
      meet: (kind, what, skips = 0, at = undefined, one = thread.index) =>
        (machine.threads[one].fate = { kind, what, toll, skips, at }),
      wordAt: layout.cellAt(this.memory.geometry, 0) + layout.CELL_WORD,
      firstAt: layout.cellAt(this.memory.geometry, 0) + layout.CELL_FIRST,
      latchAt: layout.cellAt(this.memory.geometry, 0) + layout.CELL_LATCH,
      stateAt: (one) => layout.threadAt(this.entryOf(one)) + layout.THREAD_STATE,
      wake: (one) => machine.wakeSpuriously(one),
      die: () => machine.kill(thread.index),
      elapse: (time) => machine.moveClock(time),
    };
  }

  /** What the parent of all threads is told. */
  #toldOf(parent) {
    const { machine, memory } = this;
    const others = machine.threads.filter(({ index }) => index !== parent);
    const those = (...states) =>
      others.filter(({ state }) => states.includes(state)).map(({ index }) => index);
    const { breakSpaceLatch } = this.realm(parent)('space/threads.js');
    return {
      memory,
      breakSpaceLatch,
      dead: () => those(DEAD),
      ended: () => those(ENDED),
      isOver: () => those(DEAD, ENDED).length === others.length,
    };
  }

  /** Gives every thread its locks, without an operation but for the first time. */
  #open() {
    const { subject, words } = this;
    words.set(subject.opened ?? this.blank);
    const { observer, threads } = this.machine;
    if (subject.open === undefined) {
      this.opened = threads.map((_, index) => subject.prepare(this, index));
      return;
    }
    const everyone = [...threads.keys()].map((index) => this.machine.threads[index]);
    if (subject.opened === undefined) {
      this.#takeOtherEntries();
      // The first one makes them, the others find them.
      for (const thread of [...everyone, observer]) this.#openFirst(thread);
      letTicketsWrap(this.memory);
      subject.opened = words.slice();
    }
    this.#setOut(subject);
    this.opened = everyone.map(({ index }) => this.#reopen(index));
  }

  /** As if the lock had been acquired so often, and others held it. */
  #setOut({ fence, word }) {
    const { words } = this;
    const cell = layout.cellAt(this.memory.geometry, 0);
    if (fence !== undefined) {
      words[cell + layout.CELL_FENCE] = fence;
      words[cell + layout.CELL_FENCE + 1] = Math.floor(fence / 2 ** 32);
    }
    if (word !== undefined) words[cell + layout.CELL_WORD] = word;
  }

  /** Somebody else who lives has the entries between those of the threads. */
  #takeOtherEntries() {
    const { words } = this;
    const { index: last } = this.machine.observer;
    const own = new Set(Array.from({ length: last + 1 }, (_, index) => this.entryOf(index)));
    for (let entry = 0; entry < this.entryOf(last); entry++) {
      if (own.has(entry)) continue;
      const at = layout.threadAt(entry);
      words[at + layout.THREAD_NODE_ID] = -1;
      words[at + layout.THREAD_TID] = tidOf(last);
      words[at + layout.THREAD_START] = startOf(tidOf(last));
      words[at + layout.THREAD_STATE] = layout.idOf(entry, 1);
    }
  }

  #openFirst(thread) {
    const { memory, subject } = this;
    const load = this.realm(thread.index);
    const { obtainCell, markOpen } = load('space/cells.js');
    const entry = this.entryOf(thread.index);
    this.machine.as(thread, function* () {
      const attachment = yield* load('space/threads.js').attach(memory);
      if (attachment.index !== entry) throw new Error('threads attach in order');
      for (const [cell, kind] of subject.kinds.entries()) {
        const { permits = 0 } = subject;
        if (thread.index === 0) yield* obtainCell(memory, entry, { kind, permits, name: undefined });
        else yield* markOpen(memory, entry, cell, true);
      }
    });
  }

  #reopen(index) {
    const { subject } = this;
    const load = this.realm(index);
    return this.machine.as(this.machine.threads[index], () => {
      const presence = this.#presence(load, index);
      const { Opened } = load('primitives/handles.js');
      const [lock, second] = subject.kinds.map((_, cell) =>
        subject.open(load, new Opened(presence, runAtOnce(presence.$Presence_use(cell)))),
      );
      return { lock, second, attach: () => presence.attachment };
    });
  }

  /** Does that thread stand in the queue of any lock, and does the word say so? */
  #waits(index) {
    const { words, memory } = this;
    const isQueued = (cell) =>
      words[layout.recordAt(memory.geometry, this.entryOf(index), cell) + layout.RECORD_WAIT] !== 0;
    return this.subject.kinds.some((_, cell) => isQueued(cell) && (this.wordOf(cell) & bits.QUEUED) !== 0);
  }

  #presence(load, index) {
    const threads = load('space/threads.js');
    threads.attachment = new threads.Attachment(
      this.memory,
      this.entryOf(index),
      layout.idOf(this.entryOf(index), 1),
    );
    const { Presence } = load('space/presence.js');
    return new Presence(this.memory);
  }

  /**
   * Those who asked for permits before this thread and still wait fit in with it: it took none of theirs. Only for
   * blocking requests: an async one may be passed over.
   */
  #inOrder(index) {
    const { words, memory } = this;
    const { geometry } = memory;
    const record = (thread) => layout.recordAt(geometry, this.entryOf(thread), 0);
    const cell = layout.cellAt(geometry, 0);
    const word = words[cell + layout.CELL_WORD];
    const given = words[cell + layout.CELL_TICKET];
    if (((given - (this.given ?? given)) | 0) < 0) throw new Error(`ticket ${given} was given before`);
    this.given = given;
    // Whoever has the latch may have taken permits and not left the queue yet.
    if (words[cell + layout.CELL_LATCH] !== 0 || (word & bits.RECOVER) === bits.RECOVER) return;
    let room = word & bits.MAX_PERMITS;
    const ticket = words[record(index) + layout.RECORD_TICKET];
    // It has never queued: nothing says when it asked.
    if (ticket === 0) return;
    for (const { index: other, state } of this.machine.threads) {
      // One who died on its way into the queue may have been passed.
      if (state === DEAD) continue;
      const waits = words[record(other) + layout.RECORD_WAIT] !== 0;
      if (other === index || !waits || ((words[record(other) + layout.RECORD_TICKET] - ticket) | 0) >= 0)
        continue;
      room -= words[record(other) + layout.RECORD_WEIGHT];
      if (room < 0) throw new Error(`thread ${index} has passed thread ${other}, which asked before it`);
    }
  }

  /** After everybody has ended and the dead are buried: nothing is held, and nobody queues. */
  finish(budget) {
    const { machine, subject } = this;
    if (Object.keys(budget).length === 0) this.#checkWakes();
    const { observer } = machine;
    if (subject.attaches || (machine.deaths > 0 && subject.open !== undefined))
      machine.as(observer, () => this.#conclude(observer));
    if (subject.open !== undefined) this.#checkConstants();
    this.#checkBuried();
    subject.atEnd(this);
  }

  *#conclude({ index }) {
    const { subject, memory } = this;
    const load = this.realm(index);
    const entry = this.entryOf(index);
    const { Attachment, attach } = load('space/threads.js');
    const known = subject.attaches
      ? yield* attach(memory)
      : new Attachment(memory, entry, layout.idOf(entry, 1));
    // Where the system does not tell, it is told of the one that was told of the others.
    yield* known.reapDead(subject.isTold === false ? subject.parent : undefined);
    yield* subject.conclude?.(this, load, known) ?? [];
  }

  /** Nobody is woken more often than it has slept, and once for a request that did not come to sleep. */
  #checkWakes() {
    const { threads, passed } = this.machine;
    if (passed > 0) return;
    for (const { index } of threads) {
      const woken = this.words[this.#parkOf(index)];
      const slept = this.#sleepsOf(index);
      if (woken > slept + MOST_WAKES)
        throw new Error(`thread ${index} was woken ${woken} times, and slept ${slept} times`);
    }
  }

  #parkOf(index) {
    return layout.threadAt(this.entryOf(index)) + layout.THREAD_PARK;
  }

  /** How often it has gone to sleep, or found that it need not. */
  #sleepsOf(index) {
    return this.machine.threads[index].sleeps.get(this.#parkOf(index)) ?? 0;
  }

  /** The word of a lock. */
  wordOf(cell) {
    return this.words[layout.cellAt(this.memory.geometry, cell) + layout.CELL_WORD];
  }

  fingerprint(extra) {
    return fingerprint(this, extra);
  }
}
