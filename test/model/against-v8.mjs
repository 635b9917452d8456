/**
 * Is the machine what V8 is? Runs random scripts on the machine, and the same operations in the same order on worker
 * threads with V8's Atomics. After each step both must agree on where every thread stands, what each operation has
 * returned and each promise was told, in order, how many wait on each word, and what the memory holds.
 *
 *     node test/model/against-v8.mjs --scripts 1000 --seed 7
 */
import { fileURLToPath } from 'node:url';
import { generator } from './explore.mjs';
import { runComparison } from './comparison.mjs';
import { countWaiters } from './gate.mjs';
import { Machine } from './machine.mjs';
import { startAsync } from './promise.mjs';
import { Overdue, RealThreads } from './real-threads.mjs';
import { createScript, describeOperation, describeTold, programOf } from './script.mjs';
import { ASLEEP, DEAD, ENDED, IDLE, READY, currentThread } from './thread.mjs';

/** More than any script takes. */
const MOST_STEPS = 500;

/** A script on the machine, in an order of its own choosing. */
class Run {
  /** What happened, each with what must be so after it. */
  steps = [];

  constructor(seed) {
    const next = generator(seed);
    this.script = createScript(next);
    this.next = next;
    this.words = new Int32Array(new SharedArrayBuffer(this.script.words * 4));
    this.machine = new Machine(this.script.threads.length);
    this.told = this.script.threads.map(() => []);
    /** Ended with an armed `waitAsync`, so that its end is to be seen. */
    this.left = new Set();
    /** How often there was what the scripts are there for. */
    this.seen = { woken: 0, promises: 0, mixed: 0, killedAsleep: 0, killedArmed: 0, left: 0 };
    this.#run(next() < 0.35 ? 0.1 : 0);
  }

  #run(mortality) {
    const { machine, script, words, told } = this;
    machine.threads.forEach((thread, index) => {
      const program = programOf(script.threads[index], words, (value) => told[index].push(value));
      const run = function* () {
        const timer = currentThread().addTimer(() => {}, Infinity);
        yield* program;
        currentThread().timers.delete(timer);
      };
      thread.start([() => startAsync(run())]);
    });
    this.#note({ kind: 'start' });
    for (;;) {
      const able = machine.threads.filter(({ state }) => state === READY);
      const living = machine.threads.filter(({ state }) => state !== ENDED && state !== DEAD);
      if (living.length === 0 || this.steps.length > MOST_STEPS) return;
      if (this.next() < mortality) this.#kill(this.#pick(living));
      else if (able.length > 0) this.#step(this.#pick(able));
      // Somebody has to wake those who are left.
      else this.#notifyAll();
    }
  }

  #pick(list) {
    return list[Math.floor(this.next() * list.length)];
  }

  #kill(thread) {
    const { machine, seen } = this;
    const { index } = thread;
    if (thread.state === ASLEEP) seen.killedAsleep++;
    if (machine.waiters.some((waiter) => waiter.thread === thread && waiter.promise !== undefined))
      seen.killedArmed++;
    machine.kill(index);
    this.#note({ kind: 'kill', thread: index });
  }

  #step(thread) {
    const { machine } = this;
    const { index, next, wokenBy } = thread;
    const what = wokenBy === undefined ? describeOperation(next) : `leaves Atomics.wait: ${wokenBy}`;
    const before = machine.waiters.filter(({ at }) => next.kind === 'notify' && at === next.at);
    machine.step(index);
    this.#count(before, wokenBy);
    // A finite time to wait is up before anything else happens.
    if (thread.state === ASLEEP && thread.deadline < Infinity) machine.advance();
    this.#note({ kind: 'step', thread: index, what });
  }

  /** @param before those who waited where this step has notified */
  #count(before, wokenBy) {
    const { machine, seen } = this;
    if (wokenBy === 'ok') seen.woken++;
    const isAsync = ({ promise }) => promise !== undefined;
    const after = before.filter((waiter) => machine.waiters.includes(waiter));
    seen.promises += before.filter(isAsync).length - after.filter(isAsync).length;
    // Some of them and not all, and of both kinds.
    if (after.length > 0 && after.length < before.length && new Set(before.map(isAsync)).size === 2)
      seen.mixed++;
  }

  #notifyAll() {
    const { machine, words } = this;
    for (let at = 0; at < words.length; at++) {
      const count = machine.perform({ kind: 'notify', words, at });
      this.#note({ kind: 'notify', at, count });
    }
  }

  /** What is not an operation happens in a real thread as soon as it can, so it does on the machine. */
  #settle() {
    const { machine, left } = this;
    const isOperation = ({ next, wokenBy }) => wokenBy !== undefined || next.words !== undefined;
    for (;;) {
      const thread = machine.threads.find((one) => one.state === READY && !isOperation(one));
      if (thread === undefined) return;
      const { index, next } = thread;
      machine.step(index);
      if (next.kind !== 'exit') continue;
      left.add(index);
      this.seen.left++;
    }
  }

  #note(step) {
    this.#settle();
    const { machine, words, told, left } = this;
    const waiting = Array.from(words, () => 0);
    for (const { at } of machine.waiters) waiting[at]++;
    this.steps.push({
      ...step,
      places: machine.threads.map((thread, index) => (left.has(index) ? 'gone' : placeOf(thread))),
      told: told.map((values) => values.slice()),
      waiting,
      memory: [...words],
    });
  }
}

function placeOf({ state, wokenBy }) {
  if (wokenBy !== undefined && state === READY) return 'leaving';
  return { [READY]: 'gate', [ASLEEP]: 'asleep', [IDLE]: 'awaiting', [ENDED]: 'ended', [DEAD]: 'gone' }[state];
}

/** Does on real threads what was done on the machine. */
class Replay {
  constructor(threads, { script, steps }) {
    this.all = threads;
    this.steps = steps;
    this.words = new Int32Array(new SharedArrayBuffer(script.words * 4));
    this.threads = script.threads.map((operations) => {
      const thread = threads.take();
      thread.start({ operations, buffer: this.words.buffer });
      return thread;
    });
    this.gone = new Set();
  }

  async run() {
    try {
      for (const [number, step] of this.steps.entries()) {
        await this.#do(step);
        try {
          this.all.until(() => this.#difference(step));
        } catch (error) {
          if (!(error instanceof Overdue)) throw error;
          throw new Error(`after step ${number}: ${error.message}`, { cause: error });
        }
      }
    } catch (error) {
      await Promise.all(this.threads.map((thread) => thread.terminate()));
      const failed = this.threads.find((thread) => thread.error !== undefined);
      throw failed === undefined
        ? error
        : new Error(`${error.message}\n${failed.error.stack}`, { cause: error });
    }
    this.threads.forEach((thread, index) => {
      if (!this.gone.has(index)) this.all.giveBack(thread);
    });
  }

  async #do({ kind, thread: index, at, count, places }) {
    if (kind === 'step') this.threads[index].gate.grant();
    else if (kind === 'kill') {
      this.gone.add(index);
      await this.threads[index].terminate();
    } else if (kind === 'notify') {
      const real = Atomics.notify(this.words, at);
      if (real !== count) throw new Overdue(`notify returns ${real} and not ${count}`);
    }
    for (const [other, place] of places.entries()) {
      if (place !== 'gone' || this.gone.has(other)) continue;
      this.gone.add(other);
      await this.threads[other].leave();
    }
  }

  /** What is not as on the machine, or null. */
  #difference({ places, told, waiting, memory }) {
    for (const [index, thread] of this.threads.entries()) {
      const place = this.gone.has(index) ? 'gone' : thread.gate.place;
      if (place !== places[index]) return `thread ${index} is ${place} and not ${places[index]}`;
      const real = thread.gate.told.map(describeTold).join(', ');
      const expected = told[index].map(describeTold).join(', ');
      if (real !== expected) return `thread ${index} has been told [${real}] and not [${expected}]`;
    }
    for (const [at, count] of waiting.entries()) {
      const real = countWaiters(this.words, at);
      if (real !== count) return `${real} wait on word ${at} and not ${count}`;
      const value = Atomics.load(this.words, at);
      if (value !== memory[at]) return `word ${at} is ${value} and not ${memory[at]}`;
    }
    return null;
  }
}

function describeStep({ kind, thread, what, at, count, places, told }, number, steps) {
  const does = {
    start: () => 'the threads start',
    step: () => `thread ${thread} ${what}`,
    kill: () => `thread ${thread} is terminated`,
    notify: () => `the main thread: notify(word ${at}): ${count}`,
  }[kind]();
  const learns = told.flatMap((values, index) => {
    const before = number === 0 ? 0 : steps[number - 1].told[index].length;
    return values.slice(before).map((value) => `${index}: ${describeTold(value)}`);
  });
  return `${String(number).padStart(4)} ${does.padEnd(44)} ${places.join(', ').padEnd(35)} ${learns.join('; ')}`;
}

/**
 * @returns {Promise<object>} how much was compared, and how often there was what the scripts are there for
 * @throws {Error} with the seed and the script's steps in words
 */
export async function compareScripts({ scripts, seed }) {
  const threads = new RealThreads(new URL('./v8-worker.mjs', import.meta.url));
  const sum = { scripts, steps: 0 };
  try {
    for (let own = seed; own < seed + scripts; own++) {
      const run = new Run(own);
      try {
        await new Replay(threads, run).run();
        if (run.steps.length > MOST_STEPS) throw new Error('it does not come to an end');
      } catch (error) {
        const steps = run.steps.map(describeStep).join('\n');
        throw new Error(`seed ${own}: ${error.message}\n${steps}`, { cause: error });
      }
      sum.steps += run.steps.length;
      for (const [what, count] of Object.entries(run.seen)) sum[what] = (sum[what] ?? 0) + count;
    }
  } finally {
    await threads.close();
  }
  return sum;
}

if (process.argv[1] === fileURLToPath(import.meta.url)) await runComparison('scripts', 500, compareScripts);
