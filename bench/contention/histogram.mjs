/**
 * A log-linear histogram of durations in preallocated shared memory: 32 buckets for each power of two of
 * nanoseconds, so that a quantile is exact to 3 %, and the longest duration is kept as it is.
 */
const subBits = 5;
const sub = 1 << subBits;
const top = 2 ** 32 - 1; // 4.3 s; longer ones count as this in the buckets

/** Buckets of one histogram. */
export const bucketCount = (32 - subBits + 1) * sub;

/** @param {number} nanoseconds an unsigned 32-bit integer */
export function bucketOf(nanoseconds) {
  if (nanoseconds < sub) return nanoseconds;
  const shift = 31 - Math.clz32(nanoseconds) - subBits;
  return ((shift + 1) << subBits) + ((nanoseconds >>> shift) - sub);
}

/** The middle of what a bucket holds, in nanoseconds. @param {number} bucket */
export function valueOf(bucket) {
  if (bucket < sub) return bucket;
  const shift = (bucket >>> subBits) - 1;
  return ((bucket & (sub - 1)) + sub + 0.5) * 2 ** shift - 0.5;
}

export class Histogram {
  /** @param {SharedArrayBuffer} memory @param {number} offset in bytes, a multiple of 8 */
  constructor(memory, offset = 0) {
    this.longest = new Float64Array(memory, offset, 1);
    this.buckets = new Uint32Array(memory, offset + 8, bucketCount);
  }

  static byteLength = 8 + 4 * bucketCount;

  /** @param {number} milliseconds */
  record(milliseconds) {
    const nanoseconds = milliseconds * 1e6;
    if (nanoseconds > this.longest[0]) this.longest[0] = nanoseconds;
    this.buckets[bucketOf(nanoseconds < top ? nanoseconds >>> 0 : top)]++;
  }

  clear() {
    this.longest.fill(0);
    this.buckets.fill(0);
  }
}

/**
 * Quantiles of several threads' waits together.
 * @param {Histogram[]} histograms
 * @returns {{ p50: number, p99: number, p999: number, worst: number }} milliseconds
 */
export function waitQuantiles(histograms) {
  const sums = new Float64Array(bucketCount);
  for (const { buckets } of histograms) for (let i = 0; i < bucketCount; i++) sums[i] += buckets[i];
  const count = sums.reduce((sum, n) => sum + n, 0);
  const worst = Math.max(0, ...histograms.map(({ longest }) => longest[0]));
  const quantile = (share) => {
    let seen = 0;
    for (let i = 0; i < bucketCount; i++) {
      seen += sums[i];
      if (seen > 0 && seen >= share * count) return Math.min(valueOf(i), worst) / 1e6;
    }
    return 0;
  };
  return { p50: quantile(0.5), p99: quantile(0.99), p999: quantile(0.999), worst: worst / 1e6 };
}
