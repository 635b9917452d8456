/** How a thread sleeps until another one wakes it: the contract. `thread.ts` keeps it with `Atomics`. */

/** Why {@link Parker.park} returned. It never throws. */
export type Parked = 'woken' | 'slice-ended';

/**
 * One eventcount per thread and space. A waiter reads the count, looks whether it may go on, and sleeps only
 * if the count is still the same: a wake between the look and the sleep is therefore never lost.
 */
export interface Parker {
  /** The count to look at before looking at anything else. */
  prepare(): number;
  /** Blocks this thread until the count differs from `seen`, at most `milliseconds`. */
  park(seen: number, milliseconds: number): Parked;
  /** Adds one to the count of the thread with this index, and wakes it, blocked or async. */
  unpark(thread: number): void;
  /**
   * Calls `onWake` once, later, when the count differs from `seen`. If it is armed already, that stays: it fires
   * at the next unpark. Never keeps the event loop alive.
   */
  arm(seen: number, onWake: () => void): void;
}
