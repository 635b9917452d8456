/**
 * Does the library do on real threads what the model says? Records random executions of the model, and repeats them
 * on worker threads with V8's Atomics, promises and event loop: each operation, in the recorded order, must be the
 * same one on the same word with the same arguments and result, and all of the memory the same after each step.
 *
 * What has no counterpart in real threads: an idle thread's step towards its next task. A real one goes there by
 * itself, and stands before that task's first operation early.
 *
 *     node test/model/on-workers.mjs --schedules 1000 --seed 7
 */
import { letTicketsWrap } from './world.mjs';
import { fileURLToPath } from 'node:url';
import { runComparison } from './comparison.mjs';
import { countWaiters } from './gate.mjs';
import { OPERATIONS, START, STARTING, decode } from './operations.mjs';
import { sources } from './realm.mjs';
import { compileModules, loadReal, openReal } from './real-realm.mjs';
import { Overdue, RealThreads } from './real-threads.mjs';
import { subjectsOfLocks } from './plan.mjs';
import { recordSchedule } from './schedule.mjs';
import { describeWordAt } from './words.mjs';

const modules = compileModules(sources);

/** What the main thread does with the library itself is to look on, as the model's observer does. */
const realms = [];
const observer = (index) =>
  (realms[index] ??= loadReal(modules, index, {
    atomics: Atomics,
    now: () => 0,
    isThere: () => true,
    timers: new Set(),
  }));

class Replay {
  constructor(threads, schedule) {
    const { subject, start } = schedule;
    this.all = threads;
    this.schedule = schedule;
    this.living = new Int32Array(new SharedArrayBuffer(start.living.length * 4));
    this.living.set(start.living);
    const { createMemory } = observer(subject.threads.length)('space/memory.js');
    this.memory = createMemory(start.geometry.locks, start.geometry.threads);
    this.threads = subject.threads.map(() => threads.take());
    this.gone = new Set();
    /** How many results of each thread were compared. */
    this.compared = subject.threads.map(() => 0);
  }

  async run() {
    const { seed, subject, steps } = this.schedule;
    let number = -1;
    try {
      this.#open();
      for (number = 0; number < steps.length; number++) await this.#do(steps[number]);
    } catch (error) {
      await Promise.all(this.threads.map((thread) => thread.terminate()));
      const inThread = this.threads.find((thread) => thread.error !== undefined)?.error.stack ?? '';
      const lines = steps
        .slice(0, number + 1)
        .map((step, at) => describeStep(step, at, this.memory.geometry))
        .join('\n');
      const message = `${subject.name}, seed ${seed}, step ${number}: ${error.message}\n${lines}\n${inThread}`;
      throw new Error(message, { cause: error });
    }
    this.threads.forEach((thread, index) => {
      if (!this.gone.has(index)) this.all.giveBack(thread);
    });
  }

  /** Each thread opens the lock, one after the other, and stands before its program. */
  #open() {
    const { all, living, memory, schedule, threads } = this;
    const { subject, start } = schedule;
    for (const [index, thread] of threads.entries()) {
      const { buffer } = memory;
      thread.start({ subject: subjectsOfLocks.indexOf(subject), index, buffer, living, now: start.now });
      all.until(() => differenceOf(thread, index, { place: 'gate', announced: STARTING }, memory));
    }
    openReal(observer(threads.length), memory.buffer, subject, false);
    letTicketsWrap(memory);
    const difference = this.#memoryDifference(start.memory);
    if (difference !== null) throw new Overdue(`when all have opened the lock, ${difference}`);
  }

  async #do(step) {
    const { thread: index, kind, operations, stands, living } = step;
    const thread = this.threads[index];
    if (kind === 'start' || kind === 'leave') thread.gate.grant();
    for (const announced of operations) {
      this.all.until(() => differenceOf(thread, index, { place: 'gate', announced }, this.memory));
      thread.gate.grant();
    }
    if (stands[index]?.place === 'gone') {
      this.gone.add(index);
      await thread.leave();
    }
    this.all.until(() => this.#difference(step));
    for (const other of this.threads.keys()) this.compared[other] = step.results[other];
    this.living.set(living);
  }

  /** What is not as in the model, or null. */
  #difference({ stands, results, waiting, memory }) {
    for (const [index, thread] of this.threads.entries()) {
      if (!this.gone.has(index)) {
        const difference = differenceOf(thread, index, stands[index], this.memory);
        if (difference !== null) return difference;
      }
      const { told } = thread.gate;
      if (told.length !== results[index]) return `thread ${index} has ${told.length} results`;
      for (let at = this.compared[index]; at < told.length; at++) {
        const expected = this.schedule.results[index][at];
        if (told[at] !== expected)
          return `thread ${index} has got ${decode(told[at])} and not ${decode(expected)}`;
      }
    }
    for (const [at, count] of waiting) {
      const real = countWaiters(this.memory.words, at);
      if (real !== count)
        return `${real} wait on ${describeWordAt(this.memory.geometry, at)} and not ${count}`;
    }
    return this.#memoryDifference(memory);
  }

  #memoryDifference(memory) {
    const { words, geometry } = this.memory;
    const at = memory.findIndex((value, offset) => words[offset] !== value);
    return at < 0 ? null : `${describeWordAt(geometry, at)} is ${words[at]} and not ${memory[at]}`;
  }
}

const isSame = (one, other) => one.every((value, index) => value === other[index]);

function differenceOf({ gate }, index, expected, { geometry }) {
  if (expected === null) return null;
  if (gate.place !== expected.place) return `thread ${index} is ${gate.place} and not ${expected.place}`;
  const { announced } = expected;
  if (announced === undefined || isSame(gate.announced, announced)) return null;
  return `thread ${index} is before ${describeOperation(gate.announced, geometry)} and not ${describeOperation(announced, geometry)}`;
}

function describeOperation([kind, at, ...args], geometry) {
  if (kind === START) return 'its program';
  const word = at < 0 ? 'its critical section' : describeWordAt(geometry, at);
  return `${OPERATIONS[kind]}(${[word, ...args.map(decode)].filter((one) => one !== 'undefined').join(', ')})`;
}

function describeStep({ thread, kind, operations }, number, geometry) {
  const described = operations.map((operation) => describeOperation(operation, geometry));
  const does = described.length > 0 ? described.join(', then ') : kind;
  return `${String(number).padStart(4)} thread ${thread} ${does}`;
}

/**
 * @returns {Promise<object>} how much was compared
 * @throws {Error} with the seed and the steps in words
 */
export async function compareSchedules({ schedules, seed }) {
  const url = new URL('./library-worker.mjs', import.meta.url);
  const threads = new RealThreads(url, { modules });
  const sum = { schedules, steps: 0, operations: 0, slept: 0, armed: 0, exited: 0 };
  try {
    for (let own = seed; own < seed + schedules; own++) {
      const schedule = recordSchedule(subjectsOfLocks[own % subjectsOfLocks.length], own);
      await new Replay(threads, schedule).run();
      for (const { kind, operations } of schedule.steps) {
        sum.steps++;
        sum.operations += operations.length;
        if (kind === 'leave') sum.slept++;
        else if (kind === 'exit') sum.exited++;
      }
      sum.armed += schedule.results.flat().filter((result) => decode(result) === 'armed').length;
    }
  } finally {
    await threads.close();
  }
  return sum;
}

if (process.argv[1] === fileURLToPath(import.meta.url))
  await runComparison('schedules', 300, compareSchedules);
