import { parentPort } from 'node:worker_threads';
import { Mutex, ReadWriteLock, Semaphore } from 'mortise';
import { median } from './median.mjs';

/**
 * Batches of the raw pair and of each lock alternate, and each lock's batch is compared with the raw ones just
 * before and after it: whatever slows the machine down slows both. Batches are short, so that the median
 * drops those which the system interrupted, and long enough to pay for the garbage that they make. One function
 * for each lock, as in a program.
 */
const pairs = 20_000;
const rounds = 150;
const warmUp = 20;

/** @param {Int32Array} words */
function raw(words) {
  for (let i = 0; i < pairs; i++) {
    Atomics.compareExchange(words, 0, 0, 1);
    Atomics.compareExchange(words, 0, 1, 0);
  }
}

/** @param {Mutex} mutex */
function mutexPairs(mutex) {
  for (let i = 0; i < pairs; i++) {
    const guard = mutex.acquireSync();
    guard.release();
  }
}

/** @param {Semaphore} semaphore */
function semaphorePairs(semaphore) {
  for (let i = 0; i < pairs; i++) {
    const guard = semaphore.acquireSync();
    guard.release();
  }
}

/** @param {ReadWriteLock} lock */
function readPairs(lock) {
  for (let i = 0; i < pairs; i++) {
    const guard = lock.acquireReadSync();
    guard.release();
  }
}

/** @param {ReadWriteLock} lock */
function writePairs(lock) {
  for (let i = 0; i < pairs; i++) {
    const guard = lock.acquireWriteSync();
    guard.release();
  }
}

/** Nanoseconds a pair. */
function timed(batch, subject) {
  const start = performance.now();
  batch(subject);
  return ((performance.now() - start) * 1e6) / pairs;
}

const words = new Int32Array(new SharedArrayBuffer(64));
const lock = new ReadWriteLock();
const cases = [
  { name: 'mutex', batch: mutexPairs, subject: new Mutex() },
  { name: 'semaphore', batch: semaphorePairs, subject: new Semaphore(4) },
  { name: 'read lock', batch: readPairs, subject: lock },
  { name: 'write lock', batch: writePairs, subject: lock },
]
  .filter(({ name }) => process.argv.slice(2).includes(name))
  .map((one) => ({ ...one, ratios: [], times: [] }));
const bases = [];
for (let round = -warmUp; round < rounds; round++) {
  let before = timed(raw, words);
  for (const { batch, subject, ratios, times } of cases) {
    const time = timed(batch, subject);
    const after = timed(raw, words);
    if (round >= 0) {
      ratios.push((2 * time) / (before + after));
      times.push(time);
      bases.push(after);
    }
    before = after;
  }
}
const result = {
  base: median(bases),
  cases: cases.map(({ name, ratios, times }) => ({ name, ratio: median(ratios), time: median(times) })),
};
if (parentPort) parentPort.postMessage(result);
else process.send(result);
