/**
 * A clock that is read for nothing: what some thread saw when it last looked, which those who count do every 50 ms while
 * they do. Looking at the real one costs as much as a lock.
 */
import { now, setTimeout } from '../parker/clock.js';

/** Milliseconds. */
const INTERVAL = 50;

export class Ticker {
  /** One number, which the threads of a board share. */
  readonly #time: Float64Array;
  /** Does a timer of this thread run? */
  #isTicking = false;
  #isUsed = false;

  constructor(time: Float64Array) {
    this.#time = time;
  }

  /** At most 50 ms ago, unless all threads that count block their event loops; exact when nobody has asked for so long. */
  get time(): number {
    this.#isUsed = true;
    return this.#isTicking ? (this.#time[0] as number) : this.#start();
  }

  #start(): number {
    this.#isTicking = true;
    this.#isUsed = false;
    setTimeout(this.#tick, INTERVAL).unref();
    return (this.#time[0] = now());
  }

  readonly #tick = (): void => {
    if (this.#isUsed) this.#start();
    else this.#isTicking = false;
  };
}
