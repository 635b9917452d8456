/**
 * A worker of the naming stress: makes locks by name in a small space, uses them, disposes of them.
 */
import { workerData } from 'node:worker_threads';
import { Mutex, Semaphore, Space } from 'mortise';
import { Random } from './random.mjs';

const { handle, names, board, life, seed } = workerData;
const random = new Random(seed);
const space = Space.from(handle);
const { owner, fence, counts, killedAt, violations, stop } = board;
const MADE = 0;
const DISPOSED = 1;
const FULL = 2;

function use(mutex, name) {
  const guard = mutex.tryAcquireSync();
  if (guard === null) return;
  const before = Atomics.exchange(owner, name, life);
  if (before !== 0 && killedAt[before] === 0) Atomics.add(violations, 0, 1);
  else if (before !== 0 && !guard.abandoned) Atomics.add(violations, 4, 1);
  const last = Atomics.load(fence, name);
  if (guard.fence <= last) Atomics.add(violations, 1, 1);
  Atomics.store(fence, name, guard.fence);
  if (Atomics.compareExchange(owner, name, life, 0) !== life) Atomics.add(violations, 2, 1);
  if (!guard.release()) Atomics.add(violations, 3, 1);
}

const kept = [];
Atomics.add(counts, 3, 1);
while (Atomics.load(stop, 0) === 0) {
  const name = random.below(names.length);
  try {
    const lock = random.chance(0.8)
      ? new Mutex({ name: names[name], space })
      : new Semaphore(2, { name: 'permits', space });
    Atomics.add(counts, MADE, 1);
    kept.push(lock);
    if (lock instanceof Mutex) use(lock, name);
    else lock.tryAcquireSync()?.release();
  } catch (error) {
    if (error.code !== 'ERR_SPACE_FULL') throw error;
    Atomics.add(counts, FULL, 1);
  }
  while (kept.length > random.below(6)) {
    const [lock] = kept.splice(random.below(kept.length), 1);
    try {
      lock.dispose();
      Atomics.add(counts, DISPOSED, 1);
    } catch (error) {
      // Somebody else holds it: this thread lets go of it when it ends.
      if (error.code !== 'ERR_LOCK_BUSY') throw error;
    }
  }
}
