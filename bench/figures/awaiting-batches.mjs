import { parentPort } from 'node:worker_threads';
import { Mutex, ReadWriteLock, Semaphore } from 'mortise';
import { median } from './median.mjs';

/** As blocking-batches.mjs, with `await`: against an await of an async function that returns a fresh object. */
const pairs = 20_000;
const rounds = 50;
const warmUp = 8;

class Fresh {
  constructor(number) {
    this.number = number;
  }
}

async function fresh(number) {
  return new Fresh(number);
}

/** @param {Int32Array} words */
async function base(words) {
  let sum = 0;
  for (let i = 0; i < pairs; i++) {
    const object = await fresh(i);
    Atomics.compareExchange(words, 0, 0, 1);
    Atomics.compareExchange(words, 0, 1, 0);
    sum += object.number;
  }
  return sum;
}

/** @param {Mutex} mutex */
async function mutexPairs(mutex) {
  for (let i = 0; i < pairs; i++) {
    const guard = await mutex.acquire();
    guard.release();
  }
}

/** @param {Semaphore} semaphore */
async function semaphorePairs(semaphore) {
  for (let i = 0; i < pairs; i++) {
    const guard = await semaphore.acquire();
    guard.release();
  }
}

/** @param {ReadWriteLock} lock */
async function readPairs(lock) {
  for (let i = 0; i < pairs; i++) {
    const guard = await lock.acquireRead();
    guard.release();
  }
}

/** @param {ReadWriteLock} lock */
async function writePairs(lock) {
  for (let i = 0; i < pairs; i++) {
    const guard = await lock.acquireWrite();
    guard.release();
  }
}

/** Nanoseconds a pair. */
async function timed(batch, subject) {
  const start = performance.now();
  await batch(subject);
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
  let before = await timed(base, words);
  for (const { batch, subject, ratios, times } of cases) {
    const time = await timed(batch, subject);
    const after = await timed(base, words);
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
