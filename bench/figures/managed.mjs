import { fork } from 'node:child_process';
import { count, duration } from '../units.mjs';
import { atMost, unbounded } from './figure.mjs';
import { repeated, summary } from './uncontended.mjs';

const megabyte = 2 ** 20;

/**
 * What names cost: `locks.lock(name).acquire()` on memory beside `mutex.acquire()` of the same lock, and what a million
 * names leave behind.
 * @param {(share: number) => void} onProgress @param {AbortSignal} signal
 * @returns {Promise<import('./figure.mjs').Figure[]>}
 */
export async function managed(onProgress, signal) {
  const start = (file, execArgv = []) =>
    fork(new URL(file, import.meta.url), [], { signal, killSignal: 'SIGKILL', execArgv });
  const measured = await repeated(
    () => start('./managed-batches.mjs'),
    (share) => onProgress(share / 2),
    signal,
  );
  const of = (index) =>
    summary(
      measured.map((one) => one[index]),
      0,
    );
  const [byName, limited, blocking] = [of(0), of(1), of(2)];
  const [left] = await repeated(
    () => start('./many-names.mjs', ['--expose-gc']),
    () => onProgress(0.5),
    signal,
    1,
  );
  const { names, used, rss, elapsed } = left;
  const kept = Number((used / megabyte).toFixed(2));
  return [
    atMost('locks.lock(name).acquire() on memory, against mutex.acquire()', byName.ratio, 1.5, byName),
    unbounded('the same with a time limit', limited.ratio, limited.detail),
    unbounded('locks.lock(name).acquireSync(), against mutex.acquireSync()', blocking.ratio, blocking.detail),
    atMost(`memory that ${count(names)} names leave, made, used and cleaned up`, kept, 1, {
      unit: 'MB',
      detail: `${(rss / megabyte).toFixed(1)} MB of the process; ${duration(elapsed)} in all`,
    }),
  ];
}
