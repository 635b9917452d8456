/**
 * The machine the library runs on in a model: memory with Atomics, threads with event loops, and a clock that
 * stands still unless nothing else can happen. It decides nothing: whoever drives it says which thread takes its
 * next step, which one dies, and when the clock moves.
 *
 * A thread is a generator that yields the operation it is about to do. `step` does it and runs the thread up to its
 * next one; so a step is exactly one operation and the code after it.
 *
 * | state | says | next |
 * |---|---|---|
 * | READY | can take a step | any |
 * | ASLEEP | in `Atomics.wait` | READY: notified, or its time is up |
 * | IDLE | its event loop has nothing to do | READY: a `waitAsync` was notified, or a timer is due |
 * | ENDED | its program has returned | |
 * | DEAD | was ended where it stood: no `finally` ran, its waits are forgotten | |
 */
export const READY = 'ready';
export const ASLEEP = 'asleep';
export const IDLE = 'idle';
export const ENDED = 'ended';
export const DEAD = 'dead';

/** `instanceof Generator` tells what a transformed function that stops has returned. */
export function Generator() {}
Generator.prototype = Object.getPrototypeOf(function* () {}).prototype;

class Operation {
  constructor(kind, words, at, a, b) {
    this.kind = kind;
    this.words = words;
    this.at = at;
    this.a = a;
    this.b = b;
  }
}

class Await {
  constructor(value) {
    this.value = value;
  }
}

const WAIT_FOR_TASK = new Operation('idle');
const START = new Operation('start');
/** A function entry or a loop's edge: a thread can die there, and nothing else happens. */
export const EDGE = new Operation('edge');

/** The thread whose code runs. */
let current;
export const currentThread = () => current;

export const atomic = (kind, words, at, a, b) => new Operation(kind, words, at, a, b);

/** A read without Atomics: nothing can come between it and the operation before. */
export function plainRead(words, at) {
  const value = words[at];
  if (current?.machine.isSeen(words, at)) current.see(value);
  return value;
}

/** Does everything at once: for constructors and accessors, and for what is not part of the model. */
export function runAtOnce(value) {
  if (value instanceof Operation) return current.machine.perform(value);
  if (!(value instanceof Generator)) return value;
  let result = value.next();
  while (!result.done) {
    const operation = result.value;
    result = value.next(operation === undefined ? undefined : current.machine.perform(operation));
  }
  return result.value;
}

/** A promise of one thread: its reactions are jobs in the thread's microtask queue, and may be generators. */
export class ModelPromise {
  #state = 'pending';
  #value;
  #reactions = [];

  static *make(executor) {
    const promise = new ModelPromise();
    const job = executor(
      (value) => promise.fulfil(value),
      (error) => promise.reject(error),
    );
    if (job instanceof Generator) yield* job;
    return promise;
  }

  static resolve(value) {
    if (value instanceof ModelPromise) return value;
    const promise = new ModelPromise();
    promise.fulfil(value);
    return promise;
  }

  static reject(error) {
    const promise = new ModelPromise();
    promise.reject(error);
    return promise;
  }

  fulfil(value) {
    if (value instanceof ModelPromise)
      value.then(
        (inner) => this.#settle('fulfilled', inner),
        (error) => this.#settle('rejected', error),
      );
    else this.#settle('fulfilled', value);
  }

  reject(error) {
    this.#settle('rejected', error);
  }

  #settle(state, value) {
    if (this.#state !== 'pending') return;
    this.#state = state;
    this.#value = value;
    for (const reaction of this.#reactions) this.#schedule(reaction);
    this.#reactions.length = 0;
  }

  then(onFulfilled, onRejected) {
    const next = new ModelPromise();
    const reaction = { onFulfilled, onRejected, next, thread: current };
    if (this.#state === 'pending') this.#reactions.push(reaction);
    else this.#schedule(reaction);
    return next;
  }

  #schedule({ onFulfilled, onRejected, next, thread }) {
    const handler = this.#state === 'fulfilled' ? onFulfilled : onRejected;
    const state = this.#state;
    const value = this.#value;
    thread.microtasks.push(function* () {
      if (handler === undefined) {
        if (state === 'fulfilled') next.fulfil(value);
        else next.reject(value);
        return;
      }
      try {
        const made = handler(value);
        next.fulfil(made instanceof Generator ? yield* made : made);
      } catch (error) {
        next.reject(error);
      }
    });
  }
}

export const awaited = (value) => new Await(value);

/** Runs the body of an async function up to its first `await`, and the rest as microtasks. */
export function* startAsync(body) {
  const promise = new ModelPromise();
  yield* drive(body(), promise, 'next', undefined);
  return promise;
}

function* drive(body, promise, how, value) {
  for (;;) {
    let result;
    try {
      result = body[how](value);
    } catch (error) {
      promise.reject(error);
      return;
    }
    if (result.done) {
      promise.fulfil(result.value);
      return;
    }
    if (result.value instanceof Await) {
      ModelPromise.resolve(result.value.value).then(
        (fulfilled) => drive(body, promise, 'next', fulfilled),
        (error) => drive(body, promise, 'throw', error),
      );
      return;
    }
    value = yield result.value;
    how = 'next';
  }
}

export class Thread {
  constructor(machine, index) {
    this.machine = machine;
    this.index = index;
    this.state = READY;
    /** The operation it is about to do. */
    this.next = START;
    /** What a sleeper will be told when it takes its next step. */
    this.wokenBy = undefined;
    /** When it gives up waiting. */
    this.deadline = Infinity;
    this.microtasks = [];
    this.tasks = [];
    this.timers = new Set();
    this.generator = undefined;
    /** All that its code depends on: two threads of the same program that have seen the same are in the same state. */
    this.seen = 0x811c9dc5;
    this.seenToo = index + 1;
  }

  start(program) {
    this.generator = this.#main(program);
  }

  *#main(program) {
    let failure;
    const promise = yield* startAsync(program);
    promise.then(undefined, (error) => {
      failure = { error };
    });
    for (;;) {
      while (this.microtasks.length > 0) {
        yield* this.microtasks.shift()();
        if (failure !== undefined) throw failure.error;
      }
      const task = this.#nextTask();
      if (task !== undefined) {
        const job = task();
        if (job instanceof Generator) yield* job;
      } else if (this.timers.size > 0) yield WAIT_FOR_TASK;
      else return;
    }
  }

  #nextTask() {
    if (this.tasks.length > 0) return this.tasks.shift();
    for (const timer of this.timers) {
      if (timer.due > this.machine.now) continue;
      if (timer.interval === undefined) this.timers.delete(timer);
      else timer.due = this.machine.now + timer.interval;
      return timer.callback;
    }
    return undefined;
  }

  addTimer(callback, delay, interval) {
    const timer = { callback, due: this.machine.now + delay, interval };
    this.timers.add(timer);
    return timer;
  }

  /** Mixes into the memory of what it has seen something that it sees. FNV-1a and a second stream. */
  see(value) {
    const bits = value | 0;
    this.seen = Math.imul(this.seen ^ bits, 0x01000193);
    this.seenToo = Math.imul(this.seenToo + bits + 0x9e3779b9, 0x85ebca6b) ^ (this.seenToo >>> 13);
  }

  /** Runs it up to its next operation. */
  resume(value) {
    this.see(typeof value === 'string' ? value.length + 1e6 : value === undefined ? 2e6 : value);
    const outer = current;
    current = this;
    this.state = READY;
    this.deadline = Infinity;
    try {
      const { done, value: next } = this.generator.next(value);
      this.next = done ? undefined : (next ?? EDGE);
      if (done) this.state = ENDED;
    } finally {
      current = outer;
    }
  }
}

export class Machine {
  /** @param ignored offsets of words that nobody decides by, such as statistics */
  constructor(count, ignored = () => false) {
    this.ignored = ignored;
    this.now = 1000;
    this.steps = 0;
    /** Who waits on which word, in the order they came. */
    this.waiters = [];
    this.threads = Array.from({ length: count }, (_, index) => new Thread(this, index));
    this.deaths = 0;
    /** How often nothing could go on before the clock moved. */
    this.stalls = 0;
  }

  isSeen(words, at) {
    return words.BYTES_PER_ELEMENT === 4 && !this.ignored(at);
  }

  /**
   * A number that tells states apart, but for one in 2^53: what the memory holds, what each thread has seen, who
   * sleeps in which order, and the clock.
   */
  fingerprint(words, extra) {
    let a = extra | 0;
    let b = 0x9e3779b9 ^ extra;
    const mix = (value) => {
      a = Math.imul(a ^ value, 0x01000193);
      b = Math.imul(b + value, 0x85ebca6b) ^ (b >>> 13);
    };
    for (let at = 0; at < words.length; at++)
      if (words[at] !== 0 && !this.ignored(at)) (mix(at), mix(words[at]));
    for (const { seen, seenToo, state, wokenBy, tasks, deadline } of this.threads) {
      mix(seen);
      mix(seenToo);
      mix(deadline === Infinity ? -1 : deadline);
      mix(state.length * 4 + (wokenBy === undefined ? 0 : wokenBy.length) + tasks.length * 64);
    }
    for (const { thread, at, promise } of this.waiters)
      mix(thread.index * 2 + (promise === undefined ? 0 : 1) + at * 16);
    mix(this.now);
    return (a >>> 0) * 2 ** 21 + (b >>> 11);
  }

  /** Runs code as that thread, at once and outside the model: for what comes before the threads start. */
  as(index, code) {
    const outer = current;
    current = this.threads[index];
    try {
      return runAtOnce(code());
    } finally {
      current = outer;
    }
  }

  /** The thread takes its next step. */
  step(index) {
    const thread = this.threads[index];
    const { next } = thread;
    this.steps++;
    if (thread.wokenBy !== undefined) {
      const result = thread.wokenBy;
      thread.wokenBy = undefined;
      thread.resume(result);
    } else if (next === START || next === EDGE) thread.resume(undefined);
    else if (next === WAIT_FOR_TASK) this.#idle(thread);
    else if (next.kind === 'wait') this.#wait(thread, next);
    else thread.resume(this.#performAs(thread, next));
  }

  #performAs(thread, operation) {
    const outer = current;
    current = thread;
    try {
      return this.perform(operation);
    } finally {
      current = outer;
    }
  }

  #idle(thread) {
    if (thread.tasks.length > 0) {
      thread.resume(undefined);
      return;
    }
    thread.deadline = Infinity;
    for (const { due } of thread.timers) thread.deadline = Math.min(thread.deadline, due);
    if (thread.deadline <= this.now) thread.resume(undefined);
    else thread.state = IDLE;
  }

  #wait(thread, { words, at, a, b }) {
    if (words[at] !== a) thread.resume('not-equal');
    else if (b <= 0) thread.resume('timed-out');
    else {
      thread.state = ASLEEP;
      thread.deadline = b === undefined ? Infinity : this.now + b;
      this.waiters.push({ thread, words, at, promise: undefined });
    }
  }

  perform({ kind, words, at, a, b }) {
    const old = words[at];
    switch (kind) {
      case 'load':
        return old;
      case 'store':
        words[at] = a;
        return a;
      case 'add':
        words[at] = old + a;
        return old;
      case 'or':
        words[at] = old | a;
        return old;
      case 'exchange':
        words[at] = a;
        return old;
      case 'compareExchange':
        if (old === a) words[at] = b;
        return old;
      case 'wait': // At once: nobody else is there who could notify.
        return old === a ? 'timed-out' : 'not-equal';
      case 'notify':
        return this.#notify(words, at, a ?? Infinity);
      case 'waitAsync':
        return this.#waitAsync(words, at, a);
      default:
        throw new Error(`no rule for Atomics.${kind}`);
    }
  }

  #waitAsync(words, at, value) {
    if (words[at] !== value) return { async: false, value: 'not-equal' };
    const promise = new ModelPromise();
    this.waiters.push({ thread: current, words, at, promise });
    return { async: true, value: promise };
  }

  #notify(words, at, count) {
    let woken = 0;
    this.waiters = this.waiters.filter((waiter) => {
      if (woken >= count || waiter.at !== at || waiter.words.buffer !== words.buffer) return true;
      woken++;
      this.#wake(waiter);
      return false;
    });
    return woken;
  }

  #wake({ thread, promise }) {
    if (promise === undefined) {
      thread.wokenBy = 'ok';
      thread.state = READY;
    } else {
      thread.tasks.push(() => promise.fulfil('ok'));
      if (thread.state === IDLE) thread.state = READY;
    }
  }

  /** Nobody can take a step: the clock moves to the earliest deadline. False: there is none. */
  advance() {
    let earliest = Infinity;
    for (const { state, deadline } of this.threads)
      if (state === ASLEEP || state === IDLE) earliest = Math.min(earliest, deadline);
    if (earliest === Infinity) return false;
    this.now = Math.max(this.now, earliest);
    for (const thread of this.threads) if (thread.deadline <= this.now) this.timeOut(thread);
    return true;
  }

  /** What the thread waits for does not come in time. */
  timeOut(thread) {
    if (thread.state === ASLEEP) {
      this.waiters = this.waiters.filter(
        (waiter) => waiter.thread !== thread || waiter.promise !== undefined,
      );
      thread.wokenBy = 'timed-out';
    }
    thread.state = READY;
    thread.deadline = Infinity;
  }

  kill(index) {
    const thread = this.threads[index];
    thread.state = DEAD;
    this.waiters = this.waiters.filter((waiter) => waiter.thread !== thread);
    this.deaths++;
  }
}
