/**
 * Rounds: 2 to 8 threads begin together and make a number of sections on one lock, each in its own mix of blocking,
 * async, try, timeout and abort. What must hold in every section is checked by the workers (rounds-section.mjs),
 * what must hold when all have ended is checked here. A watchdog ends a round in which nobody gets on.
 *
 * A round is drawn from its seed, the seed of the run plus its number: it is the first round of a run with that seed.
 */
import { Worker } from 'node:worker_threads';
import { Mutex, ReadWriteLock, Semaphore } from 'mortise';
import { PERMITS, WORKERS, now, violationsOf } from './board.mjs';
import { Random } from './random.mjs';
import {
  ABSENT,
  DOING,
  DOWNGRADES,
  EXCLUSIVE,
  FIRST,
  INSIDE,
  LINE,
  PRIMITIVES,
  SECOND,
  SECTIONS,
  TALLIES,
  TIMEOUTS,
  createRoundsBoard,
  sumTally,
} from './rounds-board.mjs';
import { describeIdle, describeRound } from './rounds-report.mjs';

const MOST_SECTIONS = 200_000;

const makers = {
  mutex: () => new Mutex(),
  reentrant: () => new Mutex({ reentrant: true }),
  semaphore: () => new Semaphore(PERMITS),
  readWrite: () => new ReadWriteLock(),
};

export class Rounds {
  #seed;
  #sections;
  #primitives;
  #watchdog;
  #maxIdle;
  #board = createRoundsBoard();
  #workers = [];
  #bystander;
  #locks = {};
  #number = 0;
  #done = 0;
  #table = [];

  /**
   * `sections`: for each primitive. `watchdog`: after how many seconds without a section a round is given up.
   * `maxIdle`: percent of the time that a lock may lie idle while it is wanted, see idle.mjs.
   */
  constructor({
    seed,
    sections,
    primitives = PRIMITIVES.map(({ name }) => name),
    watchdog = 10,
    maxIdle = 5,
  }) {
    this.#seed = seed;
    this.#sections = sections;
    this.#primitives = PRIMITIVES.filter(({ name }) => primitives.includes(name));
    this.#watchdog = watchdog * 1000;
    this.#maxIdle = maxIdle;
  }

  /** `progress` is called twice a second. */
  async run(progress = () => {}) {
    const begin = now();
    let current;
    const report = setInterval(() => {
      const sections = this.#done + sumTally(this.#board, SECTIONS);
      const rate = sections / ((now() - begin) / 1000);
      const eta = (this.#sections * this.#primitives.length - sections) / rate;
      progress({ primitive: current, rounds: this.#number, sections, rate, eta });
    }, 500);
    const failures = [];
    try {
      await this.#start();
      for (const primitive of this.#primitives) {
        current = primitive.name;
        failures.push(...(await this.#play(primitive)));
        if (failures.length > 0) break;
      }
    } finally {
      clearInterval(report);
      Atomics.store(this.#board.stop, 0, 1);
      await Promise.all([this.#bystander, ...this.#workers].map((worker) => worker.terminate()));
    }
    for (const lock of Object.values(this.#locks)) if (failures.length === 0) lock.dispose();
    return {
      seed: this.#seed,
      seconds: (now() - begin) / 1000,
      rounds: this.#number,
      sections: this.#done,
      primitives: this.#table,
      noise: this.#board.noise[0],
      failures,
    };
  }

  #start() {
    const board = this.#board;
    this.#workers = Array.from(
      { length: WORKERS },
      (_, slot) =>
        new Worker(new URL('./rounds-worker.mjs', import.meta.url), { workerData: { board, slot } }),
    );
    this.#bystander = new Worker(new URL('./idle.mjs', import.meta.url), { workerData: board });
    for (const worker of this.#workers) worker.setMaxListeners(0);
    return Promise.all(
      [this.#bystander, ...this.#workers].map(
        (worker) => new Promise((resolve) => worker.once('online', resolve)),
      ),
    );
  }

  /** All rounds of one primitive. Returns what did not hold. */
  async #play(primitive) {
    const board = this.#board;
    const row = {
      primitive: primitive.name,
      rounds: 0,
      threads: 0,
      seconds: 0,
      contended: 0,
      ...Object.fromEntries(TALLIES.map((name) => [name, 0])),
    };
    const idleBefore = [...board.idle];
    this.#table.push(row);
    const failures = [];
    for (let round = 0; row.sections < this.#sections && failures.length === 0; round++) {
      const plan = this.#draw(primitive, round, this.#sections - row.sections);
      failures.push(...(await this.#round(plan)));
      row.rounds++;
      row.threads += plan.workers;
      row.seconds += plan.seconds;
      row.contended += plan.contended;
      TALLIES.forEach((name, counter) => (row[name] += sumTally(board, counter)));
      this.#done += sumTally(board, SECTIONS);
      board.tally.fill(0);
      row.idle = board.idle[0] - idleBefore[0];
      row.idleSeconds = (board.idle[1] - idleBefore[1]) / 1000;
      const isIdle = row.idle >= 5 && row.idleSeconds > (row.seconds * this.#maxIdle) / 100;
      if (isIdle) failures.push(describeIdle(row, plan));
    }
    return failures;
  }

  /** What a round is to be, from its seed alone (but for how many sections are left to make). */
  #draw(primitive, round, left) {
    const seed = (this.#seed + round) % 2 ** 31;
    const random = new Random(seed);
    const workers = 2 + random.below(WORKERS - 1);
    const largest = Math.min(MOST_SECTIONS, Math.max(this.#sections / 10, 100));
    const sections = Math.min(left, Math.floor(10 * (largest / 10) ** random.next()));
    const isFresh = random.chance(0.5);
    return {
      seed,
      primitive,
      workers,
      sections: Math.ceil(sections / workers),
      isFresh,
      number: ++this.#number,
    };
  }

  async #round(plan) {
    const { seed, primitive, workers, number } = plan;
    const board = this.#board;
    const { lock, isFresh } = this.#lockFor(plan);
    if (isFresh) board.fence[0] = 0;
    board.state.fill(0);
    const before = lock.stats();
    const message = { seed, primitive, workers, number, sections: plan.sections, handle: lock.handle };
    const crew = this.#workers.slice(0, workers);
    const begin = now();
    const errors = [];
    const ended = Promise.all(crew.map((worker) => this.#ended(worker, errors)));
    for (const worker of crew) worker.postMessage(message);
    const stuck = await this.#watched(ended);
    Atomics.store(board.running, 0, 0);
    plan.seconds = (now() - begin) / 1000;
    plan.contended = lock.stats().contended - before.contended;
    const failures = [
      ...(stuck ? [`nobody got on for ${this.#watchdog / 1000} s`] : []),
      ...errors,
      ...violationsOf(board).map(
        ({ kind, times, first }) => `${kind}: ${times}, first ${JSON.stringify(first)}`,
      ),
    ];
    if (!stuck && failures.length === 0) failures.push(...this.#leftovers(plan, lock, before));
    if (failures.length === 0) return [];
    return [
      `${describeRound(plan, failures, board, lock)}
  repeat: --sections ${this.#sections} --primitive ${primitive.name} --seed ${seed}`,
    ];
  }

  /** The lock of the last round, or a fresh one. */
  #lockFor({ primitive, isFresh }) {
    const old = this.#locks[primitive.lock];
    if (old !== undefined && !isFresh) return { lock: old, isFresh: false };
    old?.dispose();
    return { lock: (this.#locks[primitive.lock] = makers[primitive.lock]()), isFresh: true };
  }

  #ended(worker, errors) {
    return new Promise((resolve) => {
      const settle = (error) => {
        worker.off('message', onMessage);
        worker.off('error', onError);
        if (error !== undefined) errors.push(error);
        resolve();
      };
      const onMessage = ({ error }) => settle(error);
      const onError = (error) => settle(error.stack ?? String(error));
      worker.on('message', onMessage);
      worker.on('error', onError);
    });
  }

  /** Waits until all have ended, or nobody has made a section for too long: true. */
  async #watched(ended) {
    let watch;
    const stuck = new Promise((resolve) => {
      let sections = -1;
      let since = now();
      watch = setInterval(() => {
        const seen = sumTally(this.#board, SECTIONS);
        if (seen !== sections) [sections, since] = [seen, now()];
        else if (now() - since > this.#watchdog) resolve(true);
      }, 250);
    });
    try {
      return await Promise.race([stuck, ended.then(() => false)]);
    } finally {
      clearInterval(watch);
    }
  }

  /** What must hold when all have ended. */
  #leftovers({ workers, sections }, lock, before) {
    const board = this.#board;
    const after = lock.stats();
    const made = workers * sections;
    const wrong = [];
    const expect = (what, found, expected) => {
      if (found !== expected) wrong.push(`${what}: ${found} instead of ${expected}`);
    };
    expect('sections', sumTally(board, SECTIONS), made);
    expect('shares left inside', board.state[INSIDE], 0);
    expect('updates', board.state[FIRST], sumTally(board, EXCLUSIVE));
    expect('completed updates', board.state[SECOND], sumTally(board, EXCLUSIVE));
    expect('stats().holders', after.holders, 0);
    expect('stats().waiters', after.waiters, 0);
    const holds = made + sumTally(board, DOWNGRADES);
    expect('stats().acquisitions', after.acquisitions - before.acquisitions, holds);
    expect('stats().releases', after.releases - before.releases, holds);
    expect('stats().timeouts', after.timeouts - before.timeouts, sumTally(board, TIMEOUTS));
    expect('stats().abandoned', after.abandoned, 0);
    if (lock instanceof Semaphore) expect('permits back', lock.availableSync(), PERMITS);
    for (let slot = workers; slot < WORKERS; slot++) {
      expect(`activity of slot ${slot}`, board.tally[slot * LINE + DOING], ABSENT);
    }
    const guard =
      lock instanceof Semaphore
        ? lock.tryAcquireSync({ weight: PERMITS })
        : (lock.writer ?? lock).tryAcquireSync();
    expect('free in the end', guard?.release(), true);
    return wrong;
  }
}
