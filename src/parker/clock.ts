/**
 * The clock and the timers of the package, taken when it is loaded, so that a test's fake ones do not stop its
 * locks. The clock is the one that threads compare: monotonic milliseconds of the same origin in every thread.
 * `performance.now()` counts from each thread's own start, so its distance to `process.hrtime()` is added.
 */
import { performance } from 'node:perf_hooks';

export { clearInterval, clearTimeout, setInterval, setTimeout } from 'node:timers';

const read: () => number = performance.now.bind(performance);
const OFFSET: number = distance();

/** Monotonic milliseconds with a fraction, comparable between threads. */
export function now(): number {
  return read() + OFFSET;
}

/** A pause between the two readings makes the distance too small; the largest of a few is the truest. */
function distance(): number {
  let largest = -Infinity;
  for (let tries = 0; tries < 5; tries++) {
    const [seconds, nanoseconds] = process.hrtime();
    largest = Math.max(largest, seconds * 1000 + nanoseconds / 1e6 - read());
  }
  return largest;
}
