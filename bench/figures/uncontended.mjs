import { fork } from 'node:child_process';
import { addAbortListener, once } from 'node:events';
import { Worker } from 'node:worker_threads';
import 'mortise'; // before the workers, so that they inherit the default space
import { atMost, unbounded } from './figure.mjs';
import { median } from './median.mjs';

/** V8 does not compile the same code alike every time: the median of so many fresh processes, one by one. */
const repetitions = 7;
const names = ['mutex', 'semaphore', 'read lock', 'write lock'];

/**
 * The cost of a lock that nobody else wants, against the two atomic operations that any lock needs. The bound is
 * for a mutex in the main thread of a process that uses nothing else. Beside it: the same in a worker thread, whose
 * garbage collector lets the guards fill more memory before it comes round, and all locks in one process.
 * @param {(share: number) => void} onProgress @param {AbortSignal} signal
 * @returns {Promise<import('./figure.mjs').Figure[]>}
 */
export function uncontended(onProgress, signal) {
  const what = 'blocking, against the raw pair';
  return figures('./blocking-batches.mjs', what, { bound: 1.4, aim: 1.2 }, onProgress, signal);
}

/**
 * The cost of `await lock.acquire()` and `release()` when nobody else wants the lock, against the least that
 * such code can cost: an await of an async function that returns a fresh object, and the raw pair.
 * @param {(share: number) => void} onProgress @param {AbortSignal} signal
 * @returns {Promise<import('./figure.mjs').Figure[]>}
 */
export function uncontendedAsync(onProgress, signal) {
  const what = 'async, against await of a fresh object and the raw pair';
  return figures('./awaiting-batches.mjs', what, { bound: 1.5 }, onProgress, signal);
}

async function figures(file, what, { bound, aim }, onProgress, signal) {
  const url = new URL(file, import.meta.url);
  const inProcess = (locks) => fork(url, locks, { signal, killSignal: 'SIGKILL' });
  const inWorker = (locks) => {
    const worker = new Worker(url, { argv: locks });
    const aborted = addAbortListener(signal, () => void worker.terminate());
    worker.once('exit', () => aborted[Symbol.dispose]());
    return worker;
  };
  const part = (index) => (share) => onProgress((index + share) / 3);
  const alone = await repeated(() => inProcess(['mutex']), part(0), signal);
  const worker = await repeated(() => inWorker(['mutex']), part(1), signal);
  const together = await repeated(() => inProcess(names), part(2), signal);
  const { ratio, detail } = summary(alone, 0);
  const beside = (name, one) => unbounded(name, one.ratio, one.detail);
  return [
    atMost(`uncontended mutex, ${what}`, ratio, bound, { aim, detail }),
    beside('the same in a worker thread', summary(worker, 0)),
    ...names.map((name, index) => beside(`${name}, all four in one process`, summary(together, index))),
  ];
}

/** @typedef {{ base: number, cases: { ratio: number, time: number }[] }} Measured nanoseconds, by lock */

/** @param {() => import('node:events').EventEmitter} start says what it measured in one message, and ends */
export async function repeated(start, onProgress, signal, times = repetitions) {
  /** @type {Measured[]} */
  const all = [];
  for (let repetition = 0; repetition < times; repetition++) {
    onProgress(repetition / times);
    const measuring = start();
    const ended = once(measuring, 'exit').then(() => null);
    const message = await Promise.race([once(measuring, 'message'), ended]);
    signal.throwIfAborted();
    if (message === null) throw new Error('a measurement ended without a result');
    all.push(message[0]);
    await ended;
  }
  return all;
}

/** @param {Measured[]} measured @param {number} index of the lock */
export function summary(measured, index) {
  const base = median(measured.map((one) => one.base));
  const cases = measured.map((one) => one.cases[index]);
  const time = median(cases.map((one) => one.time));
  const ratios = cases.map(({ ratio }) => ratio);
  const range = `${Math.min(...ratios).toFixed(2)} to ${Math.max(...ratios).toFixed(2)}`;
  const detail = `${time.toFixed(1)} ns against ${base.toFixed(1)} ns; ${range} in ${repetitions} runs`;
  return { ratio: median(ratios), detail };
}
