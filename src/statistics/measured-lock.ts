/** A lock in front of another one, that counts: for every lock, whatever it is made of. */
import { LockTimeoutError } from '../errors.js';
import type { AcquireOptions, Guard, Lease, Lock, LockInfo, SyncGuard, SyncLock } from '../lock.js';
import type { LockMode } from '../manager/limits.js';
import type { Asked, Row } from './row.js';

/** A write guard, which can become a read guard. */
interface Downgrading {
  downgrade(): Guard;
}

/**
 * Asks the lock, and takes the time. Whether a request had to wait is unknown, so that all of them count as if they had:
 * where it can be known is another lock's business (`PromptLock`).
 */
export class MeasuredLock<O extends AcquireOptions = AcquireOptions> implements Lock {
  readonly behind: Lock;
  /** Counts as long as this object lives, so whatever has to be counted keeps the object and not the row. */
  readonly row: Row;
  protected readonly isExclusive: boolean;
  /** Of a writer: the reading side of the same lock. */
  reader: MeasuredLock<O> | undefined;
  /** Told once the lock behind it was closed. */
  onClosed: () => void = () => {};

  constructor(behind: Lock, row: Row, mode: LockMode) {
    this.behind = behind;
    this.row = row;
    this.isExclusive = mode === 'lock' || mode === 'write';
  }

  get name(): string | undefined {
    return this.behind.name;
  }

  async acquire(options?: O): Promise<Guard> {
    const asked = this.row.ask();
    try {
      return this.noted(await this.behind.acquire(options), asked);
    } catch (error) {
      this.missed(asked, error, options);
      throw error;
    }
  }

  async tryAcquire(options?: O): Promise<Guard | null> {
    const guard = await (this.behind as MeasuredLock<O>).tryAcquire(options);
    return guard && this.noted(guard);
  }

  async withLock<T>(body: (guard: Guard) => T | Promise<T>, options?: O): Promise<T> {
    if (typeof body !== 'function') return this.behind.withLock(body, options);
    const asked = this.row.ask();
    let isGranted = false;
    const measured = (guard: Guard): T | Promise<T> => {
      isGranted = true;
      return body(this.noted(guard, asked));
    };
    try {
      return await this.behind.withLock(measured, options);
    } catch (error) {
      if (!isGranted) this.missed(asked, error, options);
      throw error;
    }
  }

  isLocked(): Promise<boolean> {
    return this.behind.isLocked();
  }

  isOwned(): Promise<boolean> {
    return this.behind.isOwned();
  }

  info(): Promise<LockInfo> {
    return this.behind.info();
  }

  dispose(): void | Promise<void> {
    const closing = (this.behind as MeasuredLock).dispose();
    return closing === undefined ? this.onClosed() : closing.then(this.onClosed);
  }

  /** Of a semaphore. */
  get permits(): number {
    return (this.behind as MeasuredLock).permits;
  }

  available(): Promise<number> {
    return (this.behind as MeasuredLock).available();
  }

  /** A hold that is not measured has ended. */
  released(): true {
    this.row.released(null);
    return true;
  }

  /** A write hold has become this read hold. */
  downgraded<G extends Guard>(reading: G): G {
    return this.reader?.noted(reading) ?? reading;
  }

  /** The same guard, which from now on says when it is released, or lost. */
  protected noted<G extends Guard>(guard: G, asked?: Asked): G {
    const { row } = this;
    const fence = this.isExclusive ? Number(guard.fence) : 0;
    const since = asked === undefined ? row.begin(fence) : row.granted(asked, fence);
    if (!Object.isExtensible(guard)) {
      row.released(null); // It is somebody else's, and will not tell.
      return guard;
    }
    let hasEnded = false;
    const { signal } = guard as { readonly signal?: Lease['signal'] };
    const lost = (): void => {
      hasEnded = true;
      this.row.lost(since);
    };
    signal?.addEventListener('abort', lost, { once: true });
    const ended = (released: boolean): boolean => {
      signal?.removeEventListener('abort', lost);
      if (released && !hasEnded) this.row.released(since);
      hasEnded ||= released;
      return released;
    };
    if ('downgrade' in guard) this.#watchDowngrade(guard as unknown as Downgrading, () => ended(true));
    const release = guard.release.bind(guard);
    guard.release = (): boolean | Promise<boolean> => {
      const released = release();
      return typeof released === 'boolean' ? ended(released) : released.then(ended);
    };
    return guard;
  }

  #watchDowngrade(guard: Downgrading, ended: () => void): void {
    const downgrade = guard.downgrade.bind(guard);
    guard.downgrade = (): Guard => {
      const reading = downgrade();
      ended();
      return this.downgraded(reading);
    };
  }

  protected missed(asked: Asked, error: unknown, options: O | undefined): void {
    this.row.missed(asked, error instanceof LockTimeoutError && options?.timeout !== 0);
  }
}

/** A {@link MeasuredLock} that can block, as a `SyncLock` does. */
export class MeasuredSyncLock<O extends AcquireOptions = AcquireOptions> extends MeasuredLock<O> {
  declare readonly behind: SyncLock;

  acquireSync(options?: O): SyncGuard {
    const asked = this.row.ask();
    try {
      return this.noted(this.behind.acquireSync(options), asked);
    } catch (error) {
      this.missed(asked, error, options);
      throw error;
    }
  }

  tryAcquireSync(options?: O): SyncGuard | null {
    const guard = (this.behind as MeasuredSyncLock<O>).tryAcquireSync(options);
    return guard && this.noted(guard);
  }

  withLockSync<T>(body: (guard: SyncGuard) => T, options?: O): T {
    if (typeof body !== 'function') return this.behind.withLockSync(body, options);
    const asked = this.row.ask();
    let isGranted = false;
    const measured = (guard: SyncGuard): T => {
      isGranted = true;
      return body(this.noted(guard, asked));
    };
    try {
      return this.behind.withLockSync(measured, options);
    } catch (error) {
      if (!isGranted) this.missed(asked, error, options);
      throw error;
    }
  }

  isLockedSync(): boolean {
    return this.behind.isLockedSync();
  }

  isOwnedSync(): boolean {
    return this.behind.isOwnedSync();
  }

  infoSync(): LockInfo {
    return this.behind.infoSync();
  }

  availableSync(): number {
    return (this.behind as MeasuredSyncLock).availableSync();
  }
}
