/**
 * Naming stress: workers make, use and dispose of locks by name in a space that is nearly full, and are
 * terminated at random. A name must be one lock at a time, its fences must grow over all its reincarnations, and in
 * the end all room must have come back. With fewer `locks` than the 7 names somebody is always turned away, and a
 * dead owner's lock may have to make room before anybody was told; with more, somebody always is.
 */
import { setTimeout as delay } from 'node:timers/promises';
import { Worker } from 'node:worker_threads';
import { Mutex, Space } from 'mortise';
import { now } from './board.mjs';
import { Random } from './random.mjs';

const UNREPORTED = 4;
const LIVES = 1 << 14;
const VIOLATIONS = [
  'two owners inside',
  'fence did not grow',
  'owner changed while inside',
  'release() of a held guard returned false',
  'the death of an owner inside was not reported',
];

const words = (Type, count) => new Type(new SharedArrayBuffer(count * Type.BYTES_PER_ELEMENT));

/**
 * For so many seconds; longer where what has been reached is not `enough`.
 * @param {{ seed: number, seconds: number, workers?: number, locks?: number, enough?: (reached: Reached) => boolean }} options
 * @typedef {{ kills: number, made: number, disposed: number, full: number }} Reached
 */
export async function stressNames({ seed, seconds, workers = 4, locks = 5, enough = () => true }) {
  const random = new Random(seed);
  const space = new Space({ locks, threads: workers + 2 });
  const names = ['a', 'b', 'c', 'd', 'e', 'f'];
  const board = {
    owner: words(Int32Array, names.length),
    fence: words(BigInt64Array, names.length),
    counts: words(Int32Array, 4),
    killedAt: words(Float64Array, LIVES),
    violations: words(Int32Array, VIOLATIONS.length),
    stop: words(Int32Array, 1),
  };
  const errors = [];
  let lives = 0;
  let kills = 0;

  const start = () => {
    const life = ++lives;
    const worker = new Worker(new URL('./naming-worker.mjs', import.meta.url), {
      workerData: { handle: space.handle, names, board, life, seed: seed + life * 7919 },
    });
    worker.on('error', (error) => errors.push(error.stack ?? String(error)));
    return { worker, life };
  };
  const living = Array.from({ length: workers }, start);
  const end = now() + seconds * 1000;
  const counts = () => ({ kills, made: board.counts[0], disposed: board.counts[1], full: board.counts[2] });
  while (now() < end || !enough(counts())) {
    await delay(random.next() * 60);
    const index = random.below(workers);
    const { worker, life } = living[index];
    board.killedAt[life] = now();
    await worker.terminate();
    kills++;
    living[index] = start();
  }
  for (const { life } of living) board.killedAt[life] = now();
  Atomics.store(board.stop, 0, 1);
  await Promise.all(living.map(({ worker }) => worker.terminate()));

  return {
    seed,
    ...counts(),
    errors,
    violations: VIOLATIONS.filter(
      (_, kind) => board.violations[kind] > 0 && (kind !== UNREPORTED || locks > 7),
    ),
    room: room(space, [...names, 'permits'], locks),
    locks,
  };
}

/** How many new locks fit once every name has been disposed of. */
function room(space, names, locks) {
  for (const name of names)
    unlessFull(() => {
      const lock = name === 'permits' ? space.semaphore(name, 2) : space.mutex(name);
      // One whose owner died keeps its room until somebody has been told.
      lock.tryAcquireSync().release();
      lock.dispose();
    });
  let fit = 0;
  while (fit <= locks && unlessFull(() => new Mutex({ space }))) fit++;
  return fit;
}

/** Names that nobody disposed of may fill the space: then one that is not among them has no lock to dispose of. */
function unlessFull(action) {
  try {
    action();
    return true;
  } catch (error) {
    if (error.code !== 'ERR_SPACE_FULL') throw error;
    return false;
  }
}
