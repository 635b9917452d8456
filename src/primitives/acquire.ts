/** The slow paths of every acquire: blocking and async, with timeout and abort. */
import type { Deadline } from '../deadline.js';
import { DeadlockError, LockError, LockTimeoutError } from '../errors.js';
import type { ThreadGuard } from '../guard.js';
import type { LockInfo } from '../lock.js';
import { clearTimeout, now, setTimeout } from '../parker/clock.js';
import { SLICE, type Cell, type GrantableGuard, type Request } from '../space/cell.js';
import { nameOf } from '../space/cells.js';
import { SOON } from '../space/soon.js';
import { acquiredAt, countSharedHolders, countWaiters } from '../space/statistics.js';
import { onAbort } from './abort.js';

/** The longest delay that a timer takes. */
const MAX_DELAY = 2 ** 31 - 1;

/** One way of acquiring a cell. A mutex and a semaphore have one, a read-write lock has two. */
export interface Way<G extends ThreadGuard> {
  /** One attempt, with everything but waiting. `blocking`: the thread would otherwise block. */
  attempt(cell: Cell, weight: number, blocking: boolean): G | null;
  /** A few more attempts while the holder may be just about to release; then null. */
  spin(cell: Cell, weight: number): G | null;
  /** A guard for a request that has to queue. */
  prepare(cell: Cell, weight: number): G & GrantableGuard;
  /** Why a blocking acquire of this thread can never succeed, or null. */
  obstacle(cell: Cell, weight: number): string | null;
  /** Does this thread hold it this way? */
  isOwn(cell: Cell): boolean;
  readonly exclusive: boolean;
}

/**
 * Runs what may take the lock and fail, as any call can on a full stack: then what it has left is cleared up at once, and
 * should that fail as well, in a microtask or by the next call. Whatever it takes is `cell.unreturned` until it is out.
 */
export function tidily<T>(cell: Cell, call: () => T): T {
  if (cell.isUntidy) cell.tidy();
  try {
    const result = call();
    // No calls from here on, nor around this one: on a full stack they could fail, with the lock taken.
    cell.unreturned = null;
    return result;
  } catch (error) {
    if (!(error instanceof LockError)) {
      cell.isUntidy = true;
      void SOON.then(cell.tidy);
      cell.tidy();
    }
    throw error;
  }
}

/** One attempt that will not queue: a try form, or a timeout of 0. */
export function attemptOnly<G extends ThreadGuard>(
  cell: Cell,
  way: Way<G>,
  weight: number,
  blocking: boolean,
): G | null {
  const taken = way.attempt(cell, weight, blocking);
  if (taken !== null) return taken;
  return attemptLast(cell, way, weight);
}

function attemptLast<G extends ThreadGuard>(cell: Cell, way: Way<G>, weight: number): G | null {
  return tidily(cell, () => {
    const guard = way.prepare(cell, weight);
    return cell.attemptLast(guard, weight) ? guard : null;
  });
}

/** The slow path of `acquireSync`: after a first attempt has failed. */
export function acquireBlocking<G extends ThreadGuard>(
  cell: Cell,
  way: Way<G>,
  weight: number,
  { timeout }: Deadline,
): G {
  return tidily(cell, () => attemptOrBlock(cell, way, weight, timeout));
}

function attemptOrBlock<G extends ThreadGuard>(cell: Cell, way: Way<G>, weight: number, timeout: number): G {
  const again = timeout === 0 ? attemptOnly(cell, way, weight, true) : way.attempt(cell, weight, true);
  cell.unreturned = again;
  if (again !== null) return contended(cell, again);
  if (timeout === 0) throw timedOut(cell, 0);
  const obstacle = way.obstacle(cell, weight);
  if (obstacle !== null) throw new DeadlockError(`${describeLock(cell)}: ${obstacle}`);
  const spun = way.spin(cell, weight);
  cell.unreturned = spun;
  if (spun !== null) return contended(cell, spun);
  const guard = way.prepare(cell, weight);
  const request: Request = {
    weight,
    exclusive: way.exclusive,
    guard,
    since: now(),
    ticket: 0,
    passedSince: 0,
    granted: null,
    end: null,
  };
  if (cell.block(request, timeout)) return contended(cell, guard);
  throw expired(cell, timeout);
}

/** The slow path of `acquire`: after a first attempt has failed. */
export function acquireAsync<G extends ThreadGuard>(
  cell: Cell,
  way: Way<G>,
  weight: number,
  deadline: Deadline,
): Promise<G> {
  const { timeout } = deadline;
  const taken = tidily(cell, () => attemptAgain(cell, way, weight, timeout));
  if (taken !== null) return taken;
  return timeout === 0 ? Promise.reject(timedOut(cell, 0)) : enlist(cell, way, weight, deadline);
}

function attemptAgain<G extends ThreadGuard>(
  cell: Cell,
  way: Way<G>,
  weight: number,
  timeout: number,
): Promise<G> | null {
  // Within a thread by arrival: not past requests that wait here already.
  if (cell.hasPending) return null;
  // Those who give up sooner than a pending request would look are the ones who look now.
  const again = timeout < SLICE ? attemptOnly(cell, way, weight, false) : way.attempt(cell, weight, false);
  cell.unreturned = again;
  return again && Promise.resolve(contended(cell, again));
}

function enlist<G extends ThreadGuard>(
  cell: Cell,
  way: Way<G>,
  weight: number,
  { timeout, signal }: Deadline,
): Promise<G> {
  return new Promise<G>((resolve, reject) => {
    const guard = way.prepare(cell, weight);
    let timer: NodeJS.Timeout | undefined;
    let forget: (() => void) | undefined;
    const end = (): void => {
      clearTimeout(timer);
      forget?.();
    };
    const request: Request = {
      weight,
      exclusive: way.exclusive,
      guard,
      since: now(),
      ticket: 0,
      passedSince: 0,
      granted: () => {
        resolve(guard);
      },
      end: () => {
        end();
        cell.noteContended();
      },
    };
    const startTimer = (left: number): void => {
      timer = setTimeout(
        () => {
          if (left > MAX_DELAY) {
            startTimer(left - MAX_DELAY);
            return;
          }
          end();
          cell.cancel(request);
          reject(expired(cell, timeout));
        },
        Math.min(left, MAX_DELAY),
      );
    };
    // What fails in here does not reject a promise that was granted already.
    tidily(cell, () => {
      try {
        if (signal)
          forget = onAbort(signal, () => {
            end();
            cell.cancel(request);
            reject(signal.reason as Error);
          });
        if (timeout !== Infinity) startTimer(timeout);
        cell.enlist(request);
      } catch (error) {
        cell.pending.delete(request);
        void SOON.then(end);
        throw error;
      }
    });
  });
}

function contended<G>(cell: Cell, guard: G): G {
  cell.noteContended();
  return guard;
}

function expired(cell: Cell, timeout: number): LockTimeoutError {
  cell.noteTimeout();
  return timedOut(cell, timeout);
}

function timedOut(cell: Cell, timeout: number): LockTimeoutError {
  const { owner, waiters } = infoOf(cell);
  const holder = owner ?? 'others';
  const after = timeout === 0 ? 'at the first attempt' : `within ${timeout} ms`;
  return new LockTimeoutError(
    `${describeLock(cell)} was not acquired ${after}: held by ${holder}, ${waiters} waiting`,
  );
}

/** A snapshot for people. */
export function infoOf(cell: Cell): LockInfo {
  const { memory } = cell.queue;
  const { exclusiveOwner } = cell;
  return {
    name: nameOf(memory, cell.index),
    owner: exclusiveOwner === 0 ? null : cell.attachment.describe(exclusiveOwner),
    acquiredAt: exclusiveOwner === 0 ? null : acquiredAt(memory, cell.index),
    ttl: null,
    holders: holdersOf(cell),
    waiters: countWaiters(memory, cell.index),
  };
}

/** A lock in words, for messages. */
export function describeLock(cell: Cell): string {
  const name = nameOf(cell.queue.memory, cell.index);
  return name === undefined ? 'the lock' : `the lock '${name}'`;
}

/** Guards that are held now, over all threads. */
export function holdersOf(cell: Cell): number {
  return (cell.exclusiveOwner === 0 ? 0 : 1) + countSharedHolders(cell.queue.memory, cell.index);
}
