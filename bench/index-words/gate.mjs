/** Where threads wait for each other: all of them go on when the last one has arrived. */
export class Gate {
  /** @param {number} threads @param {SharedArrayBuffer} memory of 4 bytes */
  constructor(threads, memory = new SharedArrayBuffer(4)) {
    this.threads = threads;
    this.memory = memory;
    this.arrived = new Int32Array(memory);
  }

  /** Blocks the thread until all have called it. */
  pass() {
    Atomics.add(this.arrived, 0, 1);
    Atomics.notify(this.arrived, 0);
    for (
      let seen = Atomics.load(this.arrived, 0);
      seen < this.threads;
      seen = Atomics.load(this.arrived, 0)
    ) {
      Atomics.wait(this.arrived, 0, seen);
    }
  }
}
