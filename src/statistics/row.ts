/** What one thread counts of one name in one mode. */
import { now } from '../parker/clock.js';
import { bucketOf } from './histogram.js';
import {
  ACQUIRED,
  ACQUISITIONS,
  CONTENDED,
  FENCE,
  HELD,
  HELD_SINCE,
  HOLD,
  HOLD_BUCKETS,
  LOST,
  NOTED,
  RECENT,
  RECENT_COUNT,
  RELEASED,
  RELEASES,
  SAMPLED,
  ROW_BYTES,
  TIMED_OUT,
  TIMEOUTS,
  WAITING,
  WAITING_SINCE,
  WAIT,
  WAIT_BUCKETS,
  WAS_LOST,
} from './layout.js';
import type { Ticker } from './ticker.js';

/** One in so many holds is measured, a power of two; and the first of each tick, so that all of a quiet lock are. */
const SAMPLE = 64;

/** In milliseconds: no duration that was measured counts for less. */
const NANOSECOND = 1e-6;

/** What is still counted in a row that was closed. */
const nowhere = new ArrayBuffer(ROW_BYTES);

/** The views have a fixed length, since those that grow with their buffer are many times slower. */
export function viewsOf(buffer: SharedArrayBuffer, row: number): { values: Float64Array; words: Int32Array } {
  const at = row * ROW_BYTES;
  return {
    values: new Float64Array(buffer, at, ROW_BYTES / 8),
    words: new Int32Array(buffer, at, ROW_BYTES / 4),
  };
}

/** A request that waits. */
export interface Asked {
  /** Milliseconds of the clock. */
  readonly since: number;
}

export class Row {
  readonly index: number;
  readonly #ticker: Ticker;
  #values: Float64Array;
  #words: Int32Array;
  /** In the order in which they came. */
  readonly #asked = new Set<Asked>();

  constructor(buffer: SharedArrayBuffer, index: number, ticker: Ticker) {
    const { values, words } = viewsOf(buffer, index);
    this.index = index;
    this.#ticker = ticker;
    this.#values = values;
    this.#words = words;
  }

  /** The row may be another one's from now on, whatever guards there are that have not been released. */
  close(): void {
    this.#values = new Float64Array(nowhere);
    this.#words = new Int32Array(nowhere);
  }

  /**
   * A hold begins for which nobody had to wait. `fence`: of an exclusive one, else 0. Returns when, if its end is to be
   * measured, else null.
   */
  begin(fence: number): number | null {
    const values = this.#values;
    const before = values[ACQUISITIONS] as number;
    const tick = this.#ticker.time;
    if ((before & (SAMPLE - 1)) !== 0 && tick === values[SAMPLED]) {
      this.#hold(tick, fence);
      return null;
    }
    values[SAMPLED] = tick;
    const time = now();
    this.#hold(time, fence);
    this.#note(ACQUIRED, time, 0);
    return time;
  }

  /** A request has to wait, as far as one can tell. */
  ask(): Asked {
    const asked = { since: now() };
    this.#asked.add(asked);
    this.#noteWaiting();
    return asked;
  }

  /** It has what it waited for. Returns when. */
  granted(asked: Asked, fence: number): number {
    const values = this.#values;
    const time = now();
    this.#withdraw(asked);
    values[CONTENDED] = (values[CONTENDED] as number) + 1;
    this.#hold(time, fence);
    const waited = time - asked.since;
    this.#measure(WAIT, WAIT_BUCKETS, waited);
    this.#note(ACQUIRED, time, waited);
    return time;
  }

  /** It gave up. */
  missed(asked: Asked, isLate: boolean): void {
    this.#withdraw(asked);
    if (!isLate) return;
    this.#values[TIMEOUTS] = (this.#values[TIMEOUTS] as number) + 1;
    const time = now();
    this.#note(TIMED_OUT, time, time - asked.since);
  }

  /** `since`: when it was acquired; null: it is not measured. */
  released(since: number | null): void {
    const values = this.#values;
    values[RELEASES] = (values[RELEASES] as number) + 1;
    values[HELD] = (values[HELD] as number) - 1;
    if (since !== null) this.#ended(RELEASED, since);
  }

  lost(since: number | null): void {
    const values = this.#values;
    values[LOST] = (values[LOST] as number) + 1;
    values[HELD] = (values[HELD] as number) - 1;
    if (since !== null) this.#ended(WAS_LOST, since);
  }

  #hold(time: number, fence: number): void {
    const values = this.#values;
    const held = values[HELD] as number;
    values[ACQUISITIONS] = (values[ACQUISITIONS] as number) + 1;
    values[HELD] = held + 1;
    if (held === 0) values[HELD_SINCE] = time;
    values[FENCE] = fence;
  }

  #ended(what: number, since: number): void {
    const time = now();
    this.#measure(HOLD, HOLD_BUCKETS, time - since);
    this.#note(what, time, time - since);
  }

  #withdraw(asked: Asked): void {
    this.#asked.delete(asked);
    this.#noteWaiting();
  }

  #noteWaiting(): void {
    const [first] = this.#asked;
    if (first !== undefined) this.#values[WAITING_SINCE] = first.since;
    this.#values[WAITING] = this.#asked.size;
  }

  #note(what: number, time: number, duration: number): void {
    const values = this.#values;
    const noted = values[NOTED] as number;
    const at = RECENT + (noted & (RECENT_COUNT - 1)) * 3;
    values[at] = what;
    values[at + 1] = time;
    values[at + 2] = duration;
    values[NOTED] = noted + 1;
  }

  #measure(at: number, buckets: number, duration: number): void {
    const values = this.#values;
    const words = this.#words;
    const bucket = buckets + bucketOf(duration);
    words[bucket] = (words[bucket] as number) + 1;
    const sum = values[at] as number;
    values[at] = sum + duration;
    // The least of nothing is 0, and of anything it is not.
    const least = values[at + 1] as number;
    if (least === 0 || duration < least) values[at + 1] = Math.max(duration, NANOSECOND);
    values[at + 2] = Math.max(values[at + 2] as number, duration);
  }
}
