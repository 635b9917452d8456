/** Timers for any delay. */
import { clearTimeout, setTimeout } from './clock.js';

/** The longest delay that a timer takes. */
export const MAX_DELAY: number = 2 ** 31 - 1;

/** As setTimeout, for any delay. Returns what stops it. */
export function after(milliseconds: number, callback: () => void): () => void {
  if (milliseconds === Infinity) return () => {};
  let timer: NodeJS.Timeout;
  const start = (left: number): void => {
    const delay = Math.min(left, MAX_DELAY);
    timer = setTimeout(() => (left > delay ? start(left - delay) : callback()), delay);
  };
  start(milliseconds);
  return () => clearTimeout(timer);
}
