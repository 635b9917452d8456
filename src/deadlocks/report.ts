/** What those are told who want to know of deadlocks. */
import { show } from '../deadline.js';
import type { Edge, Knot } from './graph.js';
import type { Hold, Mode, Wait } from './wait.js';

/** Who waits, or holds. */
export interface LockParty {
  /** The number of the async task, unique in its thread: a body of `withLock`, of a wrapper or of a decorated method, with
   * all that it calls. `undefined`: a thread that is blocked, or code outside of any such body. */
  readonly task: number | undefined;
  /** `threadId` of `node:worker_threads`. */
  readonly thread: number;
  readonly process: number;
  readonly host: string;
}

/** A lock that is held, or waited for. */
export interface LockUse {
  readonly name: string;
  readonly mode: Mode;
  /** Of a semaphore: how many permits; else 1. */
  readonly weight: number;
  /** The id of the backend, or `undefined` for a lock that was registered. */
  readonly backend: string | undefined;
  /** Milliseconds since the epoch; `undefined`: not known, as of most bare guards. */
  readonly since: number | undefined;
  /**
   * The frames of the call that asked for it; `undefined`: not known, as of most bare guards, of threads that block, and of
   * some holds if a thread runs more than 8 bodies in a millisecond.
   */
  readonly where: string | undefined;
}

/** One of a cycle. */
export interface DeadlockMember {
  readonly owner: LockParty;
  readonly waitsFor: LockUse;
  /** What it has that the one before it in the cycle waits for: a hold, or, if `isQueued`, its place in the queue. */
  readonly holds: LockUse;
  readonly isQueued: boolean;
}

/** A deadlock: each member waits for what the next one holds, and the last for what the first holds. */
export interface DeadlockReport {
  /**
   * False: possible only. It rests on a guard that no body surrounds, which is taken for that of any waiting task of its
   * thread; or on a thread's state that could not be seen twice.
   */
  readonly certain: boolean;
  readonly members: readonly DeadlockMember[];
}

/** Somebody has waited longer than `deadlockThreshold`. */
export interface LongWaitReport {
  readonly owner: LockParty;
  readonly waitsFor: LockUse;
  /** Milliseconds. */
  readonly waited: number;
}

export function reportOf({ cycle, certain }: Pick<Knot, 'cycle' | 'certain'>): DeadlockReport {
  const members = cycle.map(({ wait }, index) => {
    const before = cycle.at(index - 1) as Edge;
    return {
      owner: ownerOf(wait),
      waitsFor: useOf(wait),
      holds: useOf(before.hold ?? wait),
      isQueued: before.hold === undefined,
    };
  });
  return { certain, members };
}

export function ownerOf({ party: { thread, process, host }, task }: Wait): LockParty {
  return { task, thread, process, host };
}

export function useOf({ subject: { name, backend }, mode, weight, since, where }: Hold): LockUse {
  return { name, mode, weight: mode === 'semaphore' ? weight : 1, backend, since, where };
}

/** In one sentence, for messages. */
export function inWords({ members, certain }: DeadlockReport): string {
  const told = members.map(({ owner, waitsFor, holds, isQueued }) => {
    const who = owner.task === undefined ? '' : `task ${owner.task} of `;
    const has = isQueued ? 'queues for' : 'holds';
    return (
      `${who}thread ${owner.thread} of process ${owner.process} ${has} ${show(holds.name)} ` +
      `and waits for ${show(waitsFor.name)}`
    );
  });
  return `${certain ? 'a deadlock' : 'a possible deadlock'}: ${told.join('; ')}`;
}

/** The names in it. */
export function namesOf({ members }: DeadlockReport): string[] {
  return members.flatMap(({ waitsFor, holds }) => [waitsFor.name, holds.name]);
}
