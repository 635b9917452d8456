/**
 * Re-entry of a reentrant mutex. A hold taken by a blocking acquire is re-entered by blocking acquires of the
 * same thread; one taken by `withLock` by async acquires inside its body, which `AsyncLocalStorage` tells from
 * the thread's other async tasks. The lock is released when every guard of the hold has been.
 */
import type { AsyncLocalStorage } from 'node:async_hooks';
import { ThreadGuard } from '../guard.js';
import type { Cell } from '../space/cell.js';
import { runtime } from '../space/runtime.js';
import type { Tether } from '../space/tether.js';
import type { MutexGuard } from './mutex.js';

interface Hold {
  /** Null until the lock is taken. */
  guard: MutexGuard | null;
  /** All guards of the hold hang on one tether; weakly, so that it tells when they are lost. */
  readonly tether: WeakRef<Tether>;
  /** Guards that are not released yet. */
  depth: number;
}

/** The holds of the `withLock` bodies that surround the running code, innermost first. */
interface Scope {
  readonly reentry: Reentry;
  readonly hold: Hold;
  readonly outer: Scope | undefined;
}

/** Shared by all copies of the package in this thread, as the locks are. */
const scopes = (): AsyncLocalStorage<Scope | undefined> =>
  runtime().scopes as AsyncLocalStorage<Scope | undefined>;

/** A guard of one entry. */
class ReentrantGuard extends ThreadGuard {
  readonly hold: Hold;
  readonly #reentry: Reentry;

  constructor(reentry: Reentry, hold: Hold, tether: Tether) {
    super(tether);
    this.hold = hold;
    this.#reentry = reentry;
  }

  get fence(): bigint {
    return this.hold.guard?.fence ?? 0n;
  }

  get abandoned(): boolean {
    return this.hold.guard?.abandoned ?? false;
  }

  release(): boolean {
    if (this.tether === null) return false;
    this.#reentry.leave(this.hold);
    this.tether = null;
    return true;
  }
}

/** Who has entered one reentrant mutex in this thread; shared by all its lock objects here. */
export class Reentry {
  readonly #cell: Cell;
  /** The hold that blocking acquires re-enter. */
  #current: Hold | null = null;

  constructor(cell: Cell) {
    this.#cell = cell;
  }

  static of(cell: Cell): Reentry {
    const { reentries } = runtime();
    let reentry = reentries.get(cell) as Reentry | undefined;
    if (reentry === undefined) {
      reentry = new Reentry(cell);
      reentries.set(cell, reentry);
    }
    return reentry;
  }

  /** Enters again, or by `acquire`, which may return null. */
  enterSync(acquire: () => MutexGuard | null): ThreadGuard | null {
    if (this.#current !== null) return this.#enter(this.#current);
    const prepared = this.#prepare();
    const guard = acquire();
    // No calls from here on: on a full stack they could fail, with the lock taken.
    if (guard === null) return null;
    const { entry, hold, tether } = prepared;
    hold.guard = guard;
    this.#current = hold;
    this.#cell.tether = tether;
    return entry;
  }

  /** Enters again if a `withLock` body of this mutex surrounds the caller, else by `acquire`, which may give null. */
  async enter(acquire: () => Promise<MutexGuard> | MutexGuard | null): Promise<ThreadGuard | null> {
    for (let scope = scopes().getStore(); scope !== undefined; scope = scope.outer)
      if (scope.reentry === this && scope.hold.depth > 0) return this.#enter(scope.hold);
    const prepared = this.#prepare();
    const guard = await acquire();
    if (guard === null) return null;
    const { entry, hold, tether } = prepared;
    hold.guard = guard;
    this.#cell.tether = tether;
    return entry;
  }

  /** Runs a body so that async acquires inside it re-enter the hold of `guard`. */
  inside<T>(guard: ThreadGuard, body: () => T): T {
    const { hold } = guard as ReentrantGuard;
    const outer = scopes().getStore();
    return scopes().run({ reentry: this, hold, outer }, body);
  }

  leave(hold: Hold): void {
    if (hold.depth === 1) {
      hold.guard?.release();
      this.#current = null;
    }
    hold.depth--;
  }

  /**
   * All that a new hold needs, made before the lock is taken. Its tether becomes the current one afterwards, so
   * that it is watched; the inner guard, which is not lost with the outer ones, has an older one.
   */
  #prepare(): { entry: ReentrantGuard; hold: Hold; tether: Tether } {
    const tether = this.#cell.newTether();
    const hold: Hold = { guard: null, tether: new WeakRef(tether), depth: 1 };
    return { entry: new ReentrantGuard(this, hold, tether), hold, tether };
  }

  #enter(hold: Hold): ThreadGuard {
    const entry = new ReentrantGuard(this, hold, hold.tether.deref() ?? this.#cell.tether);
    hold.depth++;
    return entry;
  }
}
