import { asyncDeadline, blockingDeadline, checkOptions, show, type Names } from '../deadline.js';
import { InvalidHandleError, LockBusyError } from '../errors.js';
import type { AcquireOptions, LockInfo, SyncLock } from '../lock.js';
import { native } from '../native.js';
import { absolutePath, checkMode } from '../path.js';
import { withLock, withLockSync } from '../with-lock.js';
import { contenderFor, type Contender, type Wish } from './contender.js';
import type { FileGuard } from './guard.js';
import { describe } from './holder.js';
import { LockFile } from './lock-file.js';

export interface FileLockOptions {
  /** Others who share it may hold it at the same time, those who do not may not. Default false. */
  shared?: boolean;
  /** Remove the file at each release, if nobody else shares it. Default false: a leftover file is harmless. */
  removeOnRelease?: boolean;
  /**
   * Permissions of a file that is made, less the process's umask; its owner must have 0o600. Who may use the file may
   * also enter a folder that is made for it. Default 0o600: for this user only.
   */
  mode?: number;
}

/** {@link LockInfo} of a lock file. */
export interface FileLockInfo extends LockInfo {
  readonly path: string;
  /** Process, thread and host of its exclusive holder, or `null`. A process in a container has the pid it has there. */
  readonly pid: number | null;
  readonly threadId: number | null;
  readonly host: string | null;
}

/**
 * A lock that is a file: whoever opens the same path excludes each other, in one thread, in several threads, and in
 * several processes, whatever wrote them (`flock(1)` too). The kernel releases the lock of a process that ends in any
 * way, and the next exclusive holder is told so (`guard.abandoned`).
 *
 * The file holds the fence and who has it. It is made, with its folder, for this user only, is never truncated, and stays
 * when the lock is released, unless `removeOnRelease` is set. Do not rename or remove it while it is in use. A file that
 * has other contents is refused: lock `data.json.lock` to guard `data.json`.
 *
 * Requests of one thread are served in their order. Between threads and processes the kernel decides, but whoever comes
 * while others wait lets them go first once, and whoever wants to share lets those go first who do not, for 50 ms. A
 * waiter is woken by the release, and looks by itself every 20 ms or less, for a holder that was killed wakes nobody; a
 * thread that waits for more than 50 files takes 0.4 ms for each, half a second at most. On systems without futexes
 * (macOS, Windows) and between machines (NFS) it only looks.
 *
 * No thread of libuv's pool ever waits.
 *
 * @example
 * ```js
 * import { tmpdir } from 'node:os';
 * import { join } from 'node:path';
 * import { FileLock } from 'mortise/file';
 *
 * const lock = new FileLock(join(tmpdir(), `report-${process.pid}.lock`), { removeOnRelease: true });
 * await lock.withLock(async (guard) => {
 *   guard.abandoned; // => false
 *   (await lock.info()).pid === process.pid; // => true
 * });
 * lock.isLockedSync(); // => false
 * ```
 */
export class FileLock implements SyncLock {
  /** Absolute. */
  readonly path: string;
  readonly #wish: Wish;
  #isDisposed = false;

  /**
   * Touches no file yet. `path`: a string, relative to the working directory of now, or a `file:` URL.
   * @throws TypeError or RangeError for bad arguments; NativeAddonError if there is no addon.
   */
  constructor(path: string | URL, options: FileLockOptions = {}) {
    this.path = absolutePath(path);
    this.#wish = { ...wishFrom(options), held: 0 };
    native();
  }

  get name(): string {
    return this.path;
  }

  /**
   * Waits for the lock without blocking the event loop.
   * @throws LockTimeoutError, `signal.reason`, BackendUnavailableError for what the system refuses, with the path.
   */
  async acquire(options?: AcquireOptions): Promise<FileGuard> {
    const deadline = asyncDeadline(options);
    return this.#contender.acquire(this.#wish, deadline);
  }

  /**
   * Waits for the lock, blocking this thread. `worker.terminate()` ends the wait within 20 ms.
   * @throws LockTimeoutError, DeadlockError if this thread holds it, BackendUnavailableError.
   */
  acquireSync(options?: AcquireOptions): FileGuard {
    const deadline = blockingDeadline(options);
    return this.#contender.acquireBlocking(this.#wish, deadline);
  }

  /** The lock if it is free now, or null. */
  tryAcquireSync(options?: AcquireOptions): FileGuard | null {
    blockingDeadline(options);
    return this.#contender.try(this.#wish);
  }

  async tryAcquire(options?: AcquireOptions): Promise<FileGuard | null> {
    asyncDeadline(options);
    return this.#contender.try(this.#wish);
  }

  /** Runs `body` with the lock held, and releases it when the promise of `body` settles. */
  withLock<T>(body: (guard: FileGuard) => T | Promise<T>, options?: AcquireOptions): Promise<T> {
    return withLock(this, body, options);
  }

  /** Runs `body` with the lock held, blocking. */
  withLockSync<T>(body: (guard: FileGuard) => T, options?: AcquireOptions): T {
    return withLockSync(this, body, options);
  }

  /** Does anybody hold it? To see that, it may take the lock for a moment, and a `try` elsewhere may just then fail. */
  isLockedSync(): boolean {
    return this.#look() !== 'free';
  }

  /** Is it held through this object? */
  isOwnedSync(): boolean {
    return this.#wish.held > 0;
  }

  /**
   * Who holds it and since when. `holders` is 1 for an exclusive one; of those who share it, those of this thread, else
   * 1. `waiters` is those of this thread, else 1 if others wait. Looks as {@link isLockedSync} does.
   */
  infoSync(): FileLockInfo {
    return this.#withFile((file, contender) => {
      const state = stateOf(file, contender);
      const holder = state === 'exclusive' ? file?.holder() : undefined;
      return {
        name: this.name,
        path: this.path,
        owner: holder === undefined ? null : describe(holder),
        pid: holder?.pid ?? null,
        threadId: holder?.threadId ?? null,
        host: holder?.host ?? null,
        acquiredAt: holder?.since ?? null,
        ttl: null,
        holders: state === 'free' ? 0 : Math.max(1, contender.sharers),
        waiters: Math.max(contender.waiting, file?.isWaitedFor() ? 1 : 0),
      };
    });
  }

  async isLocked(): Promise<boolean> {
    return this.isLockedSync();
  }

  async isOwned(): Promise<boolean> {
    return this.isOwnedSync();
  }

  async info(): Promise<FileLockInfo> {
    return this.infoSync();
  }

  /**
   * Closes the file, which otherwise stays open for the next time. Every later acquire through this object throws.
   * @throws LockBusyError if this thread holds the lock or waits for it.
   */
  dispose(): void {
    const contender = contenderFor(this.path);
    if (contender.isHeld || contender.waiting > 0)
      throw new LockBusyError(`the lock file ${this.path} cannot be closed: it is held or waited for`);
    contender.closeIfIdle();
    this.#isDisposed = true;
  }

  [Symbol.dispose](): void {
    this.dispose();
  }

  get #contender(): Contender {
    if (this.#isDisposed) throw new InvalidHandleError(`the lock file ${this.path} has been disposed of`);
    return contenderFor(this.path);
  }

  #look(): ReturnType<typeof stateOf> {
    return this.#withFile(stateOf);
  }

  /** Looks at the file, if there is one, without making it. */
  #withFile<T>(body: (file: LockFile | undefined, contender: Contender) => T): T {
    const contender = contenderFor(this.path);
    const { openFile } = contender;
    if (openFile !== undefined && contender.isHeld) return body(openFile, contender);
    const file = LockFile.find(this.path);
    try {
      return body(file, contender);
    } finally {
      file?.close();
    }
  }
}

function stateOf(file: LockFile | undefined, contender: Contender): 'free' | 'shared' | 'exclusive' {
  if (contender.isHeldExclusively) return 'exclusive';
  if (contender.sharers > 0) return 'shared';
  return file === undefined ? 'free' : file.look();
}

const OPTIONS: Names<FileLockOptions> = { shared: true, removeOnRelease: true, mode: true };

function wishFrom(options: FileLockOptions): Omit<Wish, 'held'> {
  checkOptions(options, 'options', OPTIONS);
  const { shared = false, removeOnRelease = false, mode = 0o600 } = options;
  checkBoolean(shared, 'options.shared');
  checkBoolean(removeOnRelease, 'options.removeOnRelease');
  checkMode(mode);
  return { shared, removeOnRelease, mode };
}

function checkBoolean(value: unknown, what: string): void {
  if (typeof value !== 'boolean') throw new TypeError(`${what} must be true or false, not ${show(value)}`);
}
