/** Worker threads that stand at gates, for the main thread that leads them. */
import { once } from 'node:events';
import { Worker } from 'node:worker_threads';
import { Gate, createControl } from './gate.mjs';

/** Milliseconds after which something that must come is said not to come. */
export const PATIENCE = 10_000;

/** Something that had to happen in real threads did not. */
export class Overdue extends Error {}

class RealThread {
  constructor(url, events, data) {
    const control = createControl();
    this.gate = new Gate(control, events);
    this.error = undefined;
    this.worker = new Worker(url, { workerData: { ...data, control, events } });
    this.worker.on('error', (error) => {
      this.error = error;
    });
    this.exited = once(this.worker, 'exit').catch(() => {});
  }

  /** Has it start something new. */
  start(message) {
    this.gate.reset();
    this.worker.postMessage(message);
  }

  /** Its event loop has nothing more to do than to listen to us: it ends. What it awaits does not keep it. */
  async leave() {
    this.worker.postMessage('leave');
    await soon(this.exited, 'a worker whose program has ended does not exit');
  }

  async terminate() {
    await this.worker.terminate();
  }
}

async function soon(promise, what) {
  let timer;
  const late = new Promise((_, reject) => {
    timer = setTimeout(() => reject(new Overdue(what)), PATIENCE);
  });
  try {
    await Promise.race([promise, late]);
  } finally {
    clearTimeout(timer);
  }
}

/** Threads of one kind. Those that are given back are used again; a few spare ones are started ahead. */
export class RealThreads {
  #url;
  #data;
  #spares;
  #free = [];
  #all = new Set();
  #events = new Int32Array(new SharedArrayBuffer(4));

  constructor(url, data = {}, spares = 4) {
    this.#url = url;
    this.#data = data;
    this.#spares = spares;
  }

  take() {
    while (this.#free.length <= this.#spares) this.#free.push(this.#create());
    return this.#free.shift();
  }

  #create() {
    const thread = new RealThread(this.#url, this.#events, this.#data);
    this.#all.add(thread);
    void thread.exited.then(() => this.#all.delete(thread));
    return thread;
  }

  giveBack(thread) {
    this.#free.unshift(thread);
  }

  /**
   * Blocks until it is so. Whatever threads do at their gates ends a pause; what V8 does is looked at now and then.
   * @param {() => string | null} difference null: it is so
   */
  until(difference, patience = PATIENCE) {
    const end = performance.now() + patience;
    for (let tries = 0; ; tries++) {
      const seen = Atomics.load(this.#events, 0);
      const found = difference();
      if (found === null) return;
      if (performance.now() > end) throw new Overdue(found);
      if (tries > 20) Atomics.wait(this.#events, 0, seen, 0.1);
    }
  }

  async close() {
    await Promise.all([...this.#all].map((thread) => thread.terminate()));
  }
}
