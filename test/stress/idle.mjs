/**
 * Watches a round from a thread that touches no lock. As long as a round runs everybody wants the lock, so if nobody
 * is inside, nobody comes in and all threads are asleep, a wake was lost. Waiters look by themselves
 * every 20 ms, which mends it, but must never be needed while all live. Whether a thread sleeps or waits for a
 * processor is told by `/proc`; on systems without it nothing is found here.
 */
import { readFileSync, readdirSync, readlinkSync } from 'node:fs';
import { workerData } from 'node:worker_threads';
import { now } from './board.mjs';
import { INSIDE, SECTIONS, sumTally } from './rounds-board.mjs';

/** Milliseconds of sleep, seen so many times, that are one too many: a timeout or abort of a round comes sooner. */
const IDLE = 8;
const LOOKS = 5;

const { idle, noise, running, state, stop } = workerData;

/** All threads of the process but the main thread and this one: also those that collect a worker's garbage. */
function areAllAsleep() {
  try {
    const own = readlinkSync('/proc/thread-self').split('/').at(-1);
    return readdirSync('/proc/self/task').every(
      (task) => task === own || task === String(process.pid) || isAsleep(task),
    );
  } catch {
    return false; // Not on Linux, or a thread has ended just now.
  }
}

function isAsleep(task) {
  const stat = readFileSync(`/proc/self/task/${task}/stat`, 'latin1');
  return stat[stat.lastIndexOf(')') + 2] === 'S';
}

let sections = -1;
let looks = 0;
let since = 0;
while (Atomics.load(stop, 0) === 0) {
  const begin = now();
  Atomics.wait(stop, 0, 0, 1);
  const time = now();
  noise[0] = Math.max(noise[0], time - begin - 1);
  const seen = sumTally(workerData, SECTIONS);
  const stands = seen === sections && Atomics.load(state, INSIDE) === 0 && Atomics.load(running, 0) === 1;
  sections = seen;
  if (stands && areAllAsleep()) {
    if (looks++ === 0) since = time;
    continue;
  }
  if (looks >= LOOKS && begin - since >= IDLE) {
    idle[0]++;
    idle[1] += begin - since;
  }
  looks = 0;
}
