import { fork } from 'node:child_process';
import { join } from 'node:path';
import { Space } from 'mortise';
import { atMost } from '../figures/figure.mjs';
import { repeated, summary } from '../figures/uncontended.mjs';

const program = new URL('./uncontended-batches.mjs', import.meta.url);

/**
 * The cost of a file lock that nobody else wants, against the two `flock` calls that any such lock needs.
 * @param {string} folder @param {(share: number) => void} onProgress @param {AbortSignal} signal
 * @returns {Promise<import('../figures/figure.mjs').Figure[]>}
 */
export async function lockUncontended(folder, onProgress, signal) {
  const measured = await repeated(() => start('file', folder, signal), onProgress, signal);
  const { ratio, detail } = summary(measured, 0);
  return [atMost('uncontended FileLock, blocking, against two bare flock calls', ratio, 2, { detail })];
}

/**
 * The cost of a mutex in a file that nobody else wants, against the raw pair of atomic operations on a mapped file.
 * @param {string} folder @param {(share: number) => void} onProgress @param {AbortSignal} signal
 * @returns {Promise<import('../figures/figure.mjs').Figure[]>}
 */
export async function mutexUncontended(folder, onProgress, signal) {
  if (!('open' in Space)) return [];
  const measured = await repeated(() => start('mutex', folder, signal), onProgress, signal);
  const { ratio, detail } = summary(measured, 0);
  return [atMost('uncontended mutex of Space.open, against the raw pair', ratio, 1.3, { detail })];
}

function start(kind, folder, signal) {
  return fork(program, [kind, join(folder, kind)], { signal, killSignal: 'SIGKILL' });
}
