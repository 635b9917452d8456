/** Counting where it has to be fast: locks that can be tried before they are asked, so that it is known who had to wait. */
import { asyncDeadline, blockingDeadline } from '../deadline.js';
import { FileLock } from '../file/file-lock.js';
import type { Guard, SemaphoreAcquireOptions, SyncGuard, SyncLock } from '../lock.js';
import type { LockMode } from '../manager/limits.js';
import { ThreadLock } from '../primitives/thread-lock.js';
import type { Cell } from '../space/cell.js';
import { withLock, withLockSync } from '../with-lock.js';
import { attempts, type Attempt } from './counted-guards.js';
import { MeasuredSyncLock } from './measured-lock.js';
import type { Row } from './row.js';

type Options = SemaphoreAcquireOptions;

/** Undefined if the lock cannot be tried first. What is somebody else's may do anything when it is tried. */
export function promptLock(behind: object, row: Row, mode: LockMode): PromptLock | undefined {
  if (behind instanceof FileLock) return new PromptFileLock(behind, row, mode);
  if (!(behind instanceof ThreadLock)) return undefined;
  const { cell } = behind.source.tether;
  // A reentrant mutex, on whose tether no fast path finds anything: it would take whoever tries for its holder.
  if (cell === null) return undefined;
  return new PromptThreadLock(behind as ThreadLock & SyncLock, cell, row, mode);
}

export function canBePrompt(behind: object): boolean {
  return behind instanceof FileLock || (behind instanceof ThreadLock && behind.source.tether.cell !== null);
}

abstract class PromptLock extends MeasuredSyncLock<Options> {
  /** One attempt, with options that were checked; counted, if it succeeds. */
  protected abstract attempt(options: Options | undefined): SyncGuard | null;
  /** Within a thread async requests are served by arrival: do any wait here already? */
  protected abstract readonly isWaitedFor: boolean;

  override async acquire(options?: Options): Promise<Guard> {
    if (options !== undefined) asyncDeadline(options);
    const guard = this.isWaitedFor ? null : this.attempt(options);
    return guard ?? super.acquire(options);
  }

  override async tryAcquire(options?: Options): Promise<Guard | null> {
    if (options !== undefined) asyncDeadline(options);
    return this.attempt(options) ?? super.tryAcquire(options);
  }

  override withLock<T>(body: (guard: Guard) => T | Promise<T>, options?: Options): Promise<T> {
    return withLock<SyncGuard, T, Options>(this as unknown as SyncLock, body, options);
  }

  override acquireSync(options?: Options): SyncGuard {
    if (options !== undefined) blockingDeadline(options);
    return this.attempt(options) ?? super.acquireSync(options);
  }

  override tryAcquireSync(options?: Options): SyncGuard | null {
    if (options !== undefined) blockingDeadline(options);
    return this.attempt(options) ?? super.tryAcquireSync(options);
  }

  override withLockSync<T>(body: (guard: SyncGuard) => T, options?: Options): T {
    return withLockSync<SyncGuard, T, Options>(this, body, options);
  }
}

class PromptThreadLock extends PromptLock {
  declare readonly behind: ThreadLock & SyncLock;
  readonly #cell: Cell;
  readonly #attempt: Attempt;
  readonly #permits: number;

  constructor(behind: ThreadLock & SyncLock, cell: Cell, row: Row, mode: LockMode) {
    super(behind, row, mode);
    this.#cell = cell;
    this.#attempt = attempts[mode];
    this.#permits = mode === 'semaphore' ? this.permits : Infinity;
  }

  protected override get isWaitedFor(): boolean {
    return this.#cell.hasPending;
  }

  /** Weights that cannot be are left to the lock, which names them. */
  protected override attempt(options: Options | undefined): SyncGuard | null {
    const weight = options?.weight ?? 1;
    if (weight !== 1 && !(Number.isInteger(weight) && weight >= 1 && weight <= this.#permits)) return null;
    return this.#attempt(this, this.behind.source.tether, weight);
  }
}

class PromptFileLock extends PromptLock {
  declare readonly behind: FileLock;

  protected override get isWaitedFor(): boolean {
    return this.row.isWaitedFor;
  }

  protected override attempt(): SyncGuard | null {
    const guard = this.behind.tryAcquireSync();
    return guard && this.noted(guard);
  }
}
