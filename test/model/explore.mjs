/** Ways through the executions of a subject. Each execution is made anew from its choices, so it can be repeated. */
import { ASLEEP, DEAD, ENDED, ENTRY, READY, START, TURN, mortality } from './thread.mjs';
import { isChanged, modeOf } from './realm.mjs';
import { World } from './world.mjs';

/** More steps than any execution without busy waiting takes. */
const MOST_STEPS = 5000;
/** After a death, others find it by looking; more looks than that, and they never will. */
const MOST_STALLS = 60;
/** Longer than any wait or lapse of the library: milliseconds for which a busy machine runs nobody. */
const HICCUP = 25;

/** A choice is `kind * STEPS + thread`, so steps are those below. */
export const STEPS = 16;
export const KILL = 1;
export const CLOCK = 2;
export const ABORT = 3;
export const WAKE = 4;
export const BUSY = 5;
export const OVERFLOW = 6;
export const kindOf = (choice) => (choice / STEPS) | 0;
export const threadOf = (choice) => choice % STEPS;
export const choiceOf = (kind, thread) => kind * STEPS + thread;

export class Failure extends Error {
  constructor(message, subject, budget, choices, cause) {
    super(message, { cause });
    this.subject = subject;
    /** What was chosen wherever there was a choice. */
    this.choices = choices;
    this.budget = budget;
    /** Every choice that was carried out, also where there was no other, but for turns of event loops. */
    this.trace = [];
    /** Of the execution, and the strategy that made it; set by those that have one. */
    this.seed = undefined;
    this.strategy = undefined;
  }
}

/**
 * What may happen in an execution besides steps, and how often.
 * @typedef {object} Budget
 * @property {number} [deaths] threads ended by `terminate()`: at operations, function entries and loop edges
 * @property {number} [kills] threads ended by SIGKILL: before any store as well
 * @property {number} [clock] the clock moves to the next deadline while others could go on: a timeout comes early
 * @property {number} [aborts] the signal of a thread is aborted
 * @property {number} [wakes] `Atomics.wait` returns though nobody has notified
 * @property {number} [overflows] the stack of a thread that `isDeep` is full where it enters a function
 * @property {number} [busy] nobody runs for 25 ms: an event loop, or the machine, is busy
 */

/** What of a budget is left. */
class Left {
  constructor({ deaths = 0, kills = 0, clock = 0, aborts = 0, wakes = 0, busy = 0, overflows = 0 }) {
    this.deaths = deaths;
    this.kills = kills;
    this.clock = clock;
    this.aborts = aborts;
    this.wakes = wakes;
    this.busy = busy;
    this.overflows = overflows;
  }

  get isMortal() {
    return this.deaths > 0 || this.kills > 0;
  }

  /** Of what can come before any step; a stack is full only where a function is entered, see `onlyThis`. */
  get isAny() {
    return this.isMortal || this.clock + this.aborts + this.wakes + this.busy > 0;
  }
}

const modeFor = (
  { deaths = 0, kills = 0, overflows = 0 },
  { stores = kills > 0, isLatchWhole, isTold },
  captures,
) =>
  modeOf({
    edges: overflows > 0 || (deaths > 0 && kills === 0),
    entries: overflows > 0,
    stores,
    captures,
    whole: isLatchWhole,
    isTold,
  });

/**
 * Runs one execution. At each point `choose` gives the index of what happens next, or -1 to stop.
 * @param {(options: number[], steps: number, world: World, left: object, last: number) => number} choose
 * `steps`: how many of the options, from the first one on, are steps; the rest are faults
 * @param {object} [settings]
 * - `captures`, or the whole `mode`: see `Mode`;
 * - `reduce`: if a thread can take a step that is local, offer no other thread's;
 * - `watch(world, choice)`: called before each choice is carried out, what it returns after;
 * - `visit(world, left, last)`: called after each fault, false stops
 * @returns {World | null} null: stopped by `choose`
 */
export function execute(
  subject,
  budget,
  choose,
  { captures = false, mode = modeFor(budget, subject, captures), reduce = false, watch, visit } = {},
) {
  const world = new World(subject, mode);
  const { machine } = world;
  machine.turns = reduce;
  const choices = [];
  const trace = [];
  const options = [];
  const left = new Left(budget);
  let last = -1;
  let hasFaulted = false;
  try {
    for (;;) {
      mortality.isLeft = left.isMortal || left.overflows > 0;
      const steps = findOptions(options, world, left, reduce);
      if (steps === 0) {
        if (machine.threads.every(({ state }) => state === ENDED || state === DEAD)) break;
        const { isNapping } = world;
        if (!machine.advance()) throw new Error('deadlock: nobody can go on');
        machine.stalls++;
        const hadPatience = machine.passed <= (subject.patience ?? 0);
        if (machine.deaths === 0 && !isNapping && !hadPatience)
          throw new Error('stall: nobody can go on until a time is up');
        if (machine.stalls > MOST_STALLS) throw new Error('livelock: nobody finds out about the death');
        continue;
      }
      if (hasFaulted && visit?.(world, left, last) === false) return null;
      const index = options.length === 1 ? 0 : choose(options, steps, world, left, last);
      if (index < 0) return null;
      const choice = options[index];
      if (options.length > 1) choices.push(choice);
      if (choice >= STEPS || machine.threads[choice].next !== TURN) trace.push(choice);
      const done = watch?.(world, choice);
      hasFaulted = choice >= STEPS;
      if (hasFaulted) applyFault(machine, choice, left);
      else {
        // To start somebody is taken at once, and interrupts nobody.
        if (machine.threads[choice].next !== START) last = choice;
        machine.step(choice);
      }
      done?.();
      if (machine.steps > MOST_STEPS) throw new Error('busy waiting: it does not come to an end');
    }
    mortality.isLeft = false;
    world.finish(budget);
    return world;
  } catch (error) {
    const failure = new Failure(`${subject.name}: ${error.message}`, subject, budget, choices, error);
    throw Object.assign(failure, { trace });
  }
}

/** Fills `options`, steps first; returns how many steps there are. */
function findOptions(options, world, left, reduce) {
  const { machine } = world;
  let steps = 0;
  let local;
  for (const thread of machine.threads) {
    if (!machine.isReady(thread) || (reduce && isLikeAnother(thread, world))) continue;
    // Whoever else goes on, does so before or after this thread's next operation.
    if (isHidden(thread.next)) return onlyThis(options, thread, world, left);
    options[steps++] = thread.index;
    if (reduce && world.isLocal(thread, left)) local ??= thread;
  }
  if (local !== undefined) {
    options[0] = local.index;
    steps = 1;
  }
  // A fault must not be what gets the others on: so only while somebody could go on anyway.
  const all = steps > 0 && left.isAny ? addFaults(options, steps, world, left, reduce, local) : steps;
  cut(options, all);
  return steps;
}

/**
 * Neither has begun, and both are to do the same: what comes of it if the one goes first comes of the other as well. The last
 * one goes first, so that hardly any has the entry of its own number in the space: code that takes the one for the other is
 * seen to.
 */
const isLikeAnother = (thread, { subject, machine }) =>
  subject.isSymmetric === true &&
  !thread.hasBegun &&
  machine.threads.some(({ index, state, hasBegun }) => index > thread.index && state === READY && !hasBegun);

/** Faster than to set its length, or to empty it and begin anew: V8 would give its memory back each time. */
function cut(options, length) {
  while (options.length > length) options.pop();
}

const isHidden = ({ kind }) => kind === 'edge' || kind === 'hidden store';
const isMortal = ({ index }, left, { immortal }) => left.isMortal && index !== immortal;

function onlyThis(options, thread, { subject }, left) {
  let count = 0;
  options[count++] = thread.index;
  if (isMortal(thread, left, subject)) options[count++] = choiceOf(KILL, thread.index);
  if (left.overflows > 0 && thread.isDeep && thread.next === ENTRY)
    options[count++] = choiceOf(OVERFLOW, thread.index);
  cut(options, count);
  return 1;
}

/** After the first `count`; returns how many there are then. */
function addFaults(options, count, world, left, reduce, local) {
  const { machine, subject } = world;
  const { threads } = machine;
  const isOnly = reduce && isOnlyDeath(left, machine, subject);
  if (left.isMortal)
    for (const thread of threads) {
      if (!canDie(thread, left, world) || (reduce && isLikeAnother(thread, world))) continue;
      if (!isOnly || thread === local || (local === undefined && machine.wouldNotice(thread)))
        options[count++] = choiceOf(KILL, thread.index);
    }
  if (left.clock > 0 && threads.some(({ deadline }) => deadline < Infinity))
    options[count++] = choiceOf(CLOCK, 0);
  if (left.busy > 0) options[count++] = choiceOf(BUSY, 0);
  if (left.aborts > 0)
    for (const thread of threads)
      if (canAbort(thread) && (!machine.turns || thread.wouldNoticeAbort))
        options[count++] = choiceOf(ABORT, thread.index);
  if (left.wakes > 0)
    for (const { state, index } of threads) if (state === ASLEEP) options[count++] = choiceOf(WAKE, index);
  return count;
}

/** Is a death all that can still happen? Not where time passes meanwhile, or somebody learns of it at once. */
const isOnlyDeath = (
  { deaths, kills, clock, aborts, wakes, busy, overflows },
  machine,
  { immortal, naps, patience, room },
) =>
  deaths + kills === 1 &&
  clock + aborts + wakes + busy + overflows + machine.deaths === 0 &&
  [immortal, naps, patience, room].every((one) => one === undefined);

/** Before a read there is no need to: it would be the same as before what comes after. But those inside stand at one. */
function canDie(thread, left, { subject, scratch }) {
  const { state, next } = thread;
  if (state === DEAD || state === ENDED || !isMortal(thread, left, subject)) return false;
  if (state !== READY) return true;
  const { kind, words } = next;
  if (kind === 'load' || kind === 'plain read' || kind === 'look') return words === scratch;
  return left.kills > 0 || kind !== 'plain store';
}

const canAbort = ({ signal, state }) => signal !== undefined && state !== ENDED && state !== DEAD;

function applyFault(machine, choice, left) {
  const thread = threadOf(choice);
  switch (kindOf(choice)) {
    case KILL:
      left[left.kills > 0 ? 'kills' : 'deaths']--;
      machine.kill(thread);
      return;
    case CLOCK:
      left.clock--;
      machine.advance();
      return;
    case BUSY:
      left.busy--;
      machine.moveClock(HICCUP);
      return;
    case OVERFLOW:
      left.overflows--;
      machine.overflow(thread);
      return;
    case ABORT:
      left.aborts--;
      machine.abort(thread);
      return;
    default:
      left.wakes--;
      machine.wakeSpuriously(thread);
  }
}

/** Marsaglia's xorshift with 32 bits. */
export function generator(seed) {
  // Neighbouring seeds would begin alike.
  let state = Math.imul(seed, 0x9e3779b1) || 1;
  return () => {
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    return (state >>> 0) / 2 ** 32;
  };
}
const pick = (next, from, to) => from + Math.floor(next() * (to - from));

/** Tells whether a fault comes now: each from a random one on of about so many `chances`. */
function striking(next, chances) {
  let chance = 0;
  let from = pick(next, 0, chances);
  return (options, steps) => {
    if (steps === options.length || chance++ < from || next() >= 0.5) return false;
    from = chance + pick(next, 0, chances);
    return true;
  };
}

/** Uniformly random choices. */
function randomly(next, { chances }) {
  const strikes = striking(next, chances);
  return (options, steps) => {
    if (strikes(options, steps)) return pick(next, steps, options.length);
    return steps === 1 ? 0 : pick(next, 0, steps);
  };
}

/**
 * PCT (Burckhardt, Kothari, Musuvathi, Nagarakatte, 2010): threads have random priorities, and at a few random
 * steps the running one gets the lowest. The number of those steps is random as well.
 */
function byPriority(next, { choices, chances }, { threads }) {
  const priorities = threads.map(() => 1 + next());
  const changes = [];
  for (let count = pick(next, 0, 8); count > 0; count--) changes.push(pick(next, 0, choices));
  const strikes = striking(next, chances);
  let step = 0;
  let lowest = 1;
  return (options, steps) => {
    step++;
    if (strikes(options, steps)) return pick(next, steps, options.length);
    let best = 0;
    for (let i = 1; i < steps; i++) if (priorities[options[i]] > priorities[options[best]]) best = i;
    if (changes.includes(step)) priorities[options[best]] = lowest -= 0.001;
    return best;
  };
}

const choosers = { random: randomly, pct: byPriority };
export const random = (subject, options) => times('random', subject, options);
export const pct = (subject, options) => times('pct', subject, options);

/** By subject, and then by strategy and budget. */
const lengths = new WeakMap();
/** Executions that tell how long they are. */
const SAMPLES = 8;
/** Those of changed code tell nothing: a mutant's seeds must mean the same whatever ran before. */
const USUAL = { choices: 150, chances: 60 };

/** How many choices an execution has to which nothing happens, and chances of a fault: it is to come at any of them. */
function lengthOf(strategy, subject, budget) {
  if (isChanged()) return USUAL;
  if (!lengths.has(subject)) lengths.set(subject, new Map());
  const known = lengths.get(subject);
  const key = `${strategy} ${JSON.stringify(budget)}`;
  if (!known.has(key)) known.set(key, measuredLength(strategy, subject, budget));
  return known.get(key);
}

function measuredLength(strategy, subject, budget) {
  let choices = 0;
  let chances = 0;
  for (let seed = 1; seed <= SAMPLES; seed++) {
    const decide = choosers[strategy](generator(seed), USUAL, subject);
    const choose = (options, steps) => {
      choices++;
      if (steps < options.length) chances++;
      return decide(options.slice(0, steps), steps);
    };
    try {
      execute(subject, budget, choose);
    } catch (error) {
      if (!(error instanceof Failure)) throw error; // An execution with a seed will tell of it.
    }
  }
  // Many are longer than the mean.
  return { choices: Math.ceil((1.25 * choices) / SAMPLES), chances: Math.ceil((1.25 * chances) / SAMPLES) };
}

/** The execution of that seed: fails, or returns its world. */
export function executeSeed(
  strategy,
  subject,
  budget,
  seed,
  { length = lengthOf(strategy, subject, budget), ...settings } = {},
) {
  try {
    return execute(subject, budget, choosers[strategy](generator(seed), length, subject), settings);
  } catch (error) {
    if (error instanceof Failure) Object.assign(error, { seed, strategy });
    throw error;
  }
}

/**
 * The execution of these choices, as far as they are possible; elsewhere the same thread goes on. Returns its `world`,
 * and how many were not possible.
 */
export function executeChoices(subject, budget, choices, settings) {
  let next = 0;
  let last = -1;
  let impossible = 0;
  const choose = (options, steps) => {
    let index = options.indexOf(choices[next++]);
    if (index < 0 && next <= choices.length) impossible++;
    if (index < 0) index = Math.max(0, options.slice(0, steps).indexOf(last));
    if (index < steps) last = options[index];
    return index;
  };
  const world = execute(subject, budget, choose, settings);
  return { world, impossible: impossible + Math.max(0, choices.length - next) };
}

/**
 * The same execution where no step is taken at once: its choices are those of `executeChoices`. Returns the failure as it
 * was, should it not fail like that.
 */
export function withoutReduction(failure) {
  const { subject, budget, trace } = failure;
  let next = 0;
  const choose = (options) => Math.max(0, options.indexOf(trace[next]));
  const watch = () => {
    next++;
  };
  try {
    execute(subject, budget, choose, { watch });
  } catch (error) {
    if (error instanceof Failure && error.message === failure.message) return error;
  }
  return failure;
}

/** How many executions are reported at a time. */
export const BATCH = 1024;

/** Each execution has a seed of its own, which a failure tells. `progress(executions)`: called now and then. */
function times(strategy, subject, { budget = {}, executions, seed = 1, progress }) {
  const settings = { length: lengthOf(strategy, subject, budget), mode: modeFor(budget, subject, false) };
  const result = { executions, steps: 0, sections: 0, abandoned: 0, deaths: 0 };
  for (let own = seed; own < seed + executions; own++) {
    if (progress !== undefined && (own - seed) % BATCH === BATCH - 1) progress(BATCH);
    const world = executeSeed(strategy, subject, budget, own, settings);
    result.steps += world.machine.steps;
    result.sections += world.sections;
    result.abandoned += world.abandoned;
    result.deaths += world.machine.deaths;
  }
  return result;
}
