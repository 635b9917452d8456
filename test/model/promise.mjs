/** Promises, async functions and async context of a model's threads: jobs are generators, and the scheduler's. */
import { Generator, currentThread } from './thread.mjs';

/** What an async function stops at. */
export class Await {
  constructor(value) {
    this.value = value;
  }
}
export const awaited = (value) => new Await(value);

/** Settles the promise of `then` by what the handler makes of the value. */
class ReactionJob {
  constructor(reaction, state, value) {
    this.reaction = reaction;
    this.state = state;
    this.value = value;
    this.context = reaction.context;
  }

  *run() {
    const { onFulfilled, onRejected, next } = this.reaction;
    const handler = this.state === 'fulfilled' ? onFulfilled : onRejected;
    if (handler === undefined) {
      if (this.state === 'fulfilled') next.fulfil(this.value);
      else next.reject(this.value);
      return;
    }
    try {
      const made = handler(this.value);
      next.fulfil(made instanceof Generator ? yield* made : made);
    } catch (error) {
      next.reject(error);
    }
  }
}

/** Lets a promise follow another one. */
class FollowJob {
  constructor(promise, other, context) {
    this.promise = promise;
    this.other = other;
    this.context = context;
  }

  run() {
    const { promise } = this;
    const resolve = (value) => promise.settle('fulfilled', value);
    const reject = (error) => promise.settle('rejected', error);
    resolve.of = promise;
    reject.of = promise;
    this.other.then(resolve, reject);
  }
}

/** A promise of one thread: its reactions are jobs in the thread's microtask queue, and may be generators. */
export class ModelPromise {
  constructor() {
    this.state = 'pending';
    /** Settled, or bound to follow another promise. */
    this.isResolved = false;
    this.value = undefined;
    this.reactions = [];
  }

  static *make(executor) {
    const promise = new ModelPromise();
    const resolve = (value) => promise.fulfil(value);
    const reject = (error) => promise.reject(error);
    // Tells a state in which one of them is kept from another.
    resolve.of = promise;
    reject.of = promise;
    try {
      const job = executor(resolve, reject);
      if (job instanceof Generator) yield* job;
    } catch (error) {
      promise.reject(error);
    }
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

  /** The function that resolves a promise. Another promise is followed from a job on, as V8 does it. */
  fulfil(value) {
    if (this.isResolved) return;
    this.isResolved = true;
    if (value === this)
      this.settle('rejected', new TypeError('Chaining cycle detected for promise #<Promise>'));
    else if (value instanceof ModelPromise) {
      const thread = currentThread();
      thread.microtasks.push(new FollowJob(this, value, thread.context));
    } else this.settle('fulfilled', value);
  }

  reject(error) {
    if (this.isResolved) return;
    this.isResolved = true;
    this.settle('rejected', error);
  }

  settle(state, value) {
    this.state = state;
    this.value = value;
    for (const reaction of this.reactions) this.#schedule(reaction);
    this.reactions.length = 0;
  }

  then(onFulfilled, onRejected) {
    const thread = currentThread();
    const next = new ModelPromise();
    const reaction = { onFulfilled, onRejected, next, thread, context: thread.context };
    if (this.state === 'pending') this.reactions.push(reaction);
    else this.#schedule(reaction);
    return next;
  }

  #schedule(reaction) {
    reaction.thread.microtasks.push(new ReactionJob(reaction, this.state, this.value));
  }
}

/** Goes on with the body of an async function. Its frame and its promise tell a state from another. */
class Resumption {
  constructor(body, promise, frame) {
    this.body = body;
    this.promise = promise;
    this.frame = frame;
    const goOn = (value) => this.#resume('next', value);
    const fail = (error) => this.#resume('throw', error);
    this.onFulfilled = goOn;
    this.onRejected = fail;
    this.onFulfilled.of = this;
    this.onRejected.of = this;
  }

  #resume(how, value) {
    const thread = currentThread();
    thread.top = this.frame;
    return new Activation(this.body, this.promise, how, value);
  }
}

/** Runs the body of an async function, a generator, up to its first `await`, and the rest as microtasks. */
export function startAsync(body) {
  const promise = new ModelPromise();
  currentThread().entering = promise;
  return new Activation(body, promise);
}

/** From one `await` of an async function to the next: a generator, but for the time a real one would take at each step. */
class Activation extends Generator {
  /** @param how `next` or `throw`, and what: with these it begins */
  constructor(body, promise, how = 'next', value = undefined) {
    super();
    this.body = body;
    this.promise = promise;
    this.how = how;
    this.value = value;
    this.hasBegun = false;
  }

  next(value) {
    if (this.hasBegun) return this.#goOn('next', value);
    this.hasBegun = true;
    return this.#goOn(this.how, this.value);
  }

  /** The stack was full where it stands. */
  throw(error) {
    return this.#goOn('throw', error);
  }

  #goOn(how, value) {
    const { body, promise } = this;
    let result;
    try {
      result = body[how](value);
    } catch (error) {
      promise.reject(error);
      return { done: true, value: promise };
    }
    if (result.done) promise.fulfil(result.value);
    else if (result.value instanceof Await) this.#await(result.value);
    else return result;
    return { done: true, value: promise };
  }

  #await({ value }) {
    const { top } = currentThread();
    if (top !== null) top.parent = null; // Whoever called it goes on without it.
    const { onFulfilled, onRejected } = new Resumption(this.body, this.promise, top);
    ModelPromise.resolve(value).then(onFulfilled, onRejected);
  }
}

/** A callback in the microtask queue. */
export class CallbackJob {
  constructor(callback, context) {
    this.callback = callback;
    this.context = context;
  }

  run() {
    return this.callback();
  }
}

/** As of `node:async_hooks`: what `run` gives is seen by its body, and by what the body awaits. */
export class AsyncLocalStorage {
  getStore() {
    return currentThread().context.find(({ storage }) => storage === this)?.store;
  }

  *run(store, body) {
    const thread = currentThread();
    const outer = thread.context;
    thread.context = [{ storage: this, store }, ...outer.filter(({ storage }) => storage !== this)];
    try {
      const made = body();
      return made instanceof Generator ? yield* made : made;
    } finally {
      thread.context = outer;
    }
  }
}

/** As of the DOM, of one thread: its listeners are called when the scheduler aborts it. */
export class ModelSignal {
  constructor() {
    this.aborted = false;
    this.reason = undefined;
    this.listeners = new Set();
  }

  addEventListener(_type, listener) {
    this.listeners.add(listener);
  }

  removeEventListener(_type, listener) {
    this.listeners.delete(listener);
  }

  throwIfAborted() {
    if (this.aborted) throw this.reason;
  }

  *abort() {
    this.aborted = true;
    this.reason = Object.assign(new Error('aborted'), { code: 'ABORTED' });
    for (const listener of this.listeners) {
      const made = listener.call(this);
      if (made instanceof Generator) yield* made;
    }
  }
}
