import { addAbortListener, once } from 'node:events';
import { Worker } from 'node:worker_threads';
import { Control } from './control.mjs';
import { jainIndex } from './fairness.mjs';
import { waitQuantiles } from './histogram.mjs';
import { loadLock } from './locks.mjs';

/** How long after the end of a round its threads may take to stop before they are said to be stuck. */
const patience = 5_000;

/**
 * @typedef {object} Round
 * @property {number} threads that take part
 * @property {number} seconds
 * @property {import('./visitor.mjs').Load} load
 *
 * @typedef {object} RoundResult
 * @property {number} threads
 * @property {number} seconds from the first thread's start to the last one's end
 * @property {number} operations
 * @property {number} perSecond
 * @property {{ p50: number, p99: number, p999: number, worst: number } | null} wait milliseconds; null: not timed
 * @property {number} fairness Jain's index of the operations of the threads
 * @property {number} cpuSeconds of the whole process
 * @property {string | null} broken how exclusion was violated
 */

/** Threads did not come back from their last wait: the lock was lost. */
export class StuckError extends Error {
  /** @param {number} threads that took part */
  constructor(threads) {
    super(`one of ${threads} threads still waited ${patience / 1e3} s after the others had stopped`);
    this.name = 'StuckError';
  }
}

/** Threads that use one lock. They are started once and sleep at a gate before each round. */
export class Team {
  #workers;
  #control;
  #dispose;
  #abort;
  #running = false;

  /** Use `Team.start`. */
  constructor(workers, control, dispose, signal) {
    this.#workers = workers;
    this.#control = control;
    this.#dispose = dispose;
    this.#abort = signal && addAbortListener(signal, () => void this.#terminate());
  }

  /**
   * @param {string} name of a lock in `locks/`
   * @param {number} threads
   * @param {AbortSignal} [signal] ends the threads at any time
   */
  static async start(name, threads, signal) {
    const { create, startsOneByOne } = await loadLock(name);
    const { shared, dispose } = create();
    const control = new Control(threads);
    const workers = [];
    const team = new Team(workers, control, dispose, signal);
    try {
      const opened = [];
      for (let index = 0; index < threads; index++) {
        const workerData = { name, shared, control: control.memory, threads, index };
        workers.push(new Worker(new URL('./worker.mjs', import.meta.url), { workerData }));
        opened.push(said(workers[index], 'open'));
        if (startsOneByOne) await opened[index];
      }
      await Promise.all(opened);
      return team;
    } catch (error) {
      await team.#terminate();
      throw error;
    }
  }

  /** @param {Round} round @returns {Promise<RoundResult>} */
  async run({ threads, seconds, load }) {
    const control = this.#control;
    const workers = this.#workers.slice(0, threads);
    this.#running = true;
    const round = control.prepare();
    const ready = workers.map((worker) => said(worker, 'ready'));
    for (const worker of workers) worker.postMessage({ round, load });
    await Promise.all(ready);
    const done = Promise.all(workers.map((worker) => said(worker, 'done')));
    const before = process.cpuUsage();
    control.openGate();
    await within(seconds * 1e3, done);
    control.stop(round);
    if ((await within(patience, done)) === undefined) {
      throw new StuckError(threads);
    }
    const { user, system } = process.cpuUsage(before);
    this.#running = false;
    return summary(control, threads, load, (user + system) / 1e6);
  }

  /** Ends the threads, and gives the lock back unless a round was cut short, with threads inside. */
  async close() {
    this.#abort?.[Symbol.dispose]();
    await this.#terminate();
    if (!this.#running) this.#dispose?.();
  }

  async #terminate() {
    await Promise.all(this.#workers.map((worker) => worker.terminate()));
  }
}

/** Resolves when the worker says so; rejects when it fails or ends. */
async function said(worker, word) {
  const over = new AbortController();
  const { signal } = over;
  try {
    const ended = once(worker, 'exit', { signal }).then(([code]) => {
      throw new Error(`a thread of the team ended with code ${code}`);
    });
    const [message] = await Promise.race([once(worker, 'message', { signal }), ended]);
    if (message !== word) throw new Error(`expected "${word}" of a thread, not "${message}"`);
    return true;
  } finally {
    over.abort();
  }
}

/** What the promise resolves to, or undefined after so many milliseconds. */
async function within(milliseconds, promise) {
  let timer;
  const late = new Promise((resolve) => (timer = setTimeout(resolve, milliseconds)));
  try {
    return await Promise.race([promise, late]);
  } finally {
    clearTimeout(timer);
  }
}

function summary(control, threads, load, cpuSeconds) {
  const tallies = control.tallies.slice(0, threads);
  const each = tallies.map(({ operations }) => operations);
  const operations = sum(each);
  const start = Math.min(...tallies.map((tally) => tally.start));
  const seconds = (Math.max(...tallies.map((tally) => tally.finish)) - start) / 1e3;
  return {
    threads,
    seconds,
    operations,
    perSecond: operations / seconds,
    wait: load.timed ? waitQuantiles(tallies.map(({ waits }) => waits)) : null,
    fairness: jainIndex(each),
    cpuSeconds,
    broken: violation(control, tallies),
  };
}

function violation(control, tallies) {
  const expected = sum(tallies.map(({ exclusive }) => exclusive));
  if (control.value !== expected) return `${expected} exclusive visits left a count of ${control.value}`;
  const violations = sum(tallies.map((tally) => tally.violations));
  return violations > 0 ? `${violations} visits met somebody who had to be outside` : null;
}

const sum = (numbers) => numbers.reduce((total, number) => total + number, 0);
