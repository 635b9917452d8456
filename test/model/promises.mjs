/**
 * Are the machine's promises V8's? Random programs of promises and async functions, on both; what they log, and so the
 * order of all jobs in the microtask queue, must be the same.
 */
import { drive } from './drive.mjs';
import { generator } from './explore.mjs';
import { Machine } from './machine.mjs';
import { CallbackJob, ModelPromise, awaited, startAsync } from './promise.mjs';
import { ENDED, currentThread } from './thread.mjs';

const ACTIONS = [
  'await',
  'await',
  'then',
  'then',
  'defer',
  'settle',
  'settle',
  'spawn',
  'spawn',
  'microtask',
];

/** A random async function. What it refers to by number is one of the promises there are by then. */
function createBody(next, depth) {
  const pick = (count) => Math.floor(next() * count);
  const outcome = () => ({ how: pick(5), which: pick(8) });
  return {
    actions: Array.from({ length: 2 + pick(6) }, () => ({
      kind: ACTIONS[pick(ACTIONS.length)],
      which: pick(8),
      fulfilled: next() < 0.8 ? outcome() : undefined,
      rejected: next() < 0.4 ? outcome() : undefined,
      outcome: outcome(),
      body: depth < 3 ? createBody(next, depth + 1) : { actions: [], outcome: outcome() },
    })),
    outcome: outcome(),
  };
}

/** Runs programs with promises of one side: `makePromise(executor)`, `start(generator function)`, `queue(job)`. */
class Interpreter {
  log = [];
  #promises = [];
  #deferred = [];
  #side;

  constructor(side) {
    this.#side = side;
  }

  #keep(promise) {
    // V8 ends a process that leaves a rejection unhandled.
    promise.then(undefined, () => {});
    return this.#promises.push(promise) - 1;
  }

  /** @param own the promise that is settled by it, which must not be itself */
  #settle({ how, which }, own, fulfil, reject) {
    const promise = this.#promises[which % Math.max(1, this.#promises.length)];
    if (how === 0) return reject(`error ${which}`);
    return fulfil(how < 3 && promise !== own ? promise : which);
  }

  /** What a function returns or throws. */
  #end(outcome, own) {
    return this.#settle(
      outcome,
      own,
      (value) => value,
      (error) => {
        throw error;
      },
    );
  }

  *run({ actions, outcome }, name) {
    for (const [index, action] of actions.entries()) {
      const at = `${name}.${index}`;
      this.log.push(at);
      if (action.kind === 'await') yield* this.#await(action, at);
      else this.#act(action, at);
    }
    this.log.push(`${name} ends`);
    return this.#end(outcome);
  }

  *#await({ which }, at) {
    try {
      const value = yield awaited(
        this.#promises.length === 0 ? which : this.#promises[which % this.#promises.length],
      );
      this.log.push(`${at}: ${value}`);
    } catch (error) {
      this.log.push(`${at}: ${error}`);
    }
  }

  #act({ kind, which, fulfilled, rejected, outcome, body }, at) {
    const side = this.#side;
    if (kind === 'microtask') side.queue(() => void this.log.push(`${at}: microtask`));
    else if (kind === 'spawn') this.#keep(side.start(() => this.run(body, at)));
    else if (kind === 'defer') {
      let functions;
      const promise = side.makePromise((fulfil, reject) => {
        functions = { fulfil, reject };
        // An executor may throw, before or after it has resolved.
        if (which === 0) throw `error of ${at}`;
      });
      this.#deferred.push({ promise, ...functions });
      this.#keep(promise);
    } else if (kind === 'settle' && this.#deferred.length > 0) {
      const { promise, fulfil, reject } = this.#deferred[which % this.#deferred.length];
      this.#settle(outcome, promise, fulfil, reject);
    } else if (kind === 'then' && this.#promises.length > 0) {
      const own = {};
      const handler = (how, returns) =>
        returns === undefined
          ? undefined
          : (value) => {
              this.log.push(`${at}: ${how} ${value}`);
              return this.#end(returns, own.promise);
            };
      own.promise = this.#promises[which % this.#promises.length].then(
        handler('fulfilled', fulfilled),
        handler('rejected', rejected),
      );
      this.#keep(own.promise);
    }
  }
}

function runOnMachine(body) {
  const machine = new Machine(1);
  const interpreter = new Interpreter({
    makePromise: (executor) => finish(ModelPromise.make(executor)),
    start: (program) => finish(startAsync(program())),
    queue: (job) => currentThread().microtasks.push(new CallbackJob(job, [])),
  });
  const [thread] = machine.threads;
  // The first program of a thread must not fail; others start the one that is to be seen.
  const run = function* () {
    const promise = yield* startAsync(interpreter.run(body, 'main'));
    promise.then(undefined, () => {});
  };
  thread.start([run]);
  while (thread.state !== ENDED) machine.step(0);
  return interpreter.log;
}

/** Runs a generator that does no operations. */
function finish(program) {
  const { done, value } = program.next();
  if (!done) throw new Error('it does an operation');
  return value;
}

async function runOnV8(body) {
  const interpreter = new Interpreter({
    makePromise: (executor) => new Promise(executor),
    start: (program) => drive(program()),
    queue: queueMicrotask,
  });
  drive(interpreter.run(body, 'main')).catch(() => {});
  // All microtasks come before.
  await new Promise(setImmediate);
  return interpreter.log;
}

/** @returns {Promise<number>} how many entries of logs were the same */
export async function comparePromises({ programs, seed }) {
  let entries = 0;
  for (let own = seed; own < seed + programs; own++) {
    const body = createBody(generator(own), 0);
    const model = runOnMachine(body);
    const real = await runOnV8(body);
    const at = real.findIndex((line, index) => line !== model[index]);
    if (at >= 0 || real.length !== model.length) {
      const both = real.map((line, index) => `${line.padEnd(30)} ${model[index]}`).join('\n');
      throw new Error(`seed ${own}: V8 and the machine, from line ${at}:\n${both}`);
    }
    entries += real.length;
  }
  return entries;
}
