/** The one capability that unlocks a lock between threads. */
import type { SyncGuard } from './lock.js';
import type { Tether } from './space/tether.js';

/**
 * Base of the guards of mutexes, semaphores and read-write locks. It is released by `release()`, by leaving the
 * block of a `using` or `await using` declaration, or, if it is never released, by the end of its thread.
 * If it is garbage-collected while held, a process warning with code `MORTISE_GUARD_LOST` names the lock.
 */
export abstract class ThreadGuard implements SyncGuard {
  /** Null once it is released. */
  protected tether: Tether | null;

  constructor(tether: Tether) {
    this.tether = tether;
  }

  /** @internal See `GrantableGuard`. */
  hang(tether: Tether): void {
    this.tether = tether;
  }

  get held(): boolean {
    return this.tether !== null;
  }

  abstract readonly fence: bigint;
  abstract readonly abandoned: boolean;
  abstract release(): boolean;

  [Symbol.dispose](): void {
    this.release();
  }

  [Symbol.asyncDispose](): Promise<void> {
    this.release();
    return Promise.resolve();
  }
}

/** A guard of a lock whose holds are fenced and can be abandoned: all but a semaphore's. */
export abstract class FencedGuard extends ThreadGuard {
  /** The fence, negative if abandoned: one field instead of three, since each costs time in the fast path. */
  protected stamp: number;

  constructor(tether: Tether) {
    super(tether);
    this.stamp = 0;
  }

  get fence(): bigint {
    return BigInt(Math.abs(this.stamp));
  }

  get abandoned(): boolean {
    return this.stamp < 0;
  }

  /** Takes over the fence of the write guard that it was downgraded from, which was told of a death, if any. */
  inherit(from: FencedGuard): void {
    this.stamp = Math.abs(from.stamp);
  }
}
