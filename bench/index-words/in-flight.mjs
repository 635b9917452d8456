/** Bytes being worked on, and the most there ever were: an independent check of the semaphore. */
const NOW = 0;
const PEAK = 1;

export class InFlight {
  /** @param {SharedArrayBuffer} memory of 8 bytes */
  constructor(memory = new SharedArrayBuffer(8)) {
    this.memory = memory;
    this.words = new Int32Array(memory);
  }

  /** @param {number} bytes */
  add(bytes) {
    const now = Atomics.add(this.words, NOW, bytes) + bytes;
    let peak = Atomics.load(this.words, PEAK);
    while (now > peak) {
      const seen = Atomics.compareExchange(this.words, PEAK, peak, now);
      if (seen === peak) break;
      peak = seen;
    }
  }

  /** @param {number} bytes */
  subtract(bytes) {
    Atomics.sub(this.words, NOW, bytes);
  }

  get peak() {
    return Atomics.load(this.words, PEAK);
  }
}
