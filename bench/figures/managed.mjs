import { fork } from 'node:child_process';
import { count, duration } from '../units.mjs';
import { atMost, unbounded } from './figure.mjs';
import { repeated, summary } from './uncontended.mjs';

const megabyte = 2 ** 20;

/**
 * What names cost: `locks.lock(name).acquire()` on memory beside `mutex.acquire()` of the same lock, also while they are
 * counted, and what a million names leave behind.
 * @param {(share: number) => void} onProgress @param {AbortSignal} signal
 * @returns {Promise<import('./figure.mjs').Figure[]>}
 */
export async function managed(onProgress, signal) {
  const start = (file, args, execArgv = []) =>
    fork(new URL(file, import.meta.url), args, { signal, killSignal: 'SIGKILL', execArgv });
  const parts = 4;
  const part = (index) => (share) => onProgress((index + share) / parts);
  const batches = async (args, index) => {
    const measured = await repeated(() => start('./managed-batches.mjs', args), part(index), signal);
    return measured[0].map((_, at) =>
      summary(
        measured.map((one) => one[at]),
        0,
      ),
    );
  };
  const left = async (args, index) => {
    const run = () => start('./many-names.mjs', args, ['--expose-gc']);
    const [{ names, used, rss, elapsed }] = await repeated(run, part(index), signal, 1);
    const detail = `${(rss / megabyte).toFixed(1)} MB of the process; ${duration(elapsed)} in all`;
    const what = args.includes('statistics') ? 'counted' : 'used';
    const name = `memory that ${count(names)} names leave, made, ${what} and cleaned up`;
    return atMost(name, Number((used / megabyte).toFixed(2)), 1, { unit: 'MB', detail });
  };
  const [byName, limited, blocking] = await batches([], 0);
  const [counted, , countedBlocking] = await batches(['statistics'], 1);
  const blockingName = 'locks.lock(name).acquireSync(), against mutex.acquireSync()';
  return [
    atMost('locks.lock(name).acquire() on memory, against mutex.acquire()', byName.ratio, 1.5, byName),
    unbounded('the same with a time limit', limited.ratio, limited.detail),
    atMost(blockingName, blocking.ratio, 1.5, blocking),
    atMost('acquire() by name with statistics, against mutex.acquire()', counted.ratio, 1.5, counted),
    unbounded('acquireSync() by name with statistics', countedBlocking.ratio, countedBlocking.detail),
    await left([], 2),
    await left(['statistics'], 3),
  ];
}
