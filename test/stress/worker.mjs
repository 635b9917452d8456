/**
 * A worker of the stress run: random operations on the locks under test until it is told to stop, or dies.
 */
import { once } from 'node:events';
import { setImmediate as turn } from 'node:timers/promises';
import { parentPort, workerData } from 'node:worker_threads';
import { DeadlockError, LockTimeoutError, open } from 'mortise';
import {
  ABORTS,
  MUTEX,
  PERMITS,
  READ,
  REENTRANT,
  REFUSED,
  SEMAPHORE,
  SUBJECTS,
  TIMEOUTS,
  WRITE,
  count,
  now,
  violate,
} from './board.mjs';
import { Random } from './random.mjs';
import { Section } from './section.mjs';
import { randomSignal } from './signals.mjs';

const { board, handles } = workerData;
const rw = open(handles.readWriteLock);
const locks = [open(handles.mutex), open(handles.reentrant), open(handles.semaphore), rw.reader, rw.writer];

// It has started: a spare, until it is given a slot.
parentPort.postMessage({ ready: true });
const [{ slot, life, seed }] = await once(parentPort, 'message');
const random = new Random(seed);
const section = new Section(board, slot, life);

const randomSubject = () => random.pick([MUTEX, MUTEX, REENTRANT, SEMAPHORE, SEMAPHORE, READ, READ, WRITE]);
const randomTimeout = () => random.pick([0, 0.2, 1, 3, 10]);
const isStopped = () => Atomics.load(board.stop, 0) === 1;

function randomWeight(subject) {
  if (subject !== SEMAPHORE) return 1;
  return random.chance(0.1) ? PERMITS : 1 + random.below(4);
}

function spin(milliseconds) {
  for (const end = now() + milliseconds; now() < end;);
}

/** Mostly microseconds; now and then long enough to be killed in the middle of. */
function work() {
  spin(random.chance(0.05) ? 0.3 + random.next() : random.next() * 0.005);
}

function waiting(subject) {
  const at = slot * SUBJECTS.length + subject;
  board.waits[at]++;
  return (board.since[at] = now());
}

function waited(subject) {
  board.waits[slot * SUBJECTS.length + subject]--;
}

function release(subject, guard) {
  if (!guard.release()) violate(board, 'release() of a held guard returned false', slot, subject);
}

function failed(subject, error) {
  if (error instanceof LockTimeoutError) count(board, slot, subject, TIMEOUTS);
  else if (error instanceof DeadlockError) count(board, slot, subject, REFUSED);
  else if (error?.name === 'AbortError') count(board, slot, subject, ABORTS);
  else throw error;
}

function insideSync(subject, guard, weight, since, mayThrow) {
  const entry = section.enter(subject, guard, weight, since);
  work();
  section.middle(mayThrow);
  if (subject === REENTRANT && random.chance(0.3)) release(subject, locks[subject].acquireSync());
  section.leave(entry);
}

async function inside(subject, guard, weight, since, mayThrow) {
  const entry = section.enter(subject, guard, weight, since);
  work();
  if (random.chance(0.3)) await turn();
  section.middle(mayThrow);
  section.leave(entry);
}

function operateSync(subject, options) {
  const lock = locks[subject];
  const weight = randomWeight(subject);
  if (subject === SEMAPHORE) options = { ...options, weight };
  const since = waiting(subject);
  try {
    switch (random.below(5)) {
      case 0: {
        const guard = lock.tryAcquireSync(subject === SEMAPHORE ? { weight } : undefined);
        waited(subject);
        if (guard === null) return count(board, slot, subject, REFUSED);
        insideSync(subject, guard, weight, since, true);
        return release(subject, guard);
      }
      case 1:
        return lock.withLockSync((guard) => {
          waited(subject);
          insideSync(subject, guard, weight, since, false);
        }, options);
      default: {
        const guard = lock.acquireSync(options);
        waited(subject);
        insideSync(subject, guard, weight, since, true);
        return release(subject, guard);
      }
    }
  } catch (error) {
    failed(subject, error);
    waited(subject);
  }
}

async function operate(subject) {
  const lock = locks[subject];
  const weight = randomWeight(subject);
  const options = subject === SEMAPHORE ? { weight } : {};
  if (random.chance(0.3)) options.timeout = randomTimeout();
  if (random.chance(0.3)) options.signal = randomSignal(random);
  const since = waiting(subject);
  try {
    switch (random.below(5)) {
      case 0: {
        const guard = await lock.tryAcquire(subject === SEMAPHORE ? { weight } : undefined);
        waited(subject);
        if (guard === null) return count(board, slot, subject, REFUSED);
        await inside(subject, guard, weight, since, true);
        return release(subject, guard);
      }
      case 1:
        return await lock.withLock(async (guard) => {
          waited(subject);
          await inside(subject, guard, weight, since, false);
          if (subject === REENTRANT && random.chance(0.3)) release(subject, await lock.acquire());
        }, options);
      default: {
        const guard = await lock.acquire(options);
        waited(subject);
        await inside(subject, guard, weight, since, true);
        return release(subject, guard);
      }
    }
  } catch (error) {
    failed(subject, error);
    waited(subject);
  }
}

async function round() {
  if (random.chance(0.6)) {
    for (let i = random.below(10); i >= 0 && !isStopped(); i--) {
      operateSync(randomSubject(), random.chance(0.4) ? { timeout: randomTimeout() } : {});
    }
    return;
  }
  const pending = Array.from({ length: 1 + random.below(5) }, () => operate(randomSubject()));
  // What the asynchronous ones hold stays held meanwhile, so this one must not insist.
  if (random.chance(0.2)) operateSync(randomSubject(), { timeout: random.next() * 2 });
  await Promise.all(pending);
}

try {
  while (!isStopped()) {
    await round();
    if (random.chance(0.05)) await turn();
  }
} catch (error) {
  if (error.message !== 'mortise stress: told to die') {
    violate(board, 'unexpected error', slot, 0);
    parentPort.postMessage({ unexpected: error?.stack ?? String(error) });
  }
  throw error;
}
