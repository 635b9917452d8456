/** What waits and what is held, as the search for deadlocks sees it. All of it can cross `postMessage` and JSON. */

/** How a lock is asked for. */
export type Mode = 'lock' | 'read' | 'write' | 'semaphore';

/** The weight of whoever excludes everybody: of a lock, and of a writer. A reader weighs 1. */
export const EVERYTHING: number = 2 ** 24 - 1;

/** Whose code runs there: one thread of one process. */
export interface Party {
  readonly host: string;
  readonly process: number;
  readonly thread: number;
}

/** A lock. To the search, every kind is a semaphore. */
export interface Subject {
  /** The same text wherever it is the same lock. */
  readonly id: string;
  readonly name: string;
  readonly backend: string | undefined;
  /** How much can be held of it together. */
  readonly capacity: number;
  /** Does a request that has to wait hold up those behind it? */
  readonly fifo: boolean;
}

/** One hold. */
export interface Hold {
  /** Never that of another one. */
  readonly id: string;
  readonly subject: Subject;
  readonly mode: Mode;
  readonly weight: number;
  /** Milliseconds since the epoch; undefined: not noted. */
  readonly since: number | undefined;
  /** A stack; undefined: not noted. */
  readonly where: string | undefined;
}

/** One request that waits, and what its task holds meanwhile. */
export interface Wait extends Hold {
  readonly party: Party;
  /** The number of the task, unique in its thread; undefined: a thread that is blocked, or code outside of any task. */
  readonly task: number | undefined;
  /** Will its guard be a bare one, in code outside of any task? Then that code may have other bare guards of its thread. */
  readonly bare: boolean;
  /** Does it block its thread? Then all that the thread holds is among `holds`. */
  readonly blocking: boolean;
  /** Among those of its thread that wait for the same lock: its place. */
  readonly order: number;
  /** The place of its thread in the queue of the lock, if it is its thread's foremost. */
  readonly ticket: number | undefined;
  /** May it be ended, so that the others go on? */
  readonly endable: boolean;
  readonly holds: readonly Hold[];
}

/** What a thread tells the others. */
export interface Bulletin {
  readonly party: Party;
  /** When it was so, in milliseconds of the monotonic clock of the host. */
  readonly at: number;
  readonly waits: readonly Wait[];
  /** What its bare guards hold: nobody knows which task will release it. */
  readonly bare: readonly Hold[];
  /** It is about to block: what it knows of that, beyond what others see. */
  readonly blocking: Wait | undefined;
}

export function partyKey({ host, process, thread }: Party): string {
  return `${host}/${process}/${thread}`;
}
