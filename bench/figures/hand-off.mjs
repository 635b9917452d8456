import { addAbortListener, once } from 'node:events';
import { Worker } from 'node:worker_threads';
import { Mutex } from 'mortise';
import { stepsPerMicrosecond } from '../contention/work.mjs';
import { duration } from '../units.mjs';
import { atMost } from './figure.mjs';
import { median } from './median.mjs';

const rounds = 25;
const turns = 1_000;
/** Longer than any lock here spins. */
const microsecondsToSleep = 50;

/**
 * How long it takes from a release in one thread until the thread that sleeps on the lock has it, against raw
 * `Atomics.wait` and `notify` between the same two threads. See hand-off-worker.mjs.
 * @param {(share: number) => void} onProgress @param {AbortSignal} signal
 * @returns {Promise<import('./figure.mjs').Figure[]>}
 */
export async function handOff(onProgress, signal) {
  const mutexes = Array.from({ length: 3 }, () => new Mutex());
  const memory = new SharedArrayBuffer(512);
  const handles = mutexes.map((mutex) => mutex.handle);
  const stepsToSleep = Math.round(microsecondsToSleep * stepsPerMicrosecond());
  const workers = [0, 1].map((side) => {
    const workerData = { side, memory, handles, stepsToSleep };
    return new Worker(new URL('./hand-off-worker.mjs', import.meta.url), { workerData });
  });
  const end = () => Promise.all(workers.map((worker) => worker.terminate()));
  const aborted = addAbortListener(signal, () => void end());
  const milliseconds = { raw: [], mutex: [] };
  const ratios = [];
  try {
    for (let round = -2; round < rounds; round++) {
      const times = {};
      for (const kind of ['raw', 'mutex']) {
        for (const worker of workers) worker.postMessage({ kind, turns });
        const taken = await Promise.all(workers.map((worker) => once(worker, 'message')));
        times[kind] = (taken[0][0] + taken[1][0]) / (2 * turns);
      }
      if (round < 0) continue;
      milliseconds.raw.push(times.raw);
      milliseconds.mutex.push(times.mutex);
      ratios.push(times.mutex / times.raw);
      onProgress((round + 1) / rounds);
    }
  } finally {
    aborted[Symbol.dispose]();
    await end();
  }
  const [mine, raw] = [milliseconds.mutex, milliseconds.raw].map((times) => duration(median(times)));
  const what = 'hand-off between two blocked threads, against raw Atomics.wait and notify';
  return [atMost(what, median(ratios), 1.5, { detail: `${mine} against ${raw}` })];
}
