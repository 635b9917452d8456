/**
 * Sleeps a millisecond at a time and touches no lock. By how much it oversleeps is what the machine, with its
 * few processors and other programs, adds to any wait.
 */
import { workerData } from 'node:worker_threads';
import { now } from './board.mjs';

const { noise, stop } = workerData;
while (Atomics.load(stop, 0) === 0) {
  const begin = now();
  Atomics.wait(stop, 0, 0, 1);
  noise[0] = Math.max(noise[0], now() - begin - 1);
}
