import { checkInteger, checkOptions, show, type Names } from '../deadline.js';
import { absolutePath } from '../path.js';
import { MAX_LOCKS, MAX_THREADS } from '../space/layout.js';
import { createMemory, type SpaceMemory } from '../space/memory.js';
import type { Presence } from '../space/presence.js';
import { checkSize } from '../space/region.js';
import { DEFAULT_LOCKS, DEFAULT_THREADS, runtime } from '../space/runtime.js';
import { handleOf, openSpaceHandle, type Handle } from './handles.js';
import { Mutex } from './mutex.js';
import { ReadWriteLock } from './read-write-lock.js';
import { Semaphore } from './semaphore.js';

/** Structured-cloneable: for `workerData`, `postMessage`, a task's argument; that of a file as JSON as well. */
export type SpaceHandle = Handle<'mortise/space'>;
const HANDLE_TYPE = 'mortise/space';

export interface SpaceOptions {
  /** How many locks it has room for: 1 to 1,048,576. Default 4096. */
  locks?: number;
  /** How many threads can use it at a time: 1 to 1022. Default 128. */
  threads?: number;
  /** Checked and kept for compatibility: every thread has its place in every queue, so there is no limit. */
  waiters?: number;
}

export interface SpaceOpenOptions {
  /** How many locks it has room for: 1 to 1,048,576. Default 1024. If the region is there it must have as many. */
  locks?: number;
  /** How many threads of all processes can use it at a time: 1 to 1022. Default 128. If it is there it must have as many. */
  threads?: number;
  /** Of a new file: who may use it, whatever the umask. Default 0o600: processes of this user. */
  mode?: number;
  /** Use it even if it belongs to another user, who can stop all its locks and cut the file short. Default false. */
  anyOwner?: boolean;
}

/** Capacity of a new region if nothing else is said. */
const REGION_LOCKS = 1024;
const REGION_THREADS = 128;

/**
 * The shared memory that locks live in. Every process has a default one, which its worker threads inherit by
 * themselves; another one is shared by passing its handle. Its capacity is fixed: one page of memory is used
 * only once something is written to it.
 *
 * @example
 * ```js
 * import { Space } from 'mortise';
 *
 * const space = new Space({ locks: 16, threads: 8 });
 * const here = space.mutex('db');
 * const there = Space.from(structuredClone(space.handle)).mutex('db'); // as in another thread
 * here.acquireSync();
 * there.isLockedSync(); // => true
 * ```
 */
export class Space {
  readonly #presence: Presence;

  /**
   * Makes a new space.
   * @throws TypeError or RangeError for bad options.
   */
  constructor(options: SpaceOptions | PresenceOf = {}) {
    this.#presence = options instanceof PresenceOf ? options.presence : create(options);
    runtime().bind(this, this.#presence);
  }

  /**
   * The space that all threads of the process have in common.
   * @throws UnsupportedError in a worker that was started before the main thread loaded this package.
   */
  static default(): Space {
    return (defaultSpace ??= new Space(new PresenceOf(runtime().defaultPresence())));
  }

  /**
   * Opens the space in a file, the region, which every process and thread that opens the same file shares; makes it, and
   * its folder, if it is not there. The same name is then the same lock in all of them, with the same guarantees as
   * between threads: what a process holds that was killed at any point passes on. Opening takes less than a millisecond,
   * making about ten. A thread that opens a region again gets the same space.
   *
   * Choose a path on a local file system in memory, such as `/dev/shm/my-program/locks`. Nobody may cut the file short
   * while it is used, since that would kill those who use it; removing it leaves two spaces, one for those who have it
   * open and one for those who come later. It can stay: whoever opens it next finds its locks free, and those whose
   * holder died as `abandoned`.
   *
   * Needs the native addon, and Linux. Not for network file systems, nor for processes with musl and glibc together.
   * @param path of the file, or its URL; relative ones are of the working folder.
   * @throws BackendUnavailableError if the file is not a region, of another version, kind of system or capacity, cut
   * short, or of another user, or if the system refuses something (`cause`): it is as it was then. SpaceFullError if it
   * has no room for another thread; UnsupportedError where the system has no futexes or robust mutexes;
   * NativeAddonError without the addon; TypeError or RangeError for bad arguments.
   *
   * @example
   * ```js
   * import { mkdtempSync, rmSync } from 'node:fs';
   * import { tmpdir } from 'node:os';
   * import { join } from 'node:path';
   * import { Mutex, Space } from 'mortise';
   *
   * const folder = mkdtempSync(join(tmpdir(), 'mortise-'));
   * const space = Space.open(join(folder, 'locks'), { locks: 16, threads: 8 });
   * const mutex = space.mutex('report'); // the same lock in every process that opens this file
   * const there = Mutex.from(JSON.parse(JSON.stringify(mutex.handle))); // as in a process that was sent it
   * const guard = mutex.acquireSync();
   * there.isLockedSync(); // => true
   * guard.release();
   * rmSync(folder, { recursive: true });
   * ```
   */
  static open(path: string | URL, options: SpaceOpenOptions = {}): Space {
    const absolute = absolutePath(path);
    checkOptions(options, 'options', OPEN_OPTIONS);
    const { locks, threads, mode = 0o600, anyOwner = false } = options;
    if (locks !== undefined) checkInteger(locks, 'options.locks', 1, MAX_LOCKS);
    if (threads !== undefined) checkInteger(threads, 'options.threads', 1, MAX_THREADS);
    checkInteger(mode, 'options.mode', 0, 0o777);
    if ((mode & 0o600) !== 0o600)
      throw new RangeError(
        `options.mode must let its owner read and write, which 0o${mode.toString(8)} does not`,
      );
    if (typeof anyOwner !== 'boolean')
      throw new TypeError(`options.anyOwner must be true or false, not ${show(anyOwner)}`);
    const make = { locks: locks ?? REGION_LOCKS, threads: threads ?? REGION_THREADS, mode };
    checkSize(make.locks, make.threads);
    return new Space(
      new PresenceOf(runtime().presenceInFile({ path: absolute, make, locks, threads, anyOwner })),
    );
  }

  /**
   * Opens the space that a handle stands for, in memory or in a file, which must be there. If another user owns the file,
   * this thread must have it open: a handle cannot ask for that.
   * @throws InvalidHandleError if it is not the handle of a space, has another layout version, or the file at its path
   * is another region by now; SpaceFullError if it has no room for another thread; for a file also what {@link open}
   * throws.
   */
  static from(handle: SpaceHandle): Space {
    return new Space(new PresenceOf(openSpaceHandle(handle, HANDLE_TYPE)));
  }

  get handle(): SpaceHandle {
    return handleOf(HANDLE_TYPE, this.#presence.memory);
  }

  /**
   * The mutex with this name, made if need be: the same lock in every thread.
   * @throws NameConflictError if the name is that of another kind of lock; SpaceFullError if there is no room.
   */
  mutex(name: string): Mutex {
    return new Mutex({ name, space: this });
  }

  /**
   * The semaphore with this name, made if need be.
   * @throws NameConflictError if the name is that of another kind of lock, or of a semaphore with other permits;
   * SpaceFullError if there is no room.
   */
  semaphore(name: string, permits: number): Semaphore {
    return new Semaphore(permits, { name, space: this });
  }

  /**
   * The read-write lock with this name, made if need be.
   * @throws NameConflictError if the name is that of another kind of lock; SpaceFullError if there is no room.
   */
  readWriteLock(name: string): ReadWriteLock {
    return new ReadWriteLock({ name, space: this });
  }
}

const OPTIONS: Names<SpaceOptions> = { locks: true, threads: true, waiters: true };
const OPEN_OPTIONS: Names<SpaceOpenOptions> = { locks: true, threads: true, mode: true, anyOwner: true };

let defaultSpace: Space | undefined;

/** A presence on its way into the constructor. */
class PresenceOf {
  readonly presence: Presence;

  constructor(presence: Presence) {
    this.presence = presence;
  }
}

function create(options: SpaceOptions): Presence {
  checkOptions(options, 'options', OPTIONS);
  const { locks = DEFAULT_LOCKS, threads = DEFAULT_THREADS, waiters } = options;
  checkInteger(locks, 'options.locks', 1, MAX_LOCKS);
  checkInteger(threads, 'options.threads', 1, MAX_THREADS);
  if (waiters !== undefined) checkInteger(waiters, 'options.waiters', 1, Number.MAX_SAFE_INTEGER);
  return runtime().presenceIn(allocate(locks, threads));
}

function allocate(locks: number, threads: number): SpaceMemory {
  try {
    return createMemory(locks, threads);
  } catch (error) {
    const what = `options.locks ${locks} with options.threads ${threads}`;
    throw new RangeError(`${what} takes more memory than there can be: ${show(error)}`, { cause: error });
  }
}
