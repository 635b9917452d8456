/**
 * How a real thread is led through an execution, one operation at a time: before each, it stands at a gate until
 * the main thread grants it. Where it stands, and what it has to tell, is in memory that belongs to this alone.
 */
import { setFlagsFromString } from 'node:v8';

/** Where a thread stands. The main thread writes `running`, with its grant; all else the thread itself. */
export const places = [
  'running',
  'gate', // Before an operation.
  'asleep', // In `Atomics.wait`, or just about to: V8's count of the waiters tells.
  'leaving', // Out of `Atomics.wait`, and at a gate once more.
  'awaiting', // Its event loop runs.
  'ended',
  'failed',
];

const GRANTS = 0;
const PLACE = 1;
const TOLD = 2;
const WORDS = 4;
const ANNOUNCED = 4;
const MOST_TOLD = 1024;

/** Memory for one thread. */
export const createControl = () =>
  new SharedArrayBuffer(WORDS * 4 + (ANNOUNCED + MOST_TOLD) * Float64Array.BYTES_PER_ELEMENT);

/** Both ends of the gate of one thread. `events` is an eventcount that all threads have in common. */
export class Gate {
  #words;
  #announced;
  #told;
  #events;
  #taken = 0;

  constructor(control, events) {
    this.#words = new Int32Array(control, 0, WORDS);
    this.#announced = new Float64Array(control, WORDS * 4, ANNOUNCED);
    this.#told = new Float64Array(control, (WORDS + 2 * ANNOUNCED) * 4);
    this.#events = events;
  }

  get place() {
    return places[Atomics.load(this.#words, PLACE)];
  }

  /** What the thread has told since the last `reset`. */
  get told() {
    return [...this.#told.subarray(0, Atomics.load(this.#words, TOLD))];
  }

  /** What the thread is about to do at the gate, by what it has last announced. */
  get announced() {
    return [...this.#announced];
  }

  /** By the main thread: while nothing is granted. */
  reset() {
    Atomics.store(this.#words, TOLD, 0);
    Atomics.store(this.#words, PLACE, 0);
  }

  /** By the main thread, to a thread that stands at a gate. */
  grant() {
    // First: the thread may be at its next gate before this function returns.
    Atomics.store(this.#words, PLACE, 0);
    Atomics.add(this.#words, GRANTS, 1);
    Atomics.notify(this.#words, GRANTS);
  }

  /** By the thread: before it passes the gate. */
  announce(...values) {
    this.#announced.set(values);
  }

  /** By the thread: blocks until it is granted to go on. */
  pass(place = 'gate') {
    this.stand(place);
    while (Atomics.load(this.#words, GRANTS) === this.#taken) Atomics.wait(this.#words, GRANTS, this.#taken);
    this.#taken++;
  }

  /** By the thread. */
  stand(place) {
    Atomics.store(this.#words, PLACE, places.indexOf(place));
    Atomics.add(this.#events, 0, 1);
    Atomics.notify(this.#events, 0);
  }

  #isStandDue = false;

  /**
   * By the thread, within a task: when all microtasks are done it stands where `place` says, unless it is before an
   * operation by then.
   */
  standWhenIdle(place) {
    if (this.#isStandDue) return;
    this.#isStandDue = true;
    setImmediate(() => {
      this.#isStandDue = false;
      this.stand(place());
    });
  }

  /** By the thread: seen by the main thread at the latest when the thread stands somewhere. */
  tell(...values) {
    const count = Atomics.load(this.#words, TOLD);
    if (count + values.length > MOST_TOLD)
      throw new Error('the thread has more to tell than there is room for');
    this.#told.set(values, count);
    Atomics.store(this.#words, TOLD, count + values.length);
    Atomics.add(this.#events, 0, 1);
    Atomics.notify(this.#events, 0);
  }
}

/**
 * One operation of a real thread, at its gate. A thread that has slept passes the gate again before it goes on, as a
 * woken thread of the machine takes a step of its own.
 */
export function performGated(gate, kind, words, at, a, b, time = b) {
  gate.pass();
  if (kind !== 'wait') return Atomics[kind](words, at, a, b);
  gate.stand('asleep');
  const result = Atomics.wait(words, at, a, time);
  if (result === 'ok' || (result === 'timed-out' && b > 0)) gate.pass('leaving');
  return result;
}

/**
 * How many wait on a word, blocked and async, of all threads: V8's own list, by a function of V8's tests. Undefined:
 * this V8 does not have it.
 */
export const countWaiters = (() => {
  setFlagsFromString('--allow-natives-syntax');
  try {
    const count = new Function('words', 'at', 'return %AtomicsNumWaitersForTesting(words, at);');
    count(new Int32Array(new SharedArrayBuffer(4)), 0);
    return count;
  } catch (error) {
    if (error instanceof SyntaxError) return undefined;
    throw error;
  }
})();
