import { checkInteger, checkObject, show } from '../deadline.js';
import { LAYOUT_VERSION, MAX_LOCKS, MAX_THREADS } from '../space/layout.js';
import { createMemory, readMemory, type SpaceMemory } from '../space/memory.js';
import type { Presence } from '../space/presence.js';
import { DEFAULT_LOCKS, DEFAULT_THREADS, runtime } from '../space/runtime.js';
import { checkHandle } from './handles.js';
import { Mutex } from './mutex.js';
import { ReadWriteLock } from './read-write-lock.js';
import { Semaphore } from './semaphore.js';

/** Structured-cloneable: for `workerData`, `postMessage`, a task's argument. */
export interface SpaceHandle {
  readonly type: 'mortise/space';
  /** Layout version. */
  readonly version: number;
  readonly memory: SharedArrayBuffer;
}
const HANDLE_TYPE = 'mortise/space';

export interface SpaceOptions {
  /** How many locks it has room for: 1 to 1,048,576. Default 4096. */
  locks?: number;
  /** How many threads can use it at a time: 1 to 1022. Default 128. */
  threads?: number;
  /** Checked and kept for compatibility: every thread has its place in every queue, so there is no limit. */
  waiters?: number;
}

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
   * Opens the space that a handle stands for.
   * @throws InvalidHandleError if it is not the handle of a space, or has another layout version.
   * SpaceFullError if it has no room for another thread.
   */
  static from(handle: SpaceHandle): Space {
    const { memory } = checkHandle(handle, HANDLE_TYPE);
    return new Space(new PresenceOf(runtime().presenceIn(readMemory(memory))));
  }

  get handle(): SpaceHandle {
    return { type: HANDLE_TYPE, version: LAYOUT_VERSION, memory: this.#presence.memory.buffer };
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

let defaultSpace: Space | undefined;

/** A presence on its way into the constructor. */
class PresenceOf {
  readonly presence: Presence;

  constructor(presence: Presence) {
    this.presence = presence;
  }
}

function create(options: SpaceOptions): Presence {
  checkObject(options, 'options');
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
