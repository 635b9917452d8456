/** Ways through the executions of a subject. Each execution is made anew from its choices, so it can be repeated. */
import { DEAD, EDGE, ENDED, READY } from './machine.mjs';
import { World } from './subjects.mjs';

/** More steps than any execution without busy waiting takes. */
const MOST_STEPS = 3000;
/** After a death, others find it by looking; more looks than that, and they never will. */
const MOST_STALLS = 60;

export class Failure extends Error {
  constructor(message, subject, budget, choices, cause) {
    super(message, { cause });
    this.subject = subject;
    this.choices = choices;
    this.budget = budget;
    /** Of the execution; set by those that are made from one. */
    this.seed = undefined;
  }
}

/**
 * Runs one execution. At each point `choose(options, world)` gives the index of what happens next, or -1 to stop.
 * @param {object} budget `deaths`: how many threads may die; `clock`: how often the clock may move early
 * @param {(world: World, option: object) => () => void} [watch] called before each choice is carried out; what it
 * returns is called after
 * @returns {World | null} null: stopped by `choose`
 */
export function execute(subject, budget, choose, watch) {
  const world = new World(subject, (budget.deaths ?? 0) > 0);
  const { machine } = world;
  const choices = [];
  const left = { deaths: budget.deaths ?? 0, clock: budget.clock ?? 0 };
  let last = -1;
  try {
    for (;;) {
      const options = optionsOf(machine, left);
      if (options.length === 0) {
        if (machine.threads.every(({ state }) => state === ENDED || state === DEAD)) break;
        if (!machine.advance()) throw new Error('deadlock: nobody can go on');
        machine.stalls++;
        if (machine.deaths === 0) throw new Error('stall: nobody can go on until a time is up');
        if (machine.stalls > MOST_STALLS) throw new Error('livelock: nobody finds out about the death');
        continue;
      }
      const choice = options.length === 1 ? 0 : choose(options, world, left, last);
      if (choice < 0) return null;
      const option = options[choice];
      choices.push(option);
      const done = watch?.(world, option);
      apply(machine, option, left);
      done?.();
      if (option.kind === 'step') last = option.thread;
      if (machine.steps > MOST_STEPS) throw new Error('busy waiting: it does not come to an end');
    }
    world.finish();
    return world;
  } catch (error) {
    throw new Failure(`${subject.name}: ${error.message}`, subject, budget, choices, error);
  }
}

const othersCan = ({ threads }, thread) =>
  threads.some(({ state, index }) => state === READY && index !== thread);

function optionsOf(machine, left) {
  const atEdge = machine.threads.find(({ state, next }) => state === READY && next === EDGE);
  if (atEdge !== undefined) {
    const { index: thread } = atEdge;
    const step = { kind: 'step', thread };
    // Whoever else goes on, does so before or after this thread's next operation.
    return left.deaths > 0 && othersCan(machine, thread) ? [step, { kind: 'kill', thread }] : [step];
  }
  const options = [];
  for (const { state, index } of machine.threads)
    if (state === READY) options.push({ kind: 'step', thread: index });
  const steps = options.length;
  if (steps === 0) return options;
  // A death or a time that is up must not be what gets the others on: so only while somebody could go on anyway.
  if (left.deaths > 0)
    for (const { state, index } of machine.threads)
      if (state !== DEAD && state !== ENDED && !(steps === 1 && state === READY))
        options.push({ kind: 'kill', thread: index });
  if (left.clock > 0 && machine.threads.some(({ deadline }) => deadline < Infinity))
    options.push({ kind: 'clock', thread: -1 });
  return options;
}

function apply(machine, { kind, thread }, left) {
  if (kind === 'step') machine.step(thread);
  else if (kind === 'kill') {
    left.deaths--;
    machine.kill(thread);
  } else {
    left.clock--;
    machine.advance();
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

/** Uniformly random choices; faults with a small probability at each step. */
export function random(subject, options) {
  return times(subject, options, (next) => (choices) => {
    const steps = countSteps(choices);
    if (steps < choices.length && next() < 0.03) return pick(next, steps, choices.length);
    return pick(next, 0, steps);
  });
}

/**
 * PCT (Burckhardt, Kothari, Musuvathi, Nagarakatte, 2010): threads have random priorities, and at a few random
 * steps the running one gets the lowest. The number of those steps is random as well.
 */
export function pct(subject, options) {
  const length = 150;
  return times(subject, options, (next) => {
    const priorities = subject.threads.map(() => 1 + next());
    const changes = new Set(Array.from({ length: pick(next, 0, 8) }, () => pick(next, 0, length)));
    const fault = pick(next, 0, length);
    let step = 0;
    let lowest = 1;
    return (choices) => {
      step++;
      const steps = countSteps(choices);
      if (steps < choices.length && step >= fault && next() < 0.2) return pick(next, steps, choices.length);
      let best = 0;
      for (let i = 1; i < steps; i++)
        if (priorities[choices[i].thread] > priorities[choices[best].thread]) best = i;
      if (changes.has(step)) priorities[choices[best].thread] = lowest -= 0.001;
      return best;
    };
  });
}

/** Steps come before faults among the options. */
const countSteps = (options) => options.findLastIndex(({ kind }) => kind === 'step') + 1;
const pick = (next, from, to) => from + Math.floor(next() * (to - from));

/** Each execution has a seed of its own, which a failure tells. */
function times(subject, { budget = {}, executions, seed = 1 }, chooser) {
  const result = { executions, steps: 0, sections: 0, abandoned: 0 };
  for (let own = seed; own < seed + executions; own++) {
    try {
      const world = execute(subject, budget, chooser(generator(own)));
      result.steps += world.machine.steps;
      result.sections += world.sections;
      result.abandoned += world.abandoned;
    } catch (error) {
      error.seed = own;
      throw error;
    }
  }
  return result;
}

/**
 * All executions, depth first. A state that was seen before is not gone into again (`remember`).
 * @param {object} options `preemptions`: how often a thread that could go on may be interrupted; `collect`: count
 * the states without remembering them, to compare
 */
export function exhaustive(
  subject,
  { budget = {}, preemptions = Infinity, remember = true, collect = false, limit = Infinity },
) {
  const seen = new Set();
  const stack = [[]];
  const result = { executions: 0, steps: 0, sections: 0, abandoned: 0, states: 0, complete: true };
  while (stack.length > 0) {
    if (result.executions >= limit) {
      result.complete = false;
      break;
    }
    const prefix = stack.pop();
    const path = prefix.slice();
    let depth = 0;
    let used = 0;
    let steps = 0;
    const world = execute(subject, budget, (options, world, left, last) => {
      steps = world.machine.steps;
      const stays = options.findIndex(({ kind, thread }) => kind === 'step' && thread === last);
      const allowed = (index) =>
        stays < 0 || index === stays || options[index].kind !== 'step' || used < preemptions;
      const keyOf = () =>
        world.fingerprint(
          left.deaths * 8 + left.clock * 64 + (preemptions < Infinity ? used * 512 + last * 8192 : 0),
        );
      let choice;
      if (collect) seen.add(keyOf());
      if (depth < prefix.length) choice = prefix[depth];
      else {
        if (remember) {
          const key = keyOf();
          if (seen.has(key)) return -1;
          seen.add(key);
        }
        choice = stays < 0 ? 0 : stays;
        for (let other = options.length - 1; other >= 0; other--)
          if (other !== choice && allowed(other)) stack.push([...path, other]);
        path.push(choice);
      }
      depth++;
      if (options[choice].kind === 'step' && stays >= 0 && choice !== stays) used++;
      return choice;
    });
    result.executions++;
    result.steps += world === null ? steps : world.machine.steps;
    if (world !== null) {
      result.sections += world.sections;
      result.abandoned += world.abandoned;
    }
  }
  result.states = seen.size;
  return result;
}
