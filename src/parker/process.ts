/** Sleeping on the park word of the thread's entry in a mapped file, which other processes share. */
import { native } from '../native.js';
import type { Parked, Parker } from './parker.js';

/**
 * As `ThreadParker`: an eventcount, and every unpark wakes all who sleep on it: the thread itself, blocked, and the
 * addon's helper, which watches the word for its async waiters.
 */
export class ProcessParker implements Parker {
  readonly #words: Int32Array;
  readonly #own: number;
  readonly #parkWordOf: (thread: number) => number;
  #armed = false;

  constructor(words: Int32Array, own: number, parkWordOf: (thread: number) => number) {
    this.#words = words;
    this.#own = own;
    this.#parkWordOf = parkWordOf;
  }

  prepare(): number {
    return Atomics.load(this.#words, this.#own);
  }

  /** Nothing ends it early, `worker.terminate()` included: whoever parks does so for a slice. */
  park(seen: number, milliseconds: number): Parked {
    const outcome = native().futexWait(this.#words, this.#own, seen, milliseconds);
    return outcome === 'timed-out' ? 'slice-ended' : 'woken';
  }

  unpark(thread: number): void {
    const at = this.#parkWordOf(thread);
    Atomics.add(this.#words, at, 1);
    native().futexWake(this.#words, at, Infinity);
  }

  arm(seen: number, onWake: () => void): void {
    if (this.#armed) return;
    const fire = (): void => {
      this.#armed = false;
      onWake();
    };
    try {
      native().watch(this.#words, this.#own, seen, fire);
      this.#armed = true;
    } catch {
      // The system has no thread left for it: requests find out by looking, as after a wake that was lost.
    }
  }
}
