/** A process of the stress, and its worker thread: random operations on locks that processes share, until it is killed. */
import { setImmediate as turn } from 'node:timers/promises';
import { isMainThread, Worker, workerData } from 'node:worker_threads';
import { DeadlockError, LockBusyError, LockTimeoutError, Space } from 'mortise';
import { Board, MUTEX, PERMITS, READ, REENTRANT, SEMAPHORE, WRITE, WRITER, now } from './processes-board.mjs';
import { Random } from './random.mjs';

const given = isMainThread ? JSON.parse(process.argv[2]) : workerData;
const { folder, slot, life, seed } = given;
if (isMainThread) {
  const other = { folder, slot: slot + 1, life: life + 1, seed: seed + 1 };
  new Worker(new URL(import.meta.url), { workerData: other });
}

const board = new Board(`${folder}/board`);
const space = Space.open(`${folder}/locks`);
const rw = space.readWriteLock('read-write lock');
const semaphore = space.semaphore('semaphore', PERMITS);
const random = new Random(seed);

const inside = [
  { lock: space.mutex('mutex'), at: 0, exclusive: MUTEX },
  { lock: space.mutex('reentrant mutex'), at: 1, exclusive: REENTRANT },
  { lock: semaphore, at: 2, shared: SEMAPHORE },
  { lock: rw.reader, at: 3, shared: READ },
  { lock: rw.writer, at: 3, shared: READ, exclusive: WRITE },
];

function enter({ at, exclusive, shared }, guard, weight, since) {
  const time = now();
  const waited = time - Math.max(since, board.progress[at]);
  if (waited > board.stall[slot]) board.stall[slot] = waited;
  board.progress[at] = time;
  board.sections[slot]++;
  if (guard.abandoned) board.abandoned[slot]++;
  if (exclusive !== undefined) board.enter(exclusive, life, guard);
  if (shared === undefined) return;
  board.put(slot, shared, exclusive === undefined ? weight : WRITER);
  board.check(shared);
}

function leave({ at, exclusive, shared }, guard) {
  if (shared !== undefined) {
    board.check(shared);
    board.put(slot, shared, 0);
  }
  if (exclusive !== undefined) board.leave(exclusive, life);
  board.progress[at] = now();
  if (!guard.release()) board.violate('release() of a held guard returned false');
}

/** Mostly microseconds. */
function work() {
  const end = now() + (random.chance(0.05) ? random.next() : random.next() * 0.005);
  while (now() < end);
}

function options(kind) {
  const chosen = kind.shared === SEMAPHORE ? { weight: 1 + random.below(PERMITS - 1) } : {};
  if (random.chance(0.3)) chosen.timeout = random.pick([0, 0.2, 1, 5, 30]);
  return chosen;
}

function blocking(kind) {
  const chosen = options(kind);
  const since = now();
  const guard = random.chance(0.2) ? kind.lock.tryAcquireSync(chosen) : kind.lock.acquireSync(chosen);
  if (guard === null) return;
  enter(kind, guard, chosen.weight ?? 1, since);
  work();
  if (kind.exclusive === REENTRANT && random.chance(0.3)) kind.lock.acquireSync().release();
  leave(kind, guard);
}

/** One share a slot: the thread must not hold the lock twice. */
async function asynchronous(kind) {
  const chosen = options(kind);
  if (random.chance(0.2)) chosen.signal = AbortSignal.timeout(1 + random.below(5));
  const since = now();
  const guard = await kind.lock.acquire(chosen);
  enter(kind, guard, chosen.weight ?? 1, since);
  work();
  if (random.chance(0.3)) await turn();
  leave(kind, guard);
}

/** Locks that are made, found by name and disposed of, in whatever room there is. */
function naming() {
  const mutex = space.mutex(`name ${random.below(3)}`);
  mutex.tryAcquireSync()?.release();
  try {
    if (random.chance(0.5)) mutex.dispose();
  } catch (error) {
    if (!(error instanceof LockBusyError)) throw error;
  }
}

const isExpected = (error) =>
  error instanceof LockTimeoutError || error instanceof DeadlockError || error.name === 'TimeoutError';

async function quietly(operation) {
  try {
    await operation();
  } catch (error) {
    if (isExpected(error)) return;
    board.violate('unexpected error');
    console.error(error);
  }
}

if (isMainThread) process.send('ready');
while (!board.isStopped) {
  const kind = random.pick(inside);
  if (random.chance(0.05)) await quietly(naming);
  else if (random.chance(0.6)) await quietly(() => blocking(kind));
  else {
    // Of different locks, so that none waits for itself.
    const kinds = random.chance(0.5) ? [kind] : [inside[0], inside[2], random.pick(inside.slice(3))];
    await Promise.all(kinds.map((it) => quietly(() => asynchronous(it))));
  }
  if (random.chance(0.1)) await turn();
}
