/** What a backend may tell of its locks to those who look for deadlocks. */
import type { SyncGuard } from '../lock.js';
import type { Hold, Party, Wait } from './wait.js';

/** The requests of this thread for one lock. */
export interface Requests {
  /** Does any of them wait? Asked after every async acquire: it must cost next to nothing. */
  readonly isPending: boolean;
  /** The place of the foremost in the queue: the smaller (modulo 2^32), the sooner its turn. Undefined: it has none. */
  readonly ticket: number | undefined;
}

/** A thread that blocks, as all see it. One that has announced it, and does not queue yet, is `undecided`. */
export interface Blocked {
  readonly wait: Wait;
  readonly undecided: boolean;
}

/**
 * `Backend.census`. A backend without one takes part all the same: what the threads of a process wait for and hold of its
 * locks is noted in JavaScript then, for each acquire.
 *
 * - A backend whose locks tell themselves who holds them has `threads`: nothing has to be noted for its acquires then.
 * - A backend that other processes share and that has `board` finds deadlocks among their async tasks as well.
 */
export interface Census {
  readonly threads?: ThreadCensus;
  readonly board?: Board;
}

/** Of locks that can block, and that tell who holds them. A lock is what `Backend.lock` and its like have opened. */
export interface ThreadCensus {
  /** The same if it is the same memory; undefined: this thread cannot use it. */
  readonly id: string | undefined;
  /** The same text wherever it is the same lock, and never that of another; undefined: it is none of this backend's. */
  identify(lock: object): string | undefined;
  requests(lock: object): Requests;
  /** What `acquireSync` of the lock does first, by itself; null: it failed, and nothing has happened. Undefined: unknown. */
  firstAttempt(lock: object): (() => SyncGuard | null) | undefined;
  /** This thread is about to block in an acquire: from now on others see so. Returns what takes it back. */
  announce(lock: object): () => void;
  /** The threads that block, of all processes, with all that they hold here; this one too if it has announced it. */
  blocked(backend: string): Blocked[];
  /** What a thread holds here. */
  held(backend: string, by: Party): Hold[];
  /** Blocks for a millisecond. */
  pause(): void;
}

/** Where the waits of one process are told to others. Text, and whatever is not a bulletin is left alone. */
export interface Board {
  /** To tell something takes time, and others pay for it: it is told only what concerns its backend. */
  readonly isRemote?: boolean;
  /**
   * Replaces what this thread has told before; undefined: it has nothing to tell any more. Called at every look, and when
   * there was news.
   */
  publish(text: string | undefined, pace: Pace): void;
  /** What all others have told that are still alive. */
  read(): Told[];
  /** Resolves when nothing is under way. */
  settled?(): Promise<void>;
  /** From now on `onNews` is called when others have told something, or want to be told anew. The last one counts. */
  listen?(onNews: () => void): void;
}

/** How much there is in what is told. */
export interface Pace {
  /** The ids of what in it has lasted for a while, and may be part of a deadlock. */
  readonly lasting: readonly string[];
  /** Milliseconds within which a deadlock is to be told of. */
  readonly interval: number;
  /** By `partyKey`: those who have to tell once more what they wait for, before a deadlock is believed that there seems to be. */
  readonly awaited: ReadonlySet<string>;
  /** Somebody asks for deadlocks here just now, so that others are heard at every look. */
  readonly isAsking: boolean;
}

/** What another thread has told. */
export interface Told {
  readonly text: string;
  /** A moment by the clock of this thread after which it was told. Undefined: it tells itself, by the same clock. */
  readonly at: number | undefined;
}
