/**
 * Durations in a log-linear histogram (after Gil Tene's HdrHistogram), with the buckets of `LockStats`: four an octave
 * from one microsecond on. A duration beside its row's others is a few words; here is what they mean.
 */
import type { WaitStats } from '../lock.js';

export const BUCKETS = 112;

/** Bucket `4 * e + m + 1` ends at `(4 + m + 1) / 4 * 2^e` microseconds. */
export function bucketOf(milliseconds: number): number {
  const quarters = Math.min(milliseconds * 4000, 0x7fffffff) | 0;
  if (quarters < 4) return 0;
  const exponent = 29 - Math.clz32(quarters);
  return Math.min(BUCKETS - 1, exponent * 4 + ((quarters >>> exponent) & 3) + 1);
}

/** Milliseconds. */
function upperBound(bucket: number): number {
  if (bucket < 0) return 0;
  return bucket === 0 ? 0.001 : (((5 + ((bucket - 1) & 3)) / 4) * 2 ** ((bucket - 1) >> 2)) / 1000;
}

/** The durations of several threads together. */
export class Histogram {
  sum = 0;
  min: number = Infinity;
  max = 0;
  readonly buckets: Float64Array = new Float64Array(BUCKETS);

  /** What came after `before`. */
  since(before: Histogram): WaitStats {
    const histogram: { upTo: number; count: number }[] = [];
    let count = 0;
    let lowest = -1;
    for (let bucket = 0; bucket < BUCKETS; bucket++) {
      const inside = (this.buckets[bucket] as number) - (before.buckets[bucket] as number);
      if (inside <= 0) continue;
      if (lowest < 0) lowest = bucket;
      histogram.push({ upTo: upperBound(bucket), count: inside });
      count += inside;
    }
    if (count === 0) return { count, min: 0, avg: 0, max: 0, p50: 0, p99: 0, histogram };
    // The extremes may be of before; then the buckets tell.
    const max = Math.min(this.max, histogram.at(-1)?.upTo ?? 0);
    const quantile = (share: number): number => {
      let rank = Math.ceil(count * share);
      for (const { upTo, count: inside } of histogram) if ((rank -= inside) <= 0) return Math.min(upTo, max);
      return max;
    };
    return {
      count,
      min: Math.max(this.min, upperBound(lowest - 1)),
      avg: (this.sum - before.sum) / count,
      max,
      p50: quantile(0.5),
      p99: quantile(0.99),
      histogram,
    };
  }
}
