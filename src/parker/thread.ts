/** Sleeping with `Atomics` on the park word of the thread's entry. */
import type { Parked, Parker } from './parker.js';

interface WaitAsyncResult {
  readonly async: boolean;
  readonly value: 'not-equal' | 'timed-out' | Promise<'ok' | 'timed-out'>;
}
/** ES2024, in every supported Node.js; TypeScript's library types it with a union that is awkward to await. */
type WaitAsync = (words: Int32Array, at: number, value: number) => WaitAsyncResult;

/**
 * The park word is an eventcount. Every unpark notifies all who sleep on it: the thread itself, blocked, and
 * its one armed `waitAsync`. V8 cannot cancel a `waitAsync`, and an abandoned one would swallow a
 * `notify(1)`; so there is never more than one, it stays armed, and nobody notifies just one.
 */
export class ThreadParker implements Parker {
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

  park(seen: number, milliseconds: number): Parked {
    const outcome = Atomics.wait(this.#words, this.#own, seen, milliseconds);
    return outcome === 'timed-out' ? 'slice-ended' : 'woken';
  }

  unpark(thread: number): void {
    const at = this.#parkWordOf(thread);
    Atomics.add(this.#words, at, 1);
    Atomics.notify(this.#words, at);
  }

  arm(seen: number, onWake: () => void): void {
    if (this.#armed) return;
    const fire = (): void => {
      this.#armed = false;
      onWake();
    };
    const waiting = (Atomics.waitAsync as WaitAsync)(this.#words, this.#own, seen);
    // 'not-equal': unparked since the caller read `seen`.
    if (typeof waiting.value === 'string') queueMicrotask(fire);
    else void waiting.value.then(fire);
    this.#armed = true; // Not before: on a full stack it may have failed.
  }
}
