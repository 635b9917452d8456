/**
 * Counters of one lock. Waiting times go into a log-linear histogram (after Gil Tene's HdrHistogram): four
 * buckets an octave from one microsecond on, so a quantile read from it is at most 25 % too high.
 */
import type { LockStats, WaitStats } from '../lock.js';
import { now } from '../parker/clock.js';
import { nameOf, readFence } from './cells.js';
import {
  ABOUT_FENCE_BASE,
  CELL_FENCE,
  STATS_ACQUIRED_AT_F64,
  STATS_ACQUIRED_FENCE,
  STATS_HISTOGRAM,
  STATS_LOST,
  STATS_TIMEOUTS,
  STATS_WAITS,
  STATS_WAIT_MAX_F64,
  STATS_WAIT_MIN_F64,
  STATS_WAIT_SUM_F64,
  HEADER_THREADS_USED,
  HISTOGRAM_BUCKETS,
  RECORD_BEGUN_F64,
  RECORD_CONTENDED,
  RECORD_ENDED_F64,
  RECORD_PENDING,
  aboutAt,
  cellAt,
  statsAt,
  recordAt,
} from './layout.js';
import type { SpaceMemory } from './memory.js';

/** Bucket `4 * e + m` ends at `(4 + m + 1) / 4 * 2^e` microseconds: the leading bit, and the two behind it. */
function bucketOf(milliseconds: number): number {
  const quarters = Math.min(milliseconds * 4000, 0x7fffffff) | 0;
  if (quarters < 4) return 0;
  const exponent = 29 - Math.clz32(quarters);
  return Math.min(HISTOGRAM_BUCKETS - 1, exponent * 4 + ((quarters >>> exponent) & 3) + 1);
}

/** Milliseconds. */
function upperBound(bucket: number): number {
  return bucket === 0 ? 0.001 : (((5 + ((bucket - 1) & 3)) / 4) * 2 ** ((bucket - 1) >> 2)) / 1000;
}

/** Under the cell's latch: a request was granted after it had queued. */
export function recordWait(memory: SpaceMemory, cell: number, milliseconds: number): void {
  const { words, doubles, geometry } = memory;
  const stats = statsAt(geometry, cell);
  const bucket = stats + STATS_HISTOGRAM + bucketOf(milliseconds);
  const min = (stats + STATS_WAIT_MIN_F64) >> 1;
  const max = (stats + STATS_WAIT_MAX_F64) >> 1;
  const sum = (stats + STATS_WAIT_SUM_F64) >> 1;
  const first = words[stats + STATS_WAITS] === 0;
  if (first || milliseconds < (doubles[min] ?? 0)) doubles[min] = milliseconds;
  if (milliseconds > (doubles[max] ?? 0)) doubles[max] = milliseconds;
  doubles[sum] = (doubles[sum] ?? 0) + milliseconds;
  words[bucket] = (words[bucket] ?? 0) + 1;
  words[stats + STATS_WAITS] = (words[stats + STATS_WAITS] ?? 0) + 1;
}

/** Under the cell's latch, by the exclusive holder: since when. */
export function recordAcquiredAt(memory: SpaceMemory, cell: number, time: number): void {
  const stats = statsAt(memory.geometry, cell);
  const fence = memory.words[cellAt(memory.geometry, cell) + CELL_FENCE] ?? 0;
  memory.words[stats + STATS_ACQUIRED_FENCE] = fence;
  memory.doubles[(stats + STATS_ACQUIRED_AT_F64) >> 1] = time;
}

/** Null after an acquisition that did not queue: the fast path reads no clock. */
export function acquiredAt(memory: SpaceMemory, cell: number): number | null {
  const stats = statsAt(memory.geometry, cell);
  const fence = memory.words[cellAt(memory.geometry, cell) + CELL_FENCE];
  if (fence !== memory.words[stats + STATS_ACQUIRED_FENCE]) return null;
  return Date.now() - (now() - (memory.doubles[(stats + STATS_ACQUIRED_AT_F64) >> 1] ?? 0));
}

/** Requests that wait now, those queued inside their threads included. */
export function countWaiters(memory: SpaceMemory, cell: number): number {
  return sumRecords(memory, cell, (record) => memory.words[record + RECORD_PENDING] ?? 0);
}

/** Shared holds (permit and read guards) that have begun and not ended. */
export function countSharedHolders(memory: SpaceMemory, cell: number): number {
  const { doubles } = memory;
  return sumRecords(
    memory,
    cell,
    (record) =>
      (doubles[(record + RECORD_BEGUN_F64) >> 1] ?? 0) - (doubles[(record + RECORD_ENDED_F64) >> 1] ?? 0),
  );
}

/** Everything counted so far; `exclusive`: how many hold it exclusively now, 0 or 1. */
export function readStats(memory: SpaceMemory, cell: number, exclusive: number): LockStats {
  const { words, doubles, geometry } = memory;
  const at = cellAt(geometry, cell);
  const stats = statsAt(geometry, cell);
  const fences =
    readFence(words, at + CELL_FENCE) - readFence(words, aboutAt(geometry, cell) + ABOUT_FENCE_BASE);
  const begun = sumRecords(memory, cell, (record) => doubles[(record + RECORD_BEGUN_F64) >> 1] ?? 0);
  const holders = exclusive + countSharedHolders(memory, cell);
  const lost = words[stats + STATS_LOST] ?? 0;
  const acquisitions = fences + begun;
  return {
    name: nameOf(memory, cell),
    acquisitions,
    releases: acquisitions - holders - lost,
    contended: sumRecords(memory, cell, (record) => (words[record + RECORD_CONTENDED] ?? 0) >>> 0),
    timeouts: words[stats + STATS_TIMEOUTS] ?? 0,
    abandoned: lost,
    holders,
    waiters: countWaiters(memory, cell),
    wait: readWaits(memory, stats),
  };
}

function readWaits(memory: SpaceMemory, stats: number): WaitStats {
  const { words, doubles } = memory;
  const histogram: { upTo: number; count: number }[] = [];
  let count = 0;
  for (let bucket = 0; bucket < HISTOGRAM_BUCKETS; bucket++) {
    const inside = words[stats + STATS_HISTOGRAM + bucket] ?? 0;
    if (inside > 0) histogram.push({ upTo: upperBound(bucket), count: inside });
    count += inside;
  }
  const max = doubles[(stats + STATS_WAIT_MAX_F64) >> 1] ?? 0;
  const quantile = (share: number): number => {
    let rank = Math.ceil(count * share);
    for (const bucket of histogram) if ((rank -= bucket.count) <= 0) return Math.min(bucket.upTo, max);
    return max;
  };
  return {
    count,
    min: doubles[(stats + STATS_WAIT_MIN_F64) >> 1] ?? 0,
    avg: count === 0 ? 0 : (doubles[(stats + STATS_WAIT_SUM_F64) >> 1] ?? 0) / count,
    max,
    p50: quantile(0.5),
    p99: quantile(0.99),
    histogram,
  };
}

function sumRecords(memory: SpaceMemory, cell: number, valueOf: (record: number) => number): number {
  const used = Atomics.load(memory.words, HEADER_THREADS_USED);
  let sum = 0;
  for (let thread = 0; thread < used; thread++) sum += valueOf(recordAt(memory.geometry, thread, cell));
  return sum;
}
