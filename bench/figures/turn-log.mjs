const ANNOUNCED = 0; // the round whose large request is known to be queued
const GRANTED = 1; // the last round whose large request was granted
const PAUSE = 2; // the round for which the flood is to stop
const RESUME = 3; // the last round for which it may go on
const STOPPED = 4; // how many times a task of the flood has stopped
const FIRST_TASK = 16;
const TASK_WORDS = 16;

const PAUSED = 0; // the round for which the task has stopped
const GRANTS = 1;
const LATER = 2; // requests that came after a queued large one
const OUT_OF_TURN = 3; // and were granted before it

/** What the threads of weighted-turn.mjs tell each other. */
export class TurnLog {
  /** @param {number} tasks that ask for one permit @param {SharedArrayBuffer} memory */
  constructor(tasks, memory = new SharedArrayBuffer(4 * (FIRST_TASK + tasks * TASK_WORDS))) {
    this.tasks = tasks;
    this.memory = memory;
    this.words = new Int32Array(memory);
  }

  /** @param {number} round */
  pause(round) {
    Atomics.store(this.words, PAUSE, round);
  }

  /** Blocks until all tasks have stopped for the round, each with its permit; false: not in that time. */
  allStopped(round, milliseconds) {
    return this.#becomes(STOPPED, round * this.tasks, milliseconds);
  }

  /** @param {number} round */
  resume(round) {
    Atomics.store(this.words, RESUME, round);
    Atomics.notify(this.words, RESUME);
  }

  /** @param {number} round */
  announce(round) {
    Atomics.store(this.words, ANNOUNCED, round);
  }

  /** The large request's owner says so while it holds all permits. @param {number} round */
  grant(round) {
    Atomics.store(this.words, GRANTED, round);
    Atomics.notify(this.words, GRANTED);
  }

  /** Blocks until the round's large request has been granted; false: not in that time. */
  isGranted(round, milliseconds) {
    return this.#becomes(GRANTED, round, milliseconds);
  }

  get granted() {
    return Atomics.load(this.words, GRANTED);
  }

  /** A task is about to ask. Returns the round of the large request that is queued by now, or 0. */
  ask() {
    const round = Atomics.load(this.words, ANNOUNCED);
    return this.granted < round ? round : 0;
  }

  /** The task has got its permit. @param {number} task @param {number} round what `ask` returned */
  got(task, round) {
    this.#add(task, GRANTS);
    if (round === 0) return;
    this.#add(task, LATER);
    if (this.granted < round) this.#add(task, OUT_OF_TURN);
  }

  /** The round for which the task, which holds its permit, is to stop now, or 0. @param {number} task */
  stops(task) {
    const round = Atomics.load(this.words, PAUSE);
    if (Atomics.load(this.words, RESUME) >= round) return 0;
    const { words } = this;
    const at = FIRST_TASK + task * TASK_WORDS + PAUSED;
    if (Atomics.exchange(words, at, round) !== round) {
      Atomics.add(words, STOPPED, 1);
      Atomics.notify(words, STOPPED);
    }
    return round;
  }

  /** Blocks until the flood may go on. @param {number} round what `stops` returned */
  sleepUntilResumed(round) {
    while (Atomics.load(this.words, RESUME) < round) Atomics.wait(this.words, RESUME, round - 1);
  }

  totals() {
    const sum = (field) => {
      let total = 0;
      for (let task = 0; task < this.tasks; task++) total += this.#of(task, field);
      return total;
    };
    return { grants: sum(GRANTS), later: sum(LATER), outOfTurn: sum(OUT_OF_TURN) };
  }

  #becomes(word, value, milliseconds) {
    const end = performance.now() + milliseconds;
    for (let seen = Atomics.load(this.words, word); seen < value; seen = Atomics.load(this.words, word)) {
      const left = end - performance.now();
      if (left <= 0) return false;
      Atomics.wait(this.words, word, seen, left);
    }
    return true;
  }

  #of(task, field) {
    return Atomics.load(this.words, FIRST_TASK + task * TASK_WORDS + field);
  }

  #add(task, field) {
    Atomics.add(this.words, FIRST_TASK + task * TASK_WORDS + field, 1);
  }
}
