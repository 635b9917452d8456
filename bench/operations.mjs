/** Single operations that nobody contends for, by tinybench: nanoseconds each. Run it by itself or by bench.mjs. */
import { fileURLToPath } from 'node:url';
import { Bench } from 'tinybench';
import { Mutex, ReadWriteLock, Semaphore } from 'mortise';
import { columns } from './columns.mjs';
import { FutexMutex } from './contention/futex-mutex.mjs';

/** Operations in one call that tinybench times, whose own cost would be most of a single one's. */
const batch = 1_000;

/** @typedef {{ name: string, nanoseconds: number, worstQuarter: number, samples: number }} Operation */

/**
 * @param {{ milliseconds?: number, onProgress?: (share: number) => void }} [options] for each operation
 * @returns {Promise<Operation[]>}
 */
export async function measureOperations({ milliseconds = 250, onProgress } = {}) {
  const bench = new Bench({ time: milliseconds, warmupTime: milliseconds / 4, throws: true });
  addOperations(bench);
  let done = 0;
  bench.addEventListener('cycle', () => onProgress?.(++done / bench.tasks.length));
  await bench.run();
  return bench.tasks.map(({ name, result }) => {
    const { latency } = result;
    const each = (time) => (time * 1e6) / batch;
    return {
      name,
      nanoseconds: each(latency.p50),
      worstQuarter: each(latency.p75),
      samples: latency.samplesCount,
    };
  });
}

/** @param {Bench} bench */
function addOperations(bench) {
  const words = new Int32Array(new SharedArrayBuffer(64));
  const futex = new FutexMutex(new Int32Array(new SharedArrayBuffer(64)));
  const mutex = new Mutex();
  const semaphore = new Semaphore(4);
  const lock = new ReadWriteLock();
  const nothing = () => undefined;
  const repeat = (name, operation) =>
    bench.add(name, () => {
      for (let i = 0; i < batch; i++) operation();
    });
  const repeatAsync = (name, operation) =>
    bench.add(name, async () => {
      for (let i = 0; i < batch; i++) await operation();
    });
  repeat('raw compareExchange pair', () => {
    Atomics.compareExchange(words, 0, 0, 1);
    Atomics.compareExchange(words, 0, 1, 0);
  });
  repeat('plain futex mutex, lock and unlock', () => {
    futex.lock();
    futex.unlock();
  });
  repeat('mutex.acquireSync and release', () => mutex.acquireSync().release());
  repeat('mutex.tryAcquireSync and release', () => mutex.tryAcquireSync().release());
  repeat('mutex.withLockSync', () => mutex.withLockSync(nothing));
  repeat('semaphore.acquireSync and release', () => semaphore.acquireSync().release());
  repeat('rw.acquireReadSync and release', () => lock.acquireReadSync().release());
  repeat('rw.acquireWriteSync and release', () => lock.acquireWriteSync().release());
  repeatAsync('await of a fresh object', async () => ({}));
  repeatAsync('mutex.acquire and release', async () => (await mutex.acquire()).release());
  repeatAsync('mutex.withLock', () => mutex.withLock(nothing));
  repeatAsync('semaphore.acquire and release', async () => (await semaphore.acquire()).release());
  repeatAsync('rw.acquireRead and release', async () => (await lock.acquireRead()).release());
  repeatAsync('rw.acquireWrite and release', async () => (await lock.acquireWrite()).release());
}

/** @param {Operation[]} operations @returns {string[]} lines */
export function operationsTable(operations) {
  const rows = operations.map(({ name, nanoseconds, worstQuarter, samples }) => [
    name,
    nanoseconds.toFixed(1),
    worstQuarter.toFixed(1),
    String(samples * batch),
  ]);
  return columns(['operation', 'ns (median)', 'ns (p75)', 'repeated'], rows);
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  for (const line of operationsTable(await measureOperations())) console.log(line);
}
