import { asyncDeadline, blockingDeadline, checkOptions, type Names } from '../deadline.js';
import type { AcquireOptions } from '../lock.js';
import { FencedGuard } from '../guard.js';
import type { Cell, GrantableGuard } from '../space/cell.js';
import {
  CELL_FENCE,
  IN_DOUBT,
  KIND_READ_WRITE_LOCK,
  RECORD_BEGUN_F64,
  RECORD_HOLD,
} from '../space/layout.js';
import type { Tether } from '../space/tether.js';
import { ABANDONED, OWNER, QUEUED, RECOVER, WRITER, WRITE_WEIGHT } from '../space/words.js';
import { acquireAsync, acquireBlocking, attemptOnly, tidily, type Way } from './acquire.js';
import { ExclusiveGuard } from './exclusive-hold.js';
import { Opened, obtain, openHandle, type LockHandle } from './handles.js';
import { enterShared, leaveShared, leaveSharedSlow } from './shared-hold.js';
import type { Space } from './space.js';
import { Acquirable, ThreadLock } from './thread-lock.js';

export type ReadWriteLockHandle = LockHandle<'mortise/read-write-lock'>;
const HANDLE_TYPE = 'mortise/read-write-lock';

export interface ReadWriteLockOptions {
  /** With a name, it is the same lock in every thread of the space. 1 to 255 bytes in UTF-8. */
  name?: string;
  /** Default: the space that all threads of the process share. */
  space?: Space;
}

/** The proof of a read hold. `fence` is the last write's; `abandoned` until a writer was told of a writer's death. */
export class ReadGuard extends FencedGuard implements GrantableGuard {
  enter(word: number): boolean {
    const tether = this.tether as Tether;
    if (!enterShared(tether, word, 1, 1)) return false;
    const { words: fences, word: at } = tether;
    // Not by a call: on a full stack it could fail, with the hold taken.
    const high = (fences[at + CELL_FENCE + 1] as number) >>> 0;
    const fence = high * 2 ** 32 + ((fences[at + CELL_FENCE] as number) >>> 0);
    this.stamp = (word & ABANDONED) === 0 ? fence : -fence;
    return true;
  }

  release(): boolean {
    const { tether } = this;
    if (tether === null) return false;
    let word = tether.words[tether.word] as number;
    // Negative: somebody waits, or the read holds are being recounted.
    if (word < 0 || !leaveShared(tether, word, 1, -1)) word = leaveSharedSlow(tether, 1, -1);
    this.tether = null; // Not before: a full stack may have kept it from being given back.
    // The first in the queue can only be a writer, which needs all readers gone.
    if (word < 0 && (word & OWNER) === 0) (tether.cell as Cell).queue.latchAndSettle();
    return true;
  }
}

/** The proof that this thread is the writer. */
export class WriteGuard extends ExclusiveGuard {
  enter(word: number): boolean {
    const { words, word: at, id } = this.tether as Tether;
    return this.beginAfter(words, at, word, (word & QUEUED) | WRITER | id);
  }

  release(): boolean {
    const { tether } = this;
    if (tether === null) return false;
    const { words, word, id } = tether;
    const held = WRITER | id;
    const isSlow = Atomics.compareExchange(words, word, held, 0) !== held;
    const wakes = isSlow && freeSlow(tether);
    this.tether = null; // Not before: a full stack may have kept freeSlow from freeing it.
    if (wakes) (tether.cell as Cell).queue.latchAndSettle();
    return true;
  }

  /**
   * Becomes a reader without a gap: no other writer comes in between. Ends this guard; readers who wait at the
   * head of the queue come in as well.
   * @throws TypeError if the guard was released before.
   */
  downgrade(): ReadGuard {
    const { tether } = this;
    if (tether === null) throw new TypeError('a write guard that was released cannot be downgraded');
    const { words, doubles, word: at, record } = tether;
    const cell = tether.cell as Cell;
    const { queue } = cell;
    const guard = new ReadGuard(tether);
    guard.inherit(this);
    return tidily(cell, () => {
      for (;;) {
        const word = Atomics.load(words, at);
        if ((word & RECOVER) === RECOVER) {
          queue.latchAndSettle();
          continue;
        }
        const hold = words[record + RECORD_HOLD] as number;
        words[record + RECORD_HOLD] = hold | IN_DOUBT;
        const seen = Atomics.compareExchange(words, at, word, (word & QUEUED) | 1);
        if (seen !== word) {
          words[record + RECORD_HOLD] = hold;
          continue;
        }
        words[record + RECORD_HOLD] = hold + 2;
        const begun = (record + RECORD_BEGUN_F64) >> 1;
        doubles[begun] = (doubles[begun] as number) + 1;
        tether.held++;
        this.tether = null;
        cell.unreturned = guard;
        if ((word & QUEUED) !== 0) queue.latchAndSettle();
        return guard;
      }
    });
  }
}

/** Somebody waits, or read holds are being recounted. Returns whether there is somebody to wake. */
function freeSlow({ words, word: at, cell }: Tether): boolean {
  for (;;) {
    const word = Atomics.load(words, at);
    if ((word & RECOVER) === RECOVER) {
      (cell as Cell).queue.latchAndSettle();
      continue;
    }
    const seen = Atomics.compareExchange(words, at, word, word & QUEUED);
    if (seen === word) return (word & QUEUED) !== 0;
  }
}

const reading: Way<ReadGuard> = {
  exclusive: false,

  attempt(cell, _weight, blocking) {
    const { words, word: at } = cell.queue;
    for (;;) {
      const word = Atomics.load(words, at);
      if ((word & WRITER) !== 0 || (word & RECOVER) === RECOVER) return null;
      // A thread that reads already would wait for a writer that waits for it: it may pass the queue.
      const passes = word >= 0 || (blocking && cell.ownHold > 0);
      if (!passes || (word & OWNER) === WRITE_WEIGHT) return null;
      const guard = new ReadGuard(cell.tether);
      if (guard.enter(word)) return guard;
    }
  },

  spin: () => null,

  prepare: (cell) => new ReadGuard(cell.tether),

  obstacle: (cell) =>
    cell.exclusiveOwner === cell.attachment.id ? 'this thread is its writer: use downgrade()' : null,

  isOwn: (cell) => cell.ownHold > 0,
};

const writing: Way<WriteGuard> = {
  exclusive: true,

  attempt(cell) {
    const { words, word: at } = cell.queue;
    for (;;) {
      const word = Atomics.load(words, at);
      if ((word & ~ABANDONED) !== 0) return null;
      const guard = new WriteGuard(cell.tether);
      if (guard.enter(word)) return guard;
    }
  },

  spin: () => null,

  prepare: (cell) => new WriteGuard(cell.tether),

  obstacle(cell) {
    if (cell.exclusiveOwner === cell.attachment.id) return 'this thread is its writer already';
    return cell.ownHold > 0 ? 'this thread reads it, and a writer needs all readers gone' : null;
  },

  isOwn: (cell) => cell.exclusiveOwner === cell.attachment.id,
};

/** The reading side of a {@link ReadWriteLock}: a lock of its own for `withLock` and all acquire forms. */
export class ReadSide extends Acquirable<ReadGuard> {
  protected readonly way: Way<ReadGuard> = reading;

  async acquire(options?: AcquireOptions): Promise<ReadGuard> {
    const deadline = asyncDeadline(options);
    return this.#acquireFast() ?? acquireAsync(this.cell, reading, 1, deadline);
  }

  acquireSync(options?: AcquireOptions): ReadGuard {
    const deadline = blockingDeadline(options);
    return this.#acquireFast() ?? acquireBlocking(this.cell, reading, 1, deadline);
  }

  /** @internal */
  firstAttempt(): () => ReadGuard | null {
    return () => this.#acquireFast();
  }

  tryAcquireSync(options?: AcquireOptions): ReadGuard | null {
    blockingDeadline(options);
    return attemptOnly(this.cell, reading, 1, true);
  }

  /** A plain read and one CAS. */
  #acquireFast(): ReadGuard | null {
    const { tether } = this.source;
    const word = tether.words[tether.word] as number;
    // Negative: somebody waits. The rest: held by a writer, or as many readers as can be.
    if (word < 0 || (word & WRITER) !== 0 || (word & OWNER) === WRITE_WEIGHT) return null;
    const guard = new ReadGuard(tether);
    return guard.enter(word) ? guard : null;
  }
}

/** The writing side of a {@link ReadWriteLock}: a lock of its own for `withLock` and all acquire forms. */
export class WriteSide extends Acquirable<WriteGuard> {
  protected readonly way: Way<WriteGuard> = writing;

  async acquire(options?: AcquireOptions): Promise<WriteGuard> {
    const deadline = asyncDeadline(options);
    return this.#acquireFast() ?? acquireAsync(this.cell, writing, WRITE_WEIGHT, deadline);
  }

  acquireSync(options?: AcquireOptions): WriteGuard {
    const deadline = blockingDeadline(options);
    return this.#acquireFast() ?? acquireBlocking(this.cell, writing, WRITE_WEIGHT, deadline);
  }

  /** @internal */
  firstAttempt(): () => WriteGuard | null {
    return () => this.#acquireFast();
  }

  tryAcquireSync(options?: AcquireOptions): WriteGuard | null {
    blockingDeadline(options);
    return attemptOnly(this.cell, writing, WRITE_WEIGHT, true);
  }

  /** One CAS. */
  #acquireFast(): WriteGuard | null {
    const guard = new WriteGuard(this.source.tether);
    return guard.enter(0) ? guard : null;
  }
}

/**
 * Many readers or one writer, between all threads of a process: blocking or async.
 *
 * - **Fairness.** First in, first out, by each thread's foremost request: readers do not pass a writer who waits,
 *   and all readers at the head of the queue come in together. A thread that reads already gets further blocking
 *   reads at once, since it would otherwise wait for itself.
 * - **Cancelling.** A request that times out or is aborted leaves the queue, and those behind it move up.
 * - **Death.** The read holds of a thread that ends in any way return. After a writer's death the lock is
 *   `abandoned`: every read guard says so until a writer has been told.
 *
 * @example
 * ```js
 * import { ReadWriteLock } from 'mortise';
 *
 * const table = new ReadWriteLock();
 * const write = table.acquireWriteSync();
 * const read = write.downgrade(); // nobody has written in between
 * read.fence === write.fence; // => true
 * table.tryAcquireWrite(); // => null
 * read.release(); // => true
 * ```
 */
export class ReadWriteLock extends ThreadLock {
  /** Each a lock of its own, for `withLock` and whatever takes a `SyncLock`. */
  readonly reader: ReadSide;
  readonly writer: WriteSide;

  /**
   * @throws NameConflictError if the name is that of another kind of lock; SpaceFullError if there is no room;
   * UnsupportedError in a worker without a default space; TypeError or RangeError for bad options.
   */
  constructor(options: ReadWriteLockOptions | Opened = {}) {
    super(options instanceof Opened ? options : obtainReadWriteLock(options));
    this.reader = new ReadSide(this.opened);
    this.writer = new WriteSide(this.opened);
  }

  /**
   * Opens the lock that a handle stands for.
   * @throws InvalidHandleError if it is not the handle of a read-write lock, or it was disposed of.
   */
  static from(handle: ReadWriteLockHandle): ReadWriteLock {
    return new ReadWriteLock(openHandle(handle, HANDLE_TYPE, [KIND_READ_WRITE_LOCK]));
  }

  /** Structured-cloneable: for `workerData`, `postMessage`, a task's argument. */
  get handle(): ReadWriteLockHandle {
    return this.opened.handle(HANDLE_TYPE);
  }

  /** As `reader.acquire`: does not block the event loop. LockTimeoutError, or `signal.reason`. */
  acquireRead(options?: AcquireOptions): Promise<ReadGuard> {
    return this.reader.acquire(options);
  }

  /** As `reader.acquireSync`: blocks the thread. DeadlockError if this thread is the writer. */
  acquireReadSync(options?: AcquireOptions): ReadGuard {
    return this.reader.acquireSync(options);
  }

  /** As `reader.tryAcquireSync`: a guard or null, at once. */
  tryAcquireRead(): ReadGuard | null {
    return this.reader.tryAcquireSync();
  }

  /** As `writer.acquire`: does not block the event loop. LockTimeoutError, or `signal.reason`. */
  acquireWrite(options?: AcquireOptions): Promise<WriteGuard> {
    return this.writer.acquire(options);
  }

  /** As `writer.acquireSync`: blocks the thread. DeadlockError if this thread reads or writes already. */
  acquireWriteSync(options?: AcquireOptions): WriteGuard {
    return this.writer.acquireSync(options);
  }

  /** As `writer.tryAcquireSync`: a guard or null, at once. */
  tryAcquireWrite(): WriteGuard | null {
    return this.writer.tryAcquireSync();
  }
}

const OPTIONS: Names<ReadWriteLockOptions> = { name: true, space: true };

function obtainReadWriteLock(options: ReadWriteLockOptions): Opened {
  checkOptions(options, 'options', OPTIONS);
  return obtain(options.space, { kind: KIND_READ_WRITE_LOCK, permits: 0, name: options.name });
}
