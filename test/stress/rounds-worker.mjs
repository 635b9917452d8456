/**
 * A worker of the rounds: lives through all of them, and makes its share of sections in each one it is in.
 */
import { setImmediate as turn } from 'node:timers/promises';
import { parentPort, workerData } from 'node:worker_threads';
import { DeadlockError, LockTimeoutError, open } from 'mortise';
import { PERMITS, READ, REENTRANT, SEMAPHORE, SUBJECTS, WRITE, violate } from './board.mjs';
import { Random } from './random.mjs';
import {
  ABORTS,
  ASYNC,
  AT_BARRIER,
  AT_ONCE,
  BLOCKING,
  BLOCKING_BRIEFLY,
  DEADLOCKS,
  DOING,
  DOING_WITH,
  ENDED,
  LINE,
  REENTRIES,
  SECTIONS,
  TIMEOUTS,
  TRIES,
  TRYING,
} from './rounds-board.mjs';
import { RoundSection } from './rounds-section.mjs';
import { randomSignal } from './signals.mjs';

const { board, slot } = workerData;
const { barrier, tally } = board;
const line = slot * LINE;
const section = new RoundSection(board, slot);

/** The lock of the round, its number, and what acquires each subject. */
let lock;
let cell = -1;
let acquirables = [];
let random;
/** How much of what this thread does in this round, see {@link drawHabits}. */
let habits;

function use(handle) {
  if (handle.cell === cell) return;
  lock?.dispose();
  lock = open(handle);
  cell = handle.cell;
  acquirables = SUBJECTS.map((_, subject) => {
    if (subject === READ) return lock.reader;
    return subject === WRITE ? lock.writer : lock;
  });
}

function drawHabits({ subjects, async }) {
  return {
    subjects,
    async: random.pick(async),
    batch: random.pick([1, 1, 3, 6]),
    tries: random.pick([0, 0, 0.05, 0.5]),
    timeouts: random.pick([0, 0.002, 0.02]),
    aborts: random.pick([0, 0, 0.03]),
    bodies: random.pick([0, 0.1]),
    writes: random.pick([0.02, 0.3, 0.9]),
    weights: random.pick([1, 4, PERMITS]),
    /** How often there is work inside, and how often a turn of the event loop. */
    work: random.pick([0, 0, 0.01, 0.2]),
    turns: random.pick([0, 0, 0.01]),
  };
}

/** All who are in the round begin together: the last to come opens it. */
function meet({ number, workers }) {
  tally[line + DOING] = AT_BARRIER;
  if (Atomics.add(barrier, 0, 1) === workers - 1) {
    Atomics.store(barrier, 0, 0);
    Atomics.store(board.running, 0, 1);
    Atomics.store(barrier, 1, number);
    Atomics.notify(barrier, 1);
    return;
  }
  for (;;) {
    const open = Atomics.load(barrier, 1);
    if (open === number) return;
    Atomics.wait(barrier, 1, open);
  }
}

function drawSubject() {
  const { subjects } = habits;
  return subjects.length === 1 ? subjects[0] : random.chance(habits.writes) ? WRITE : READ;
}

function drawWeight(subject) {
  return subject === SEMAPHORE && habits.weights > 1 ? 1 + random.below(habits.weights) : 1;
}

const drawTimeout = () => random.pick([0, 0.1, 0.5, 2]);

/** Up to a few microseconds. */
function work() {
  for (let left = random.below(1000); left > 0; left--) Atomics.load(board.stop, 0);
}

function inside(subject, weight) {
  if (habits.work > 0 && random.chance(habits.work)) work();
  if (subject === SEMAPHORE && random.chance(0.1)) section.checkPermits(lock.availableSync(), weight);
}

function release(subject, guard) {
  if (!guard.release()) violate(board, 'release() of a held guard returned false', slot, subject);
}

function reenter(subject, guard, again) {
  tally[line + REENTRIES]++;
  if (again.fence !== guard.fence) violate(board, 'fence did not grow', slot, subject);
  release(subject, again);
}

function holdSync(subject, guard, weight) {
  const updates = section.enter(subject, guard, weight);
  inside(subject, weight);
  if (subject === REENTRANT && random.chance(0.2)) reenter(subject, guard, lock.acquireSync());
  if (subject === WRITE && random.chance(0.3)) {
    const read = section.downgrade(guard, updates);
    section.leave(READ, 1, updates);
    release(READ, read);
    return;
  }
  section.leave(subject, weight, updates);
  release(subject, guard);
}

async function hold(subject, guard, weight, isBody = false) {
  const updates = section.enter(subject, guard, weight);
  inside(subject, weight);
  if (habits.turns > 0 && random.chance(habits.turns)) await turn();
  if (isBody && subject === REENTRANT) reenter(subject, guard, await lock.acquire());
  if (subject === WRITE && !isBody && random.chance(0.3)) {
    const read = section.downgrade(guard, updates);
    if (random.chance(0.3)) await null;
    section.leave(READ, 1, updates);
    release(READ, read);
    return;
  }
  section.leave(subject, weight, updates);
  if (!isBody) release(subject, guard);
}

function failed(error, timeout) {
  if (error instanceof LockTimeoutError) tally[line + (timeout === 0 ? AT_ONCE : TIMEOUTS)]++;
  else if (error instanceof DeadlockError) tally[line + DEADLOCKS]++;
  else if (error?.name === 'AbortError') tally[line + ABORTS]++;
  else throw error;
}

function attempt(subject, weight) {
  tally[line + DOING] = TRYING;
  const guard = acquirables[subject].tryAcquireSync(weight === 1 ? undefined : { weight });
  if (guard === null) tally[line + TRIES]++;
  else holdSync(subject, guard, weight);
}

function acquireBriefly(subject, weight, timeout) {
  tally[line + DOING] = BLOCKING_BRIEFLY;
  let guard;
  try {
    guard = acquirables[subject].acquireSync({ timeout, ...(weight > 1 && { weight }) });
  } catch (error) {
    failed(error, timeout);
    return;
  }
  holdSync(subject, guard, weight);
}

/** One blocking operation. */
function operateSync() {
  const subject = drawSubject();
  const weight = drawWeight(subject);
  tally[line + DOING_WITH] = subject;
  const way = random.next();
  if (way < habits.tries) return attempt(subject, weight);
  if (way > 1 - habits.timeouts) return acquireBriefly(subject, weight, drawTimeout());
  tally[line + DOING] = BLOCKING;
  const lock = acquirables[subject];
  holdSync(subject, weight === 1 ? lock.acquireSync() : lock.acquireSync({ weight }), weight);
}

/** One async operation. */
async function operate() {
  const subject = drawSubject();
  const weight = drawWeight(subject);
  tally[line + DOING_WITH] = subject;
  let options = weight === 1 ? undefined : { weight };
  const lock = acquirables[subject];
  if (random.chance(habits.tries)) {
    const guard = await lock.tryAcquire(options);
    if (guard === null) tally[line + TRIES]++;
    else await hold(subject, guard, weight);
    return;
  }
  if (random.chance(habits.timeouts)) options = { ...options, timeout: drawTimeout() };
  if (random.chance(habits.aborts)) options = { ...options, signal: randomSignal(random) };
  try {
    if (random.chance(habits.bodies)) {
      return await lock.withLock((guard) => hold(subject, guard, weight, true), options);
    }
    const guard = await lock.acquire(options);
    await hold(subject, guard, weight);
  } catch (error) {
    failed(error, options?.timeout);
  }
}

/** A few async operations at once, now and then with a blocking one in between. */
async function operateTogether(count) {
  tally[line + DOING] = ASYNC;
  if (count === 1) return operate();
  const pending = Array.from({ length: count - 1 }, operate);
  // What the async ones hold stays held meanwhile, so this one must not insist.
  if (random.chance(0.02)) {
    const subject = drawSubject();
    acquireBriefly(subject, drawWeight(subject), random.next());
    tally[line + DOING] = ASYNC;
  } else {
    pending.push(operate());
  }
  await Promise.all(pending);
}

async function play({ seed, primitive, handle, sections, ...round }) {
  random = new Random(seed + Math.imul(slot + 1, 0x9e3779b1));
  habits = drawHabits(primitive);
  use(handle);
  meet(round);
  let left;
  while ((left = sections - tally[line + SECTIONS]) > 0) {
    if (habits.async > 0 && random.chance(habits.async)) {
      await operateTogether(Math.min(left, 1 + random.below(habits.batch)));
    } else {
      operateSync();
    }
  }
  tally[line + DOING] = ENDED;
}

parentPort.on('message', (round) => {
  play(round).then(
    () => parentPort.postMessage({ ended: true }),
    (error) => parentPort.postMessage({ ended: true, error: error?.stack ?? String(error) }),
  );
});
