const FREE = 0;
const LOCKED = 1;
const CONTENDED = 2; // locked, and somebody may sleep

/**
 * The plain mutex of three states that futexes make possible: "Mutex, Take 2" of U. Drepper, "Futexes Are
 * Tricky", 2011. No owner, no queue, no fairness, no time-out, and nobody notices when the holder dies.
 */
export class FutexMutex {
  /** @param {Int32Array} words shared; the first one is the mutex */
  constructor(words) {
    this.words = words;
  }

  lock() {
    const { words } = this;
    let state = Atomics.compareExchange(words, 0, FREE, LOCKED);
    if (state === FREE) return;
    if (state !== CONTENDED) state = Atomics.exchange(words, 0, CONTENDED);
    while (state !== FREE) {
      Atomics.wait(words, 0, CONTENDED);
      state = Atomics.exchange(words, 0, CONTENDED);
    }
  }

  unlock() {
    const { words } = this;
    if (Atomics.sub(words, 0, 1) !== LOCKED) {
      Atomics.store(words, 0, FREE);
      Atomics.notify(words, 0, 1);
    }
  }
}
