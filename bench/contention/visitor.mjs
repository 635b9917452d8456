import { work } from './work.mjs';

/**
 * @typedef {object} Load
 * @property {number} inside steps of work in the critical section
 * @property {number} outside steps of work between two of them
 * @property {boolean} timed records every wait; without, no clock is read
 */

/** What a thread does in and between critical sections, and how it checks that it is alone there. */
export class Visitor {
  /**
   * @param {import('./control.mjs').Control} control
   * @param {import('./control.mjs').Tally} tally
   * @param {import('./locks.mjs').OpenLock} lock
   */
  constructor(control, tally, lock) {
    this.control = control;
    this.tally = tally;
    this.lock = lock;
    this.exclusiveEvery = lock.exclusiveEvery ?? 1;
    this.permits = lock.permits ?? 0;
    this.seed = 1;
  }

  /** @param {number} round @param {Load} load @param {number} limit of visits */
  begin(round, load, limit = Infinity) {
    this.round = round;
    this.load = load;
    this.limit = limit;
    this.operations = 0;
    this.exclusive = 0;
    this.violations = 0;
    this.control.waitAtGate(round);
    this.tally.begin();
  }

  end() {
    this.tally.end();
    this.tally.count(this.operations, this.exclusive, this.violations);
  }

  get stopped() {
    return this.control.stopped(this.round) || this.operations >= this.limit;
  }

  /** Whether the next visit is to be an exclusive one. */
  get nextIsExclusive() {
    return this.operations % this.exclusiveEvery === 0;
  }

  /** @param {boolean} exclusive */
  inside(exclusive) {
    const { control } = this;
    const weight = exclusive ? this.permits : 1;
    if (this.permits > 0 && control.comeIn(weight) > this.permits) this.violations++;
    const before = control.readProtected();
    if (this.load.inside > 0) this.seed = work(this.load.inside, this.seed);
    if (exclusive) {
      control.writeProtected(before + 1);
      this.exclusive++;
    } else if (control.value !== before) {
      this.violations++;
    }
    if (this.permits > 0) control.goOut(weight);
    this.operations++;
  }

  outside() {
    if (this.load.outside > 0) this.seed = work(this.load.outside, this.seed);
  }
}
