/** Executions of the model, recorded step by step for real threads to repeat. */
import { execute, generator } from './explore.mjs';
import { Machine } from './machine.mjs';
import { OPERATIONS, STARTING, encode } from './operations.mjs';
import { modeOf } from './realm.mjs';
import { ASLEEP, ENDED, IDLE, READY } from './thread.mjs';

/** A real thread cannot be stopped at an access without Atomics, nor where it asks who lives. */
const mode = modeOf({ races: false, looks: false });

/** Who the library is told is there. */
const livingOf = ({ threads }) => threads.map(({ state }) => (state === ENDED ? 0 : 1));

/** Uniformly random, or such that a thread mostly goes on for a while. */
function chooser(seed) {
  const next = generator(seed);
  const inertia = next() < 0.5 ? 0 : 0.8;
  return (options, steps, world, left, last) => {
    const stays = options.indexOf(last);
    if (stays >= 0 && next() < inertia) return stays;
    return Math.floor(next() * options.length);
  };
}

/**
 * @returns {{ start: object, steps: object[] }} the memory before the first step; of each step: its thread, its
 * operations with arguments and results, and what must be so after it
 */
export function recordSchedule(subject, seed) {
  const steps = [];
  const results = subject.threads.map(() => []);
  /** Words that somebody has waited on. */
  const waited = new Set();
  const gone = new Set();
  let start;
  let operations;

  const describe = ({ words, kind, at, a, b }, { memory }) => [
    OPERATIONS.indexOf(kind),
    words.buffer === memory.buffer ? at : -1,
    encode(a),
    encode(b),
  ];
  const observe = (world) => {
    const { machine } = world;
    for (const thread of machine.threads) {
      thread.resume = function (value) {
        // The results of other operations are noted where they happen.
        if (this.next.kind === 'wait') results[this.index].push(encode(value));
        return Object.getPrototypeOf(this).resume.call(this, value);
      };
    }
    machine.perform = function (operation, thread) {
      operations.push(describe(operation, world));
      const result = Machine.prototype.perform.call(this, operation, thread);
      results[operations.thread].push(encode(result));
      return result;
    };
    const { geometry, words } = world.memory;
    return { now: machine.now, memory: words.slice(), geometry, living: livingOf(machine) };
  };

  const watch = (world, index) => {
    start ??= observe(world);
    const { machine, memory } = world;
    const thread = machine.threads[index];
    const { next, wokenBy } = thread;
    operations = Object.assign([], { thread: index });
    if (wokenBy === undefined && next.kind === 'wait') operations.push(describe(next, world));
    return () => {
      if (thread.state === ENDED && next.kind === 'exit') gone.add(index);
      const done = operations;
      operations = Object.assign([], { thread: index });
      for (const { at } of machine.waiters) waited.add(at);
      steps.push({
        thread: index,
        kind: wokenBy === undefined ? next.kind : 'leave',
        operations: done,
        stands: machine.threads.map((one) => standOf(one, gone, (operation) => describe(operation, world))),
        results: results.map((all) => all.length),
        waiting: [...waited].map((at) => [at, machine.waiters.filter((waiter) => waiter.at === at).length]),
        memory: memory.words.slice(),
        living: livingOf(machine),
      });
    };
  };
  execute(subject, {}, chooser(seed), { mode, watch });
  return { subject, seed, start, steps, results };
}

/**
 * Where a real thread must stand, and before which operation. Null: its event loop has a task to run, and V8 may have
 * begun with it, as nothing can be between two tasks but what the thread does by itself.
 */
function standOf({ state, wokenBy, next, notified, index }, gone, describe) {
  if (state === ENDED) return { place: gone.has(index) ? 'gone' : 'ended' };
  if (state === ASLEEP) return { place: 'asleep' };
  if (wokenBy !== undefined) return { place: 'leaving' };
  if (state === READY && next.words !== undefined) return { place: 'gate', announced: describe(next) };
  if (state === READY && next.kind === 'start') return { place: 'gate', announced: STARTING };
  if (notified.length > 0) return null;
  if (next.kind === 'exit') return { place: 'ended' };
  if (state === IDLE || next.kind === 'idle') return { place: 'awaiting' };
  throw new Error(`no rule for a thread that is ${state}`);
}
