/** The statistics of a manager as series: one for each combination of labels. */
import { checkObject, show } from '../deadline.js';
import type { WaitStats } from '../lock.js';
import type { LockScope } from '../manager/lock-scope.js';
import type { NameStats } from '../manager/statistics.js';

export interface SeriesOptions {
  /**
   * What the label `name` is: the name of the lock (`true`, the default), what the function makes of it, such as `user`
   * of `user:7`, or nothing (`false`). Names with the same label are summed.
   */
  name?: boolean | ((name: string) => string);
}

export interface Labels {
  [label: string]: string;
}

/** Counts that are summed as they are. */
const SUMMED = ['acquisitions', 'releases', 'timeouts', 'abandoned', 'lost', 'holders', 'waiters'] as const;
export type Summed = (typeof SUMMED)[number];

/** Durations of all locks of a series. */
export class Durations {
  count = 0;
  /** Milliseconds. */
  sum = 0;
  max = 0;
  readonly #buckets = new Map<number, number>();

  add({ count, avg, max, histogram }: WaitStats): void {
    this.count += count;
    this.sum += avg * count;
    this.max = Math.max(this.max, max);
    for (const { upTo, count } of histogram) this.#buckets.set(upTo, (this.#buckets.get(upTo) ?? 0) + count);
  }

  /** How many lasted at most so many milliseconds, exact where a bucket ends. */
  within(limit: number): number {
    let inside = 0;
    for (const [upTo, count] of this.#buckets) if (upTo <= limit) inside += count;
    return inside;
  }
}

export class Series {
  readonly labels: Labels;
  readonly counts: Record<Summed, number> = {
    acquisitions: 0,
    releases: 0,
    timeouts: 0,
    abandoned: 0,
    lost: 0,
    holders: 0,
    waiters: 0,
  };
  /** Undefined: one of its locks cannot tell. */
  contended: number | undefined = 0;
  readonly wait: Durations = new Durations();
  readonly hold: Durations = new Durations();

  constructor(labels: Labels) {
    this.labels = labels;
  }

  add(stats: NameStats): void {
    for (const count of SUMMED) this.counts[count] += stats[count];
    const { contended } = stats;
    this.contended =
      contended === null || this.contended === undefined ? undefined : this.contended + contended;
    this.wait.add(stats.wait);
    this.hold.add(stats.hold);
  }
}

/**
 * Reads the series of a manager.
 * @throws TypeError if it is none, or for bad options; UnsupportedError if it does not count.
 */
export function seriesOf(locks: LockScope, { name = true }: SeriesOptions): () => Series[] {
  checkObject(locks, 'locks');
  if (typeof locks.stats !== 'function')
    throw new TypeError(`locks must be a LockManager or a scope of one, not ${show(locks)}`);
  if (typeof name !== 'boolean' && typeof name !== 'function')
    throw new TypeError(`options.name must be true, false or a function, not ${show(name)}`);
  locks.stats();
  return () => {
    const series = new Map<string, Series>();
    for (const stats of locks.stats()) {
      const { mode, backend = 'registered' } = stats;
      const named = name === false ? {} : { name: name === true ? stats.name : String(name(stats.name)) };
      const labels: Labels = { ...named, mode, backend };
      const key = JSON.stringify(labels);
      const one = series.get(key) ?? new Series(labels);
      one.add(stats);
      series.set(key, one);
    }
    return [...series.values()];
  };
}
