/** What a manager asks of the search for deadlocks. */
import type { Lock } from '../lock.js';
import { AttendedLock } from './attended-lock.js';
import type { Census } from './census.js';
import { detector } from './detector.js';
import type { DeadlockReport } from './report.js';
import { Scope, currentScope, inScope, self, type NotedHold } from './task.js';
import { EVERYTHING, partyKey, type Mode } from './wait.js';
import type { Watcher } from './watcher.js';

/** What a manager knows of a lock. */
export interface Known {
  readonly name: string;
  readonly key: string;
  /** Undefined: a lock of the user's own. */
  readonly backend: string | undefined;
  readonly permits: number | undefined;
  readonly fifo: boolean;
  /** As its backend has made it, whatever stands in front of it. */
  readonly behind: Lock;
  readonly census: Census | undefined;
}

/** The lock as it shall be used. */
export function attended(lock: Lock, mode: Mode, known: Known, watcher: Watcher): Lock {
  const { name, key, backend, permits, fifo, behind, census } = known;
  const identity = census?.threads?.identify(behind);
  if (backend !== undefined) mind(watcher, backend, census);
  const id = identity ?? (backend === undefined ? `${partyKey(self)} ${key}` : `${backend} ${key}`);
  const subject = { id, name, backend, capacity: permits ?? EVERYTHING, fifo };
  const threads = identity === undefined ? undefined : census?.threads;
  return new AttendedLock({ lock, behind }, mode, subject, watcher, threads);
}

/** From now on this manager is told of deadlocks on that backend. */
export function mind(watcher: Watcher, backend: string, census: Census | undefined): void {
  watcher.minds(backend);
  if (census !== undefined) detector().sources.add(backend, census);
}

/** The cycles that there are now. */
export async function detectedBy(watcher: Watcher): Promise<DeadlockReport[]> {
  const found = await detector().detect();
  return found.filter(({ members }) =>
    watcher.isConcernedBy(members.map(({ waitsFor }) => waitsFor.backend)),
  );
}

/** Several locks that one task acquires one after the other. As long as it does, it is known what it holds. */
export class Together implements Disposable {
  #scope: Scope | undefined = currentScope();
  readonly #holds: NotedHold[] = [];

  /** Runs an acquire as part of the task. */
  run<T>(acquire: () => T): T {
    return this.#scope === undefined ? acquire() : inScope(this.#scope, acquire);
  }

  add(hold: NotedHold | undefined): void {
    if (hold === undefined) return;
    detector().hold(hold);
    this.#holds.push(hold);
    this.#scope = new Scope(hold, this.#scope);
  }

  [Symbol.dispose](): void {
    for (const hold of this.#holds) detector().letGo(hold);
  }
}
