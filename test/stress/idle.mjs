/**
 * Watches a round from a thread that touches no lock. As long as a round runs everybody wants the lock, so if nobody
 * is inside and nobody comes in for longer than a thread waits for a processor, a wake was lost: waiters look by
 * themselves every 20 ms, which mends it but must never be needed while all live.
 */
import { workerData } from 'node:worker_threads';
import { now } from './board.mjs';
import { INSIDE, SECTIONS, sumTally } from './rounds-board.mjs';

/** Milliseconds. */
const IDLE = 15;
/** This thread was held up itself: nothing can be said. */
const NOISY = 5;

const { idle, noise, running, state, stop } = workerData;
let sections = -1;
let since = now();
let disturbed = 0;
while (Atomics.load(stop, 0) === 0) {
  const begin = now();
  Atomics.wait(stop, 0, 0, 1);
  const time = now();
  const overslept = time - begin - 1;
  noise[0] = Math.max(noise[0], overslept);
  disturbed = Math.max(disturbed, overslept);
  const seen = sumTally(workerData, SECTIONS);
  if (seen === sections && Atomics.load(state, INSIDE) === 0 && Atomics.load(running, 0) === 1) continue;
  const lasted = begin - since;
  if (lasted > IDLE && disturbed < NOISY) {
    idle[0]++;
    idle[1] += lasted;
  }
  sections = seen;
  since = time;
  disturbed = 0;
}
