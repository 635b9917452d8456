/**
 * The guards of locks between threads, which count when they are released; and one attempt at each kind, as the fast path
 * of the lock itself makes it: one CAS, by a guard that was made before. What a guard around the guard would cost is as
 * much as half the lock.
 */
import type { ThreadGuard } from '../guard.js';
import type { LockMode } from '../manager/limits.js';
import { MutexGuard } from '../primitives/mutex.js';
import { ReadGuard, WriteGuard } from '../primitives/read-write-lock.js';
import { PermitGuard } from '../primitives/semaphore.js';
import type { Tether } from '../space/tether.js';
import { OWNER, WRITER, WRITE_WEIGHT } from '../space/words.js';
import type { MeasuredLock } from './measured-lock.js';

/** What it is counted by. It keeps the lock, which keeps its row. */
interface Hold {
  lock: MeasuredLock | null;
  /** 0: its end is not measured. */
  since: number;
}

function ended({ lock, since }: Hold): true {
  (lock as MeasuredLock).row.released(since);
  return true;
}

class CountedMutexGuard extends MutexGuard implements Hold {
  lock: MeasuredLock | null;
  since: number;

  constructor(tether: Tether) {
    super(tether);
    this.lock = null;
    this.since = 0;
  }

  begun(lock: MeasuredLock): this {
    this.lock = lock;
    this.since = lock.row.begin(Math.abs(this.stamp));
    return this;
  }

  override release(): boolean {
    return super.release() && ended(this);
  }
}

class CountedWriteGuard extends WriteGuard implements Hold {
  lock: MeasuredLock | null;
  since: number;

  constructor(tether: Tether) {
    super(tether);
    this.lock = null;
    this.since = 0;
  }

  begun(lock: MeasuredLock): this {
    this.lock = lock;
    this.since = lock.row.begin(Math.abs(this.stamp));
    return this;
  }

  override release(): boolean {
    return super.release() && ended(this);
  }

  /** The read hold that it becomes is not counted. */
  override downgrade(): ReadGuard {
    const reading = super.downgrade();
    ended(this);
    return reading;
  }
}

class CountedReadGuard extends ReadGuard implements Hold {
  lock: MeasuredLock | null;
  since: number;

  constructor(tether: Tether) {
    super(tether);
    this.lock = null;
    this.since = 0;
  }

  begun(lock: MeasuredLock): this {
    this.lock = lock;
    this.since = lock.row.begin(0);
    return this;
  }

  override release(): boolean {
    return super.release() && ended(this);
  }
}

class CountedPermitGuard extends PermitGuard implements Hold {
  lock: MeasuredLock | null;
  since: number;

  constructor(tether: Tether, weight: number) {
    super(tether, weight);
    this.lock = null;
    this.since = 0;
  }

  begun(lock: MeasuredLock): this {
    this.lock = lock;
    this.since = lock.row.begin(0);
    return this;
  }

  override release(): boolean {
    return super.release() && ended(this);
  }
}

/** Null: it was not free, or somebody waits. */
export type Attempt = (lock: MeasuredLock, tether: Tether, weight: number) => ThreadGuard | null;

export const attempts: Readonly<Record<LockMode, Attempt>> = {
  lock(lock, tether) {
    const guard = new CountedMutexGuard(tether);
    return guard.enter(0) ? guard.begun(lock) : null;
  },

  write(lock, tether) {
    const guard = new CountedWriteGuard(tether);
    return guard.enter(0) ? guard.begun(lock) : null;
  },

  read(lock, tether) {
    const word = tether.words[tether.word] as number;
    // Negative: somebody waits. The rest: held by a writer, or as many readers as can be.
    if (word < 0 || (word & WRITER) !== 0 || (word & OWNER) === WRITE_WEIGHT) return null;
    const guard = new CountedReadGuard(tether);
    return guard.enter(word) ? guard.begun(lock) : null;
  },

  semaphore(lock, tether, weight) {
    const word = tether.words[tether.word] as number;
    if (word < weight) return null;
    const guard = new CountedPermitGuard(tether, weight);
    return guard.enter(word) ? guard.begun(lock) : null;
  },
};
