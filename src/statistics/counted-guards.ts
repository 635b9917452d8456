/**
 * The guards of locks between threads, which count when they are released; and one attempt at each kind, as the fast path
 * of the lock itself makes it: one CAS, by a guard that was made before. What a guard around the guard would cost is as
 * much as half the lock.
 *
 * The four classes say the same thing. Written once, as a function of the class that it extends, they would share one
 * function each: a program that uses several kinds of lock paid a fifth more for its exclusive ones, measured, since V8
 * optimizes a function for the objects that it has seen.
 */
import type { ThreadGuard } from '../guard.js';
import type { LockMode } from '../manager/limits.js';
import { MutexGuard } from '../primitives/mutex.js';
import { ReadGuard, WriteGuard } from '../primitives/read-write-lock.js';
import { PermitGuard } from '../primitives/semaphore.js';
import type { Tether } from '../space/tether.js';
import { OWNER, WRITER, WRITE_WEIGHT } from '../space/words.js';
import type { MeasuredLock } from './measured-lock.js';

/** What is told of a release. It keeps the lock, which keeps its row. */
interface Counter {
  released(): true;
  /** The read hold that a write hold has become. */
  downgraded(reading: ReadGuard): ReadGuard;
}

/** A hold whose end is measured. Of the others the lock itself is told, so that a guard has one word more and no number. */
class MeasuredHold implements Counter {
  readonly #lock: MeasuredLock;
  readonly #since: number;

  constructor(lock: MeasuredLock, since: number) {
    this.#lock = lock;
    this.#since = since;
  }

  released(): true {
    this.#lock.row.released(this.#since);
    return true;
  }

  downgraded(reading: ReadGuard): ReadGuard {
    return this.#lock.downgraded(reading);
  }
}

class CountedMutexGuard extends MutexGuard {
  private counter: Counter;

  constructor(tether: Tether, lock: MeasuredLock) {
    super(tether);
    this.counter = lock;
  }

  begun(lock: MeasuredLock): this {
    const since = lock.row.begin(Math.abs(this.stamp));
    if (since !== null) this.counter = new MeasuredHold(lock, since);
    return this;
  }

  override release(): boolean {
    return super.release() && this.counter.released();
  }
}

class CountedWriteGuard extends WriteGuard {
  private counter: Counter;

  constructor(tether: Tether, lock: MeasuredLock) {
    super(tether);
    this.counter = lock;
  }

  begun(lock: MeasuredLock): this {
    const since = lock.row.begin(Math.abs(this.stamp));
    if (since !== null) this.counter = new MeasuredHold(lock, since);
    return this;
  }

  override release(): boolean {
    return super.release() && this.counter.released();
  }

  /** The write hold has ended, and a read hold has begun. */
  override downgrade(): ReadGuard {
    const reading = super.downgrade();
    this.counter.released();
    return this.counter.downgraded(reading);
  }
}

class CountedReadGuard extends ReadGuard {
  private counter: Counter;

  constructor(tether: Tether, lock: MeasuredLock) {
    super(tether);
    this.counter = lock;
  }

  begun(lock: MeasuredLock): this {
    const since = lock.row.begin(0);
    if (since !== null) this.counter = new MeasuredHold(lock, since);
    return this;
  }

  override release(): boolean {
    return super.release() && this.counter.released();
  }
}

class CountedPermitGuard extends PermitGuard {
  private counter: Counter;

  constructor(tether: Tether, weight: number, lock: MeasuredLock) {
    super(tether, weight);
    this.counter = lock;
  }

  begun(lock: MeasuredLock): this {
    const since = lock.row.begin(0);
    if (since !== null) this.counter = new MeasuredHold(lock, since);
    return this;
  }

  override release(): boolean {
    return super.release() && this.counter.released();
  }
}

/** Null: it was not free, or somebody waits. */
export type Attempt = (lock: MeasuredLock, tether: Tether, weight: number) => ThreadGuard | null;

export const attempts: Readonly<Record<LockMode, Attempt>> = {
  lock(lock, tether) {
    const guard = new CountedMutexGuard(tether, lock);
    return guard.enter(0) ? guard.begun(lock) : null;
  },

  write(lock, tether) {
    const guard = new CountedWriteGuard(tether, lock);
    return guard.enter(0) ? guard.begun(lock) : null;
  },

  read(lock, tether) {
    const word = tether.words[tether.word] as number;
    // Negative: somebody waits. The rest: held by a writer, or as many readers as can be.
    if (word < 0 || (word & WRITER) !== 0 || (word & OWNER) === WRITE_WEIGHT) return null;
    const guard = new CountedReadGuard(tether, lock);
    return guard.enter(word) ? guard.begun(lock) : null;
  },

  semaphore(lock, tether, weight) {
    const word = tether.words[tether.word] as number;
    if (word < weight) return null;
    const guard = new CountedPermitGuard(tether, weight, lock);
    return guard.enter(word) ? guard.begun(lock) : null;
  },
};
