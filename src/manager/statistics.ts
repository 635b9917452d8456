/** What a manager with `statistics` tells of its names, and what it needs of whoever counts. */
import type { Lock, LockInfo, WaitStats } from '../lock.js';
import type { BackendReadWriteLock } from './backend.js';
import type { LockMode } from './limits.js';
import type { Description, Opened } from './named.js';

export interface StatisticsOptions {
  /** What this thread is called in `status()` and among the recent operations: 1 to 64 bytes in UTF-8. Default: nothing. */
  label?: string;
}

/** One thing that happened at a name. */
export interface RecentOperation {
  readonly what: 'acquired' | 'released' | 'timeout' | 'lost';
  /** Milliseconds since the epoch, with a fraction. */
  readonly at: number;
  /** Milliseconds: of `acquired` and `timeout` how long it waited, of `released` and `lost` how long it was held. */
  readonly duration: number;
  readonly threadId: number;
  readonly label: string | undefined;
}

/** What happened at a name in one mode, summed over the threads of this process, those that ended included. */
export interface NameStats {
  readonly name: string;
  readonly mode: LockMode;
  /** The id of its backend, or `undefined` for a lock that was registered. */
  readonly backend: string | undefined;
  /** Holds that began, by a downgrade too: exact, as the next four. */
  readonly acquisitions: number;
  /** Holds that ended by `release()`. */
  readonly releases: number;
  /** Requests that ran out of time, `try` forms and `timeout: 0` excepted. */
  readonly timeouts: number;
  /** Holds that ended by the death of their thread. */
  readonly abandoned: number;
  /** Leases that ended by themselves. */
  readonly lost: number;
  /** Acquisitions that did not succeed at the first attempt; `null` of locks that do not tell: all but those in memory. */
  readonly contended: number | null;
  /** Guards that are held now. */
  readonly holders: number;
  /** Requests that wait now. */
  readonly waiters: number;
  /** Waiting times of the acquisitions that did not succeed at the first attempt; of all if `contended` is `null`. */
  readonly wait: WaitStats;
  /**
   * Hold times, milliseconds. Measured are every contended hold, one in 64 of the others, and the first in 50 ms, so that
   * a quiet lock has all of them: `count` is how many.
   */
  readonly hold: WaitStats;
  /** The newest 16 of each thread, in the order of time: what was measured, and who gave up. */
  readonly recent: readonly RecentOperation[];
}

/** A thread of this process that holds a lock, or waits for it. */
export interface Participant {
  readonly mode: LockMode;
  /** How many guards, or requests. */
  readonly count: number;
  /**
   * Milliseconds since the epoch: of waiters, since when the first of them has waited; of holders, since when there has been
   * one without a pause. If it did not wait, up to 50 ms early; more while all threads that count block their event loops.
   */
  readonly since: number;
  readonly threadId: number;
  readonly pid: number;
  readonly host: string;
  /** As the manager of that thread was told by `statistics: { label }`. */
  readonly label: string | undefined;
}

export interface Holder extends Participant {
  /** Of an exclusive hold, else `undefined`. */
  readonly fence: bigint | undefined;
}

/** Who holds a name, and who waits for it. */
export interface LockStatus {
  readonly name: string;
  /** The id of its backend, or `undefined` for a lock that was registered. */
  readonly backend: string | undefined;
  /** The threads of this process that hold it by managers with `statistics`. */
  readonly holders: readonly Holder[];
  /** Those that wait for it. */
  readonly waiters: readonly Participant[];
  /**
   * What the lock itself says, of whoever uses it anywhere. `null` if it answers promises only (`await lock.info()`), or is
   * not open in this thread.
   */
  readonly info: LockInfo | null;
}

/** Holders and waiters of one name on one backend. */
export type Participants = Pick<LockStatus, 'name' | 'backend' | 'holders' | 'waiters'>;

/** What counts for a manager. Names are full ones here, with the prefixes of their scopes. */
export interface Statistics {
  /** What stands for the lock from now on, and counts until it is closed. */
  measure(description: Description, opened: Opened): Opened;
  measure(description: Description, opened: Lock | BackendReadWriteLock): Lock | BackendReadWriteLock;
  /** What such a lock stands for; itself, if it stands for nothing. */
  behind(lock: Lock): Lock;
  /** Forgets those of the names with this prefix that no thread has open any more. */
  sweep(prefix: string): void;
  read(prefix: string): NameStats[];
  /** Of one name, or of all with the prefix: what happened until now is not told any more. */
  reset(prefix: string, name: string | undefined): void;
  participants(prefix: string): Participants[];
}
