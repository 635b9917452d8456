/**
 * Kill stress: workers use the locks at random, and are terminated at random moments and replaced.
 *
 * What must hold all the time is checked by the workers (section.mjs): exclusion, `abandoned`, fences. What
 * must hold in the end is checked here: every permit has come back, every lock is free, nobody waits.
 */
import { setImmediate as turn, setTimeout as delay } from 'node:timers/promises';
import { Worker } from 'node:worker_threads';
import { Mutex, ReadWriteLock, Semaphore } from 'mortise';
import {
  ABANDONED,
  COUNTERS,
  EXIT,
  LIVE,
  LIVES,
  LOCKS,
  PERMITS,
  READ,
  SECTIONS,
  SUBJECTS,
  THROW,
  WORKERS,
  WRITE,
  WRITER,
  createBoard,
  lockOf,
  now,
  violationsOf,
} from './board.mjs';
import { Random } from './random.mjs';

/** Longer than this without progress on a lock that is waited for, and the run is given up. */
const STUCK = 5_000;

export class Stress {
  #board = createBoard();
  #random;
  #seed;
  #workers;
  #pause;
  #locks = {
    mutex: new Mutex({ name: 'stress mutex' }),
    reentrant: new Mutex({ name: 'stress reentrant', reentrant: true }),
    semaphore: new Semaphore(PERMITS, { name: 'stress semaphore' }),
    readWriteLock: new ReadWriteLock({ name: 'stress read-write lock' }),
  };
  #lives = 0;
  #slots = [];
  #stopping = false;
  #deaths = { kills: 0, terminate: 0, exit: 0, throw: 0, idle: 0, holding: [], waiting: [] };
  #errors = [];
  #stuck;

  /** `pause`: the mean time between two kills, in milliseconds. */
  constructor({ seed, workers = 6, pause = 70 }) {
    this.#seed = seed;
    this.#random = new Random(seed);
    this.#workers = Math.min(workers, WORKERS);
    this.#pause = pause;
    this.#deaths.holding = SUBJECTS.map(() => 0);
    this.#deaths.waiting = SUBJECTS.map(() => 0);
  }

  async run(seconds, progress = () => {}) {
    const begin = now();
    const end = begin + seconds * 1000;
    await Promise.all(Array.from({ length: this.#workers }, (_, slot) => this.#start(slot)));
    const watchdog = setInterval(() => this.#watch(), 250);
    const bystander = new Worker(new URL('./bystander.mjs', import.meta.url), { workerData: this.#board });
    try {
      let nextReport = begin + 1000;
      while (now() < end && this.#stuck === undefined) {
        await this.#kill();
        await delay(this.#random.next() * 2 * this.#pause);
        if (now() < nextReport) continue;
        nextReport += 1000;
        progress({
          elapsed: (now() - begin) / 1000,
          kills: this.#deaths.kills,
          sections: this.#sum(SECTIONS),
        });
      }
      if (this.#stuck === undefined) await this.#stop();
    } finally {
      clearInterval(watchdog);
      this.#stopping = true;
      await Promise.all(
        [bystander, ...this.#slots.map((it) => it.worker)].map((worker) => worker.terminate()),
      );
    }
    return this.#result((now() - begin) / 1000, this.#stuck === undefined && (await this.#settled()));
  }

  #start(slot) {
    const board = this.#board;
    const life = ++this.#lives;
    if (life >= LIVES) throw new Error(`More than ${LIVES} workers`);
    board.order[slot] = LIVE;
    for (let subject = 0; subject < SUBJECTS.length; subject++)
      board.waits[slot * SUBJECTS.length + subject] = 0;
    const handles = Object.fromEntries(
      Object.entries(this.#locks).map(([name, lock]) => [name, lock.handle]),
    );
    const worker = new Worker(new URL('./worker.mjs', import.meta.url), {
      workerData: { board, handles, slot, life, seed: this.#seed + life * 7919 },
    });
    const it = { worker, life, ready: false, dying: false, exited: undefined };
    this.#slots[slot] = it;
    worker.on('error', (error) => {
      if (error.message !== 'mortise stress: told to die') this.#errors.push(error.stack ?? String(error));
    });
    it.exited = new Promise((resolve) => {
      worker.on('exit', () => {
        this.#bury(slot);
        if (!this.#stopping) void this.#start(slot);
        resolve();
      });
    });
    return new Promise((resolve) => {
      worker.on('message', (message) => {
        if (message.unexpected) this.#errors.push(message.unexpected);
        it.ready = true;
        resolve();
      });
      worker.on('exit', resolve);
    });
  }

  /** Counts where a thread died, and takes its shares out of what is inside. */
  #bury(slot) {
    const board = this.#board;
    const it = this.#slots[slot];
    if (it.dying || Atomics.load(board.doomed, slot) === 1) {
      let holding = false;
      for (const lock of LOCKS) {
        const share = board.share[slot * SUBJECTS.length + lock];
        if (share === 0) continue;
        holding = true;
        this.#deaths.holding[lock === READ && share >= WRITER ? WRITE : lock]++;
      }
      const waiting = SUBJECTS.findIndex((_, subject) => board.waits[slot * SUBJECTS.length + subject] > 0);
      if (waiting >= 0) this.#deaths.waiting[waiting]++;
      else if (!holding) this.#deaths.idle++;
    }
    Atomics.add(board.repairs, 0, 1);
    for (const lock of LOCKS) {
      const at = slot * SUBJECTS.length + lock;
      Atomics.sub(board.inside, lock, board.share[at]);
      board.share[at] = 0;
    }
    Atomics.store(board.doomed, slot, 0);
    Atomics.add(board.repairs, 0, 1);
  }

  /** Kills one worker, now and then several: at any moment, or caught holding or waiting for one of the locks. */
  async #kill() {
    const random = this.#random;
    const victims = random.chance(0.1) ? 1 + random.below(this.#workers) : 1;
    for (let i = 0; i < victims; i++) {
      const slot = await this.#aim();
      if (slot < 0) continue;
      const it = this.#slots[slot];
      it.dying = true;
      this.#deaths.kills++;
      const way = random.next();
      if (way < 0.07) {
        this.#deaths.exit++;
        Atomics.store(this.#board.order, slot, EXIT);
      } else if (way < 0.14) {
        this.#deaths.throw++;
        Atomics.store(this.#board.order, slot, THROW);
      } else {
        this.#deaths.terminate++;
        this.#board.killedAt[it.life] = now();
        Atomics.store(this.#board.doomed, slot, 1);
        void it.worker.terminate();
      }
    }
  }

  async #aim() {
    const random = this.#random;
    const candidates = this.#slots.flatMap((it, slot) => (it.ready && !it.dying ? [slot] : []));
    if (candidates.length === 0) return -1;
    const subject = random.below(SUBJECTS.length);
    const doing = random.pick(['anything', 'holding', 'waiting']);
    if (doing !== 'anything') {
      for (const end = now() + 15; now() < end; await turn()) {
        for (const slot of candidates) {
          if (this.#slots[slot].dying || !this.#slots[slot].ready) continue;
          if (this.#isCaught(slot, subject, doing)) return slot;
        }
      }
    }
    const alive = candidates.filter((slot) => this.#slots[slot].ready && !this.#slots[slot].dying);
    return alive.length === 0 ? -1 : random.pick(alive);
  }

  #isCaught(slot, subject, doing) {
    const share = Atomics.load(this.#board.share, slot * SUBJECTS.length + lockOf(subject));
    if (doing === 'waiting') return Atomics.load(this.#board.waits, slot * SUBJECTS.length + subject) > 0;
    return subject === WRITE ? share >= WRITER : share > 0 && share < WRITER;
  }

  /** Lets the living finish what they are at; they end by themselves, since nothing keeps them. */
  async #stop() {
    this.#stopping = true;
    Atomics.store(this.#board.stop, 0, 1);
    const end = now() + STUCK;
    let ended = false;
    void Promise.all(this.#slots.map((it) => it.exited)).then(() => (ended = true));
    while (!ended && now() < end) await delay(5);
    if (!ended)
      this.#stuck ??= `Workers did not end within ${STUCK} ms after they were told to stop\n${this.#describe()}`;
  }

  #watch() {
    const board = this.#board;
    for (const lock of LOCKS) {
      const subjects = lock === READ ? [READ, WRITE] : [lock];
      const waiting = this.#slots.some(
        (it, slot) =>
          it.ready &&
          !it.dying &&
          subjects.some((subject) => {
            const at = slot * SUBJECTS.length + subject;
            return board.waits[at] > 0 && now() - board.since[at] > STUCK;
          }),
      );
      if (waiting && now() - board.progress[lock] > STUCK) {
        this.#stuck ??= `No progress on ${SUBJECTS[lock]} for ${STUCK} ms\n${this.#describe()}`;
      }
    }
  }

  #describe() {
    const board = this.#board;
    const lines = this.#slots.map((it, slot) => {
      const cells = SUBJECTS.map((name, subject) => {
        const at = slot * SUBJECTS.length + subject;
        const wait = board.waits[at] > 0 ? ` waits ${(now() - board.since[at]).toFixed(0)} ms` : '';
        return `${name}:${wait} share ${board.share[at]}`;
      });
      return `slot ${slot} life ${it.life}${it.dying ? ' dying' : ''}${it.ready ? '' : ' starting'}: ${cells.join(', ')}`;
    });
    for (const lock of Object.values(this.#locks)) {
      const stats = JSON.stringify(lock.stats(), (_, value) =>
        typeof value === 'bigint' ? `${value}` : value,
      );
      lines.push(`${lock.name}: cell ${lock.handle.cell}, ${stats}`);
    }
    lines.push(
      `inside ${board.inside.join(' ')}, owner ${board.owner.join(' ')}, fence ${board.fence.join(' ')}`,
    );
    return lines.join('\n');
  }

  /** Everything is free again, at the latest one slice after the last death. */
  async #settled() {
    const { mutex, reentrant, semaphore, readWriteLock } = this.#locks;
    const isFree = () => {
      if (semaphore.availableSync() !== PERMITS) return false;
      return [mutex, reentrant, semaphore, readWriteLock.writer].every((lock) => {
        const guard = lock === semaphore ? lock.tryAcquireSync({ weight: PERMITS }) : lock.tryAcquireSync();
        return guard !== null && guard.release();
      });
    };
    const end = now() + 2_000;
    while (!isFree() && now() < end) await delay(5);
    return (
      isFree() &&
      [mutex, reentrant, semaphore, readWriteLock].every(
        (lock) => lock.stats().waiters === 0 && lock.stats().holders === 0,
      )
    );
  }

  #sum(counter, subject) {
    let sum = 0;
    for (let slot = 0; slot < WORKERS; slot++) {
      for (let each = 0; each < SUBJECTS.length; each++) {
        if (subject !== undefined && subject !== each) continue;
        sum += this.#board.counts[(slot * SUBJECTS.length + each) * COUNTERS.length + counter];
      }
    }
    return sum;
  }

  #worst(words, subject) {
    return Math.max(...Array.from({ length: WORKERS }, (_, slot) => words[slot * SUBJECTS.length + subject]));
  }

  #result(seconds, settled) {
    const board = this.#board;
    const subjects = SUBJECTS.map((name, subject) => ({
      name,
      killedHolding: this.#deaths.holding[subject],
      killedWaiting: this.#deaths.waiting[subject],
      counts: Object.fromEntries(COUNTERS.map((counter, index) => [counter, this.#sum(index, subject)])),
      worstStall: this.#worst(board.stall, subject),
      worstTakeover: this.#worst(board.takeover, subject),
    }));
    return {
      seed: this.#seed,
      seconds,
      ...this.#deaths,
      sections: this.#sum(SECTIONS),
      abandoned: this.#sum(ABANDONED),
      subjects,
      violations: violationsOf(board),
      errors: this.#errors,
      permitsBack: this.#locks.semaphore.availableSync(),
      permits: PERMITS,
      settled,
      stuck: this.#stuck,
      leftover: settled ? undefined : this.#describe(),
      worstStall: Math.max(...subjects.map((it) => Math.max(it.worstStall, it.worstTakeover))),
      noise: board.noise[0],
    };
  }
}
