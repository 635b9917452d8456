/** The memory by which a team of threads is started, stopped and read out. */
import { Histogram } from './histogram.mjs';

const ROUND = 0; // the gate: threads that are ready for round n sleep until this is n
const STOP = 1; // the round that is to end
const VALUE = 16; // what the lock protects: on a cache line of its own, written without atomics
const INSIDE = 32; // weight of the threads inside, where several may be
const COUNTER_WORDS = 48;

const OPERATIONS = 0;
const EXCLUSIVE = 1;
const VIOLATIONS = 2;
const START = 3;
const END = 4;
const TALLY_BYTES = 64;

const headerBytes = 4 * COUNTER_WORDS;
const threadBytes = Math.ceil((TALLY_BYTES + Histogram.byteLength) / 64) * 64;

export class Control {
  /** @param {number} threads @param {SharedArrayBuffer} memory */
  constructor(threads, memory = new SharedArrayBuffer(headerBytes + threads * threadBytes)) {
    this.memory = memory;
    this.words = new Int32Array(memory, 0, COUNTER_WORDS);
    this.tallies = Array.from({ length: threads }, (_, index) => new Tally(memory, index));
  }

  /** Begins a round: everything at zero. Returns its number. */
  prepare() {
    this.words[VALUE] = 0;
    this.words[INSIDE] = 0;
    for (const tally of this.tallies) tally.clear();
    return this.words[ROUND] + 1;
  }

  openGate() {
    Atomics.add(this.words, ROUND, 1);
    Atomics.notify(this.words, ROUND);
  }

  /** Blocks until the gate is open for this round. @param {number} round */
  waitAtGate(round) {
    while (Atomics.load(this.words, ROUND) !== round) Atomics.wait(this.words, ROUND, round - 1);
  }

  /** @param {number} round */
  stop(round) {
    Atomics.store(this.words, STOP, round);
  }

  /** @param {number} round */
  stopped(round) {
    return Atomics.load(this.words, STOP) === round;
  }

  get value() {
    return Atomics.load(this.words, VALUE);
  }

  /** The critical section of one who is alone in it: a read and a write that are lost if another writes between. */
  readProtected() {
    return this.words[VALUE];
  }

  /** @param {number} value */
  writeProtected(value) {
    this.words[VALUE] = value;
  }

  /** @param {number} weight @returns {number} the weight inside, this one included */
  comeIn(weight) {
    return Atomics.add(this.words, INSIDE, weight) + weight;
  }

  /** @param {number} weight */
  goOut(weight) {
    Atomics.sub(this.words, INSIDE, weight);
  }
}

/** What one thread did in a round, written by that thread alone. */
export class Tally {
  /** @param {SharedArrayBuffer} memory @param {number} index */
  constructor(memory, index) {
    const offset = headerBytes + index * threadBytes;
    this.fields = new Float64Array(memory, offset, TALLY_BYTES / 8);
    this.waits = new Histogram(memory, offset + TALLY_BYTES);
  }

  clear() {
    this.fields.fill(0);
    this.waits.clear();
  }

  /** @param {number} operations @param {number} exclusive @param {number} violations */
  count(operations, exclusive, violations) {
    this.fields[OPERATIONS] = operations;
    this.fields[EXCLUSIVE] = exclusive;
    this.fields[VIOLATIONS] = violations;
  }

  begin() {
    this.fields[START] = sharedClock();
  }

  end() {
    this.fields[END] = sharedClock();
  }

  get operations() {
    return this.fields[OPERATIONS];
  }

  get exclusive() {
    return this.fields[EXCLUSIVE];
  }

  get violations() {
    return this.fields[VIOLATIONS];
  }

  get start() {
    return this.fields[START];
  }

  get finish() {
    return this.fields[END];
  }
}

/** Milliseconds on the clock that all threads share; `performance.now()` begins anew in each. */
function sharedClock() {
  const [seconds, nanoseconds] = process.hrtime();
  return seconds * 1e3 + nanoseconds / 1e6;
}
