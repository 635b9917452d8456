/**
 * One thread of a model: generators that yield the operation they are about to do, and an event loop that runs them.
 *
 * | state | says | next |
 * |---|---|---|
 * | READY | can take a step | any |
 * | ASLEEP | in `Atomics.wait` | READY: notified, or its time is up |
 * | IDLE | its event loop has nothing to do | READY: a `waitAsync` was notified, or a timer is due |
 * | ENDED | its programs have returned; its waits are forgotten | |
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

export class Operation {
  constructor(kind, words, at, a, b, site) {
    this.kind = kind;
    this.words = words;
    this.at = at;
    this.a = a;
    this.b = b;
    /** Index of where it stands in the library; -1: in no module. */
    this.site = site;
  }
}
export const atomic = (kind, words, at, a, b, site = -1) => new Operation(kind, words, at, a, b, site);

export const START = new Operation('start');
export const WAIT_FOR_TASK = new Operation('idle');
/** Before a task is taken. */
export const TURN = new Operation('turn');
/** The end of a thread that leaves an armed `waitAsync` behind: only then is that off the list. */
export const EXIT = new Operation('exit');
/** A loop's edge: a thread can die there, and nothing else happens. */
export const EDGE = new Operation('edge');
/** A function's entry: a thread can die there as well, or its stack be full. */
export const ENTRY = new Operation('edge');
/** Can a thread still die, or its stack be full? Otherwise nothing happens at an edge, and nobody stops there. */
export const mortality = { isLeft: false };

/** Nobody writes to it: `AsyncLocalStorage` makes a new one. */
const NO_CONTEXT = [];

/** The thread whose code runs. */
let current;
export const currentThread = () => current;
export function runAs(thread, code) {
  const outer = current;
  current = thread;
  try {
    return code();
  } finally {
    current = outer;
  }
}

/** A running function of the library: what its locals are where it stands. */
export class Frame {
  constructor(enteredAt, self, outer, parent, promise) {
    this.enteredAt = enteredAt;
    this.self = self;
    this.outer = outer;
    this.parent = parent;
    /** Of an async function. */
    this.promise = promise;
    this.point = -1;
    this.locals = undefined;
    /** On its way through a `finally`. */
    this.value = undefined;
  }
}

export function enter(point, self, outer) {
  const frame = new Frame(point, self, outer, current.top, current.entering);
  current.entering = undefined;
  return frame;
}

export function top(frame, point, locals, value) {
  current.top = frame;
  frame.point = point;
  frame.locals = locals;
  return value;
}

/** Lets a function tell what it has captured. */
export function closure(made, point, outer) {
  made.point = point;
  made.outer = outer;
  return made;
}

export class Thread {
  constructor(machine, index) {
    this.machine = machine;
    this.index = index;
    this.state = READY;
    /** Has it done any operation yet? */
    this.hasBegun = false;
    /** The operation it is about to do. */
    this.next = START;
    /** What a sleeper will be told when it takes its next step. */
    this.wokenBy = undefined;
    /** When it gives up waiting. */
    this.deadline = Infinity;
    /** What will happen at an operation, and the result of the one after which it was paused. */
    this.fate = undefined;
    this.late = undefined;
    /** Milliseconds until it gets a processor after it was woken. */
    this.slowness = 0;
    /** How often it went to sleep, by word. */
    this.sleeps = new Map();
    /** The job that runs, those in the microtask queue, tasks, and timers. */
    this.job = null;
    this.microtasks = [];
    this.tasks = [];
    /** Promises of `waitAsync` that were notified: one task settles all that are there when it runs. */
    this.notified = [];
    this.timers = new Set();
    /** What `AsyncLocalStorage` knows. */
    this.context = NO_CONTEXT;
    /** The innermost function that runs; the promise of the async function that is being entered. */
    this.top = null;
    this.entering = undefined;
    /** A generator that yields the jobs it takes up, and what it stops at itself; what runs of its last job. */
    this.loop = undefined;
    this.running = undefined;
    /** Whatever its code can reach otherwise: its locks. */
    this.roots = undefined;
    /** What the scheduler can abort. */
    this.signal = undefined;
    /** Does it call from so deep that its stack can be full? */
    this.isDeep = false;
  }

  start(programs) {
    this.loop = this.#eventLoop(programs);
  }

  *#eventLoop(programs) {
    let failure;
    const fail = (error) => {
      failure = { error };
    };
    let running = 0;
    const end = () => {
      running--;
    };
    for (const program of programs) {
      this.top = null;
      const made = program();
      const promise = made instanceof Generator ? yield made : made;
      if (promise === undefined) continue;
      running++;
      promise.then(end, fail);
    }
    for (;;) {
      while (this.microtasks.length > 0) {
        const made = this.#take(this.microtasks.shift());
        if (made instanceof Generator) yield made;
        this.#leave();
        if (failure !== undefined) throw failure.error;
      }
      if (this.machine.turns && this.signal !== undefined && this.#hasTask()) yield TURN;
      const task = this.#nextTask();
      if (task !== undefined) {
        const made = this.#take(task);
        if (made instanceof Generator) yield made;
        this.#leave();
      } else if (this.timers.size > 0) yield WAIT_FOR_TASK;
      else if (running > 0) throw new Error(`nothing keeps thread ${this.index} alive, and it has not ended`);
      else if (this.machine.waiters.every(({ thread }) => thread !== this)) break;
      else {
        // An armed `waitAsync` does not keep the event loop; notified meanwhile, it still fires.
        yield EXIT;
        if (this.tasks.length === 0) break;
      }
    }
    if (mortality.isLeft) yield EDGE;
  }

  /** What there is to run of it, if it is a generator. */
  #take(job) {
    this.job = job;
    this.top = null;
    this.context = job.context;
    return job.run();
  }

  #leave() {
    this.job = null;
    this.top = null;
    this.context = NO_CONTEXT;
  }

  #hasTask() {
    return this.tasks.length > 0 || [...this.timers].some(({ due }) => due <= this.machine.now);
  }

  #nextTask() {
    if (this.tasks.length > 0) return this.tasks.shift();
    for (const timer of this.timers) {
      if (timer.due > this.machine.now) continue;
      if (timer.interval === undefined) this.timers.delete(timer);
      else timer.due = this.machine.now + timer.interval;
      return timer;
    }
    return undefined;
  }

  addTimer(callback, delay, interval) {
    const timer = new Timer(callback, this.machine.now + delay, interval, this.context);
    this.timers.add(timer);
    return timer;
  }

  /** Before it takes a task, or when it has none: elsewhere an abort is one of the tasks it comes to later. */
  get wouldNoticeAbort() {
    const { next, state } = this;
    return state === IDLE || next === TURN || next === WAIT_FOR_TASK || next === EXIT;
  }

  /** Has a situation something in store for it at this operation? */
  meets({ kind, at }) {
    const { fate } = this;
    return fate !== undefined && fate.kind === kind && (fate.at === undefined || fate.at === at);
  }

  /** A promise of its `waitAsync` was notified. */
  notify(promise) {
    if (this.notified.push(promise) === 1) this.addTask(new Answer(this));
  }

  addTask(task) {
    this.tasks.push(task);
    if (this.state === IDLE) this.state = READY;
  }

  /** Runs it up to its next operation. */
  resume(value) {
    this.#goOn('next', value);
  }

  /** Runs it on from the entry of a function for which its stack has no room. */
  overflow() {
    this.#goOn('throw', new RangeError('Maximum call stack size exceeded'));
  }

  #goOn(how, value) {
    const outer = current;
    current = this;
    this.state = READY;
    this.deadline = Infinity;
    try {
      this.next = this.#runOn(how, value);
      if (this.next === undefined) this.machine.end(this, ENDED);
    } finally {
      current = outer;
    }
  }

  /** Undefined: it has ended. Jobs are not delegated to: each generator around takes time at each step. */
  #runOn(how, value) {
    for (;;) {
      const { running } = this;
      const result = running === undefined ? this.loop[how](value) : running[how](value);
      if (running === undefined) {
        if (result.done || result.value instanceof Operation) return result.value;
        this.running = result.value;
        value = undefined;
      } else {
        if (!result.done) return result.value;
        this.running = undefined;
        value = result.value;
      }
      how = 'next';
    }
  }
}

class Timer {
  constructor(callback, due, interval, context) {
    this.callback = callback;
    this.due = due;
    this.interval = interval;
    this.context = context;
  }

  run() {
    return this.callback();
  }
}

/** Tells a thread which of its `waitAsync` were notified. */
class Answer {
  constructor(thread) {
    this.thread = thread;
    this.context = NO_CONTEXT;
  }

  run() {
    for (const promise of this.thread.notified.splice(0)) promise.fulfil('ok');
  }
}

/** An abort by somebody outside. */
export class Abort {
  constructor(signal) {
    this.signal = signal;
    this.context = NO_CONTEXT;
  }

  run() {
    return this.signal.abort();
  }
}
