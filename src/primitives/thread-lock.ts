/** What a user holds: the faces of locks, and everything that can be said in terms of their acquire forms. */
import { asyncDeadline } from '../deadline.js';
import { LockBusyError } from '../errors.js';
import type { ThreadGuard } from '../guard.js';
import type { AcquireOptions, LockInfo, LockStats, SyncLock } from '../lock.js';
import type { Cell } from '../space/cell.js';
import { nameOf } from '../space/cells.js';
import { readStats } from '../space/statistics.js';
import type { TetherSource } from '../space/tether.js';
import { withLock, withLockSync } from '../with-lock.js';
import { describeLock, holdersOf, infoOf, type Way } from './acquire.js';
import type { Opened } from './handles.js';

/** A lock, or one side of it. */
export abstract class ThreadLock {
  /** Where the fast path finds its tether; barred once disposed of. */
  source: TetherSource;
  protected readonly opened: Opened;

  constructor(opened: Opened) {
    this.opened = opened;
    this.source = opened.cell;
    opened.faces.push(this);
  }

  /** Throws once disposed of. */
  protected get cell(): Cell {
    return this.opened.cell;
  }

  /** The name it has in its space, or undefined. */
  get name(): string | undefined {
    return nameOf(this.opened.presence.memory, this.cell.index);
  }

  /** What happened at this lock since it was made, summed over all threads. */
  stats(): LockStats {
    this.cell.attachment.lookForDead();
    return readStats(this.opened.presence.memory, this.cell.index, this.cell.exclusiveOwner === 0 ? 0 : 1);
  }

  /**
   * Closes the lock in this thread and gives its cell back; the cell, and its name, are reused when no thread
   * has it open any more. Every later call of this object throws. A name whose last holder died is kept until its
   * next holder has been told (`guard.abandoned`).
   * @throws LockBusyError if it is held or waited for; nothing has changed then.
   */
  dispose(): void {
    const { cell } = this;
    const { presence } = this.opened;
    cell.attachment.lookForDead();
    if (holdersOf(cell) > 0 || presence.isWaitedFor(cell))
      throw new LockBusyError(`${describeLock(cell)} cannot be disposed of: it is held or waited for`);
    this.opened.dispose();
  }

  /** As {@link dispose}, at the end of a `using` declaration. */
  [Symbol.dispose](): void {
    this.dispose();
  }
}

/** Everything that can be said in terms of `acquire`, `acquireSync` and `tryAcquireSync`. */
export abstract class Acquirable<G extends ThreadGuard, O extends AcquireOptions = AcquireOptions>
  extends ThreadLock
  implements SyncLock
{
  protected abstract readonly way: Way<ThreadGuard>;
  abstract acquire(options?: O): Promise<G>;
  abstract acquireSync(options?: O): G;
  abstract tryAcquireSync(options?: O): G | null;

  /**
   * Gives a function that makes what every acquire (of weight 1) makes first: one CAS at most. Null: it failed, for whatever
   * reason, and nothing has happened. `tryAcquireSync` does more, because it looks at the word, and at who died, before it
   * gives up. Each kind has a function of its own, since V8 optimizes one for the objects that it has seen.
   * @internal
   */
  abstract firstAttempt(): () => G | null;

  /** As {@link tryAcquireSync}, as a promise. Rejects with `signal.reason` if the signal is aborted already. */
  async tryAcquire(options?: O): Promise<G | null> {
    if (options === undefined) return this.tryAcquireSync();
    asyncDeadline(options, options); // Whether there are such options is looked at below.
    return this.tryAcquireSync({ ...options, signal: undefined });
  }

  /**
   * Runs `body` with the lock held, and releases it when the promise of `body` settles. Returns or throws what
   * `body` did.
   */
  withLock<T>(body: (guard: G) => T | Promise<T>, options?: O): Promise<T> {
    return withLock(this, body, options);
  }

  /** Runs `body` with the lock held, blocking. Returns or throws what `body` did. */
  withLockSync<T>(body: (guard: G) => T, options?: O): T {
    return withLockSync(this, body, options);
  }

  /** Does anybody hold it? */
  isLockedSync(): boolean {
    this.cell.attachment.lookForDead();
    return holdersOf(this.cell) > 0;
  }

  /** Does this thread hold it? */
  isOwnedSync(): boolean {
    return this.way.isOwn(this.cell);
  }

  /** Who holds it, how many wait. */
  infoSync(): LockInfo {
    this.cell.attachment.lookForDead();
    return infoOf(this.cell);
  }

  async isLocked(): Promise<boolean> {
    return this.isLockedSync();
  }

  async isOwned(): Promise<boolean> {
    return this.isOwnedSync();
  }

  async info(): Promise<LockInfo> {
    return this.infoSync();
  }
}
