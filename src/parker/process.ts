/** Sleeping on the park word of the thread's entry in a mapped file, which other processes share. */
import { native } from '../native.js';
import type { Parked, Parker } from './parker.js';

/** The watch of a parker: 0, or the id of its last one. */
interface Watch {
  id: number;
}

/** A watch that nobody unparks any more would keep the memory mapped for as long as the thread lives. */
const collected = new FinalizationRegistry<Watch>(({ id }) => {
  native().unwatch(id);
});

/**
 * As `ThreadParker`: an eventcount, and every unpark wakes all who sleep on it: the thread itself, blocked, and the
 * addon's helper, which watches the word for its async waiters.
 */
export class ProcessParker implements Parker {
  readonly #words: Int32Array;
  readonly #own: number;
  readonly #parkWordOf: (thread: number) => number;
  /** What to do when the watch that is armed fires. Whoever waits for that is kept alive by the pump's timer. */
  #onWake: (() => void) | undefined;
  readonly #watch: Watch = { id: 0 };
  readonly #fire: () => void;

  constructor(words: Int32Array, own: number, parkWordOf: (thread: number) => number) {
    this.#words = words;
    this.#own = own;
    this.#parkWordOf = parkWordOf;
    this.#fire = ProcessParker.#firing(new WeakRef(this));
  }

  /** It stays armed after the last request has gone, and does not keep the space then. */
  static #firing(parker: WeakRef<ProcessParker>): () => void {
    return () => {
      const self = parker.deref();
      if (self !== undefined) self.#fired();
    };
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
    if (this.#onWake !== undefined) return;
    try {
      const isFirst = this.#watch.id === 0;
      this.#watch.id = native().watch(this.#words, this.#own, seen, this.#fire);
      this.#onWake = onWake;
      if (isFirst) collected.register(this, this.#watch);
    } catch {
      // The system has no thread left for it: requests find out by looking, as after a wake that was lost.
    }
  }

  #fired(): void {
    const onWake = this.#onWake;
    this.#onWake = undefined;
    onWake?.();
  }
}
