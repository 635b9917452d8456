/**
 * Processes with two threads each use locks in a file together, and are killed with SIGKILL at any moment: while they
 * start, hold, wait, or are in any section of the library. Others take their places.
 */
import { fork } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { Worker } from 'node:worker_threads';
import { Mutex, Space } from 'mortise';
import {
  Board,
  LIVES,
  LOCKS,
  MAX_SLOTS,
  PERMITS,
  READ,
  SEMAPHORE,
  THREADS,
  makeBoard,
} from './processes-board.mjs';
import { Random } from './random.mjs';

/** Locks that have no other name: as many as `processes-worker.mjs` makes and disposes of. */
const NAMES = 3;
/** Milliseconds after which a lock that nobody uses any more must be free. */
const PATIENCE = 2000;

export class ProcessStress {
  #folder = mkdtempSync(join(existsSync('/dev/shm') ? '/dev/shm' : tmpdir(), 'mortise-stress-'));
  #board;
  #random;
  #size;
  #lives = 1;
  #errors = [];
  #isOver = false;
  /** By place: the child there. */
  #children = [];
  #kills = 0;
  /** Of these, while it started. */
  #opening = 0;

  constructor({ seed, processes = 4 }) {
    if (processes * THREADS > MAX_SLOTS)
      throw new RangeError(`processes must be at most ${MAX_SLOTS / THREADS}`);
    this.#size = processes;
    this.#random = new Random(seed);
    makeBoard(`${this.#folder}/board`);
    this.#board = new Board(`${this.#folder}/board`);
  }

  /**
   * For so many `seconds`, with a mean `pause` in milliseconds between two kills; longer where what has been reached
   * is not `enough`.
   * @param {{ seconds: number, pause?: number, enough?: (reached: Reached) => boolean }} options
   * @typedef {{ kills: number, sections: number, abandoned: number }} Reached
   */
  async run({ seconds, pause = 150, enough = () => true }) {
    // As many as will ever be made: whoever leaves one behind has the others told that there is no room.
    const capacity = { locks: LOCKS.length + NAMES, threads: (this.#size + 1) * THREADS };
    const space = Space.open(`${this.#folder}/locks`, capacity);
    const locks = {
      mutex: space.mutex(LOCKS[0]),
      reentrant: new Mutex({ name: LOCKS[1], space, reentrant: true }),
      semaphore: space.semaphore(LOCKS[2], PERMITS),
      rw: space.readWriteLock(LOCKS[3]),
    };
    const bystander = watchNoise();
    for (let place = 0; place < this.#size; place++) this.#start(place);
    try {
      const begin = performance.now();
      const isOver = () =>
        (performance.now() - begin >= seconds * 1000 && enough(this.#counts())) ||
        this.#lives > LIVES - 2 * THREADS * this.#size;
      while (!isOver()) {
        await delay(this.#random.next() * pause * 2);
        this.#killOne();
      }
      this.#isOver = true;
      Atomics.store(this.#board.stop, 0, 1);
      const isLate = !(await this.#allGone());
      const noise = await bystander.end();
      // Whoever still waits would keep this process waiting as well.
      const left = isLate ? [] : await leftover(space, locks);
      const elapsed = (performance.now() - begin) / 1000;
      return this.#result({ seconds: elapsed, noise, left, permits: locks.semaphore.availableSync() });
    } finally {
      this.#isOver = true;
      for (const { child } of this.#children) child.kill('SIGKILL');
      await bystander.end();
      rmSync(this.#folder, { recursive: true });
    }
  }

  #start(place) {
    const given = {
      folder: this.#folder,
      slot: place * THREADS,
      life: this.#lives,
      seed: this.#random.below(2 ** 30),
    };
    this.#lives += THREADS;
    const child = fork(new URL('./processes-worker.mjs', import.meta.url), [JSON.stringify(given)], {
      stdio: ['ignore', 'ignore', 'pipe', 'ipc'],
    });
    const it = { child, life: given.life, isDoomed: false, isReady: false };
    child.once('message', () => (it.isReady = true));
    child.stderr.setEncoding('utf8').on('data', (text) => this.#errors.push(text));
    it.gone = once(child, 'exit').then(([code, signal]) => {
      if (!it.isDoomed && (code !== 0 || signal !== null))
        this.#errors.push(`A process ended by itself: ${code ?? signal}`);
      for (let slot = place * THREADS; slot < (place + 1) * THREADS; slot++) {
        for (const lock of [SEMAPHORE, READ]) this.#board.put(slot, lock, 0);
        Atomics.store(this.#board.doomed, slot, 0);
      }
      if (!this.#isOver) this.#start(place);
    });
    this.#children[place] = it;
  }

  /** Mostly one of those who have begun: starting takes most of the time. */
  #killOne() {
    const living = [...this.#children.keys()].filter((place) => !this.#children[place].isDoomed);
    const ready = living.filter((place) => this.#children[place].isReady);
    const chosen = ready.length > 0 && this.#random.chance(0.7) ? ready : living;
    if (chosen.length > 0) this.#kill(this.#random.pick(chosen));
  }

  #kill(place) {
    const it = this.#children[place];
    it.isDoomed = true;
    for (let thread = 0; thread < THREADS; thread++) {
      Atomics.store(this.#board.doomed, place * THREADS + thread, 1);
      Atomics.store(this.#board.killed, it.life + thread, 1);
    }
    it.child.kill('SIGKILL');
    this.#kills++;
    if (!it.isReady) this.#opening++;
  }

  /** False: some had to be killed. */
  async #allGone() {
    const gone = Promise.all(this.#children.map((it) => it.gone));
    const late = await Promise.race([gone, delay(20_000, 'late')]);
    if (late === 'late') this.#errors.push('A process did not end: it waits for a lock');
    return late !== 'late';
  }

  #counts() {
    const sum = (counts) => counts.reduce((total, count) => total + count, 0);
    return {
      kills: this.#kills,
      sections: sum(this.#board.sections),
      abandoned: sum(this.#board.abandoned),
    };
  }

  #result({ seconds, noise, left, permits }) {
    return {
      seconds,
      ...this.#counts(),
      opening: this.#opening,
      violations: this.#board.found(),
      errors: [...this.#errors, ...left],
      permits: PERMITS,
      permitsBack: permits,
      worstStall: Math.max(...this.#board.stall),
      noise,
    };
  }
}

/** Why a result is not good enough, in words. */
export function processFailures(result, { maxStall }) {
  const { violations, errors, permits, permitsBack, worstStall, noise } = result;
  const failures = [...violations.map(({ kind, times }) => `${kind}: ${times}`), ...errors];
  if (permitsBack !== permits) failures.push(`${permitsBack} of ${permits} permits came back`);
  if (worstStall - noise > maxStall)
    failures.push(
      `Worst stall ${worstStall.toFixed(1)} ms: more than ${maxStall} ms above the machine's share`,
    );
  return failures;
}

export function printProcesses(result) {
  const { kills, opening, seconds, sections, abandoned, violations, permits, permitsBack } = result;
  const errors = violations.reduce((sum, { times }) => sum + times, 0);
  console.log(`${kills} processes killed in ${seconds.toFixed(1)} s, ${opening} of them while they started`);
  console.log(`${sections} sections, ${errors} errors in them, ${abandoned} abandoned`);
  console.log(`${permitsBack} of ${permits} permits back`);
  console.log(
    `worst stall ${result.worstStall.toFixed(1)} ms; a thread that uses no locks was held up for ${result.noise.toFixed(1)} ms`,
  );
}

/** What is not as it must be when all have gone. */
async function leftover(space, { mutex, reentrant, semaphore, rw }) {
  const wrong = [];
  for (const [name, lock, options] of [
    ['mutex', mutex],
    ['reentrant mutex', reentrant],
    ['semaphore', semaphore, { weight: PERMITS }],
    ['writer', rw.writer],
  ]) {
    const guard = await lock.acquire({ timeout: PATIENCE, ...options }).catch((error) => error);
    if (guard instanceof Error) wrong.push(`The ${name} is not free: ${guard.message}`);
    else guard.release();
  }
  // Room for as many new locks as the named ones had, once those are given back.
  for (let name = 0; name < NAMES; name++) space.mutex(`name ${name}`).dispose();
  const fresh = Array.from({ length: NAMES }, () => new Mutex({ space }));
  for (const lock of fresh) lock.dispose();
  return wrong;
}

/** How long a thread that uses no locks is held up by the machine, at most. */
function watchNoise() {
  const workerData = {
    noise: new Float64Array(new SharedArrayBuffer(8)),
    stop: new Int32Array(new SharedArrayBuffer(4)),
  };
  const worker = new Worker(new URL('./bystander.mjs', import.meta.url), { workerData });
  const exited = once(worker, 'exit');
  return {
    async end() {
      Atomics.store(workerData.stop, 0, 1);
      await exited;
      return workerData.noise[0];
    },
  };
}
