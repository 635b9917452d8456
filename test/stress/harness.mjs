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
import { Crew } from './crew.mjs';
import { Latches } from './latches.mjs';
import { Random } from './random.mjs';

/** Longer than this without progress on a lock that is waited for, and the run is given up. */
const STUCK = 5_000;
/** Milliseconds for which a victim is looked for that is caught at something. */
const AIM = 4;

/**
 * @typedef {{ kills: number, sections: number, abandoned: number, fewest: number }} Reached
 * `fewest`: sections of the lock with the fewest
 */

export class Stress {
  #board = createBoard();
  #random;
  #seed;
  #pause;
  #locks = {
    mutex: new Mutex({ name: 'stress mutex' }),
    reentrant: new Mutex({ name: 'stress reentrant', reentrant: true }),
    semaphore: new Semaphore(PERMITS, { name: 'stress semaphore' }),
    readWriteLock: new ReadWriteLock({ name: 'stress read-write lock' }),
  };
  #latches = new Latches(Object.values(this.#locks));
  #crew;
  #spares;
  #deaths = { kills: 0, terminate: 0, exit: 0, throw: 0, latched: 0, idle: 0, holding: [], waiting: [] };
  #stuck;
  /** Per lock: since when it has been waited for without progress. */
  #standing = [];

  /** `pause`: the mean time between two kills, in milliseconds. `spares`: workers started in advance. */
  constructor({ seed, workers = 6, pause = 20, spares = 3 }) {
    this.#seed = seed;
    this.#random = new Random(seed);
    this.#pause = pause;
    this.#spares = spares;
    this.#deaths.holding = SUBJECTS.map(() => 0);
    this.#deaths.waiting = SUBJECTS.map(() => 0);
    this.#crew = new Crew({
      board: this.#board,
      handles: Object.fromEntries(Object.entries(this.#locks).map(([name, lock]) => [name, lock.handle])),
      seed,
      size: Math.min(workers, WORKERS),
      onDeath: (slot, it) => this.#bury(slot, it),
    });
  }

  /**
   * Until so many seconds have passed or so many workers were terminated, whichever comes first; longer where what
   * has been reached is not `enough`: how much a second brings is the machine's affair.
   * @param {{ seconds?: number, terminations?: number, enough?: (reached: Reached) => boolean }} options
   * @param {(now: Reached & { elapsed: number, terminations: number }) => void} [progress]
   */
  async run({ seconds = Infinity, terminations = Infinity, enough = () => true }, progress = () => {}) {
    await this.#crew.start(this.#spares);
    const begin = now();
    const end = begin + seconds * 1000;
    const watchdog = setInterval(() => this.#watch(), 250);
    const bystander = new Worker(new URL('./bystander.mjs', import.meta.url), { workerData: this.#board });
    try {
      let nextReport = begin + 500;
      const isOver = () => (now() >= end || this.#deaths.terminate >= terminations) && enough(this.#counts());
      while (this.#stuck === undefined && !isOver()) {
        await this.#kill(Math.max(1, terminations - this.#deaths.terminate));
        await delay(this.#random.next() * 2 * this.#pause);
        if (now() < nextReport) continue;
        nextReport += 500;
        progress({
          elapsed: (now() - begin) / 1000,
          terminations: this.#deaths.terminate,
          ...this.#counts(),
        });
      }
      if (this.#stuck === undefined) await this.#stop();
    } finally {
      clearInterval(watchdog);
      await Promise.all([bystander.terminate(), this.#crew.terminate()]);
    }
    return this.#result((now() - begin) / 1000, this.#stuck === undefined && (await this.#settled()));
  }

  /** Counts where a thread died, and takes its shares out of what is inside. */
  #bury(slot, it) {
    const board = this.#board;
    if (this.#latches.isHeldBy(it.threadId)) this.#deaths.latched++;
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

  /** Kills one worker, or several at once: at any moment, or caught at something. */
  async #kill(most) {
    const random = this.#random;
    const victims = random.chance(0.3) ? 1 + random.below(this.#crew.slots.length) : 1;
    for (let i = 0; i < Math.min(victims, most); i++) {
      const slot = await this.#aim();
      if (slot < 0) return;
      const it = this.#crew.slots[slot];
      it.dying = true;
      this.#deaths.kills++;
      const way = random.next();
      if (way < 0.05) {
        this.#deaths.exit++;
        Atomics.store(this.#board.order, slot, EXIT);
      } else if (way < 0.1) {
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

  /** A slot whose worker lives, if possible one that is caught holding, waiting, or in a section of a queue. */
  async #aim() {
    const random = this.#random;
    const subject = random.below(SUBJECTS.length);
    const doing = random.pick(['anything', 'holding', 'waiting', 'queueing']);
    if (doing !== 'anything') {
      for (const end = now() + AIM; now() < end; await turn()) {
        const living = this.#crew.living();
        const caught =
          doing === 'queueing'
            ? this.#catchQueueing(living)
            : living.find((slot) => this.#isCaught(slot, subject, doing));
        if (caught !== undefined) return caught;
      }
    }
    const living = this.#crew.living();
    return living.length === 0 ? -1 : random.pick(living);
  }

  /** These sections last for microseconds: looks without a pause. */
  #catchQueueing(living) {
    const threads = living.map((slot) => this.#crew.slots[slot].threadId);
    for (let looks = 0; looks < 2000; looks++) {
      const thread = this.#latches.holder();
      const at = thread < 0 ? -1 : threads.indexOf(thread);
      if (at >= 0) return living[at];
    }
    return undefined;
  }

  #isCaught(slot, subject, doing) {
    const share = Atomics.load(this.#board.share, slot * SUBJECTS.length + lockOf(subject));
    if (doing === 'waiting') return Atomics.load(this.#board.waits, slot * SUBJECTS.length + subject) > 0;
    return subject === WRITE ? share >= WRITER : share > 0 && share < WRITER;
  }

  /** Lets the living finish what they are at; they end by themselves, since nothing keeps them. */
  async #stop() {
    Atomics.store(this.#board.stop, 0, 1);
    let timer;
    const late = new Promise((resolve) => (timer = setTimeout(resolve, STUCK, true)));
    const isLate = await Promise.race([late, this.#crew.dismiss()]);
    clearTimeout(timer);
    if (isLate)
      this.#stuck ??= `Workers did not end within ${STUCK} ms after they were told to stop\n${this.#describe()}`;
  }

  /** Whoever waits may be killed at any time, so it need not be the same one that waits for so long. */
  #watch() {
    const board = this.#board;
    for (const lock of LOCKS) {
      const subjects = lock === READ ? [READ, WRITE] : [lock];
      const isWaitedFor = this.#crew.slots.some(
        (it, slot) =>
          it !== undefined && subjects.some((subject) => board.waits[slot * SUBJECTS.length + subject] > 0),
      );
      const progress = board.progress[lock];
      const standing = this.#standing[lock];
      if (!isWaitedFor || standing?.progress !== progress) this.#standing[lock] = { progress, since: now() };
      else if (now() - standing.since > STUCK) {
        this.#stuck ??= `No progress on ${SUBJECTS[lock]} for ${STUCK} ms\n${this.#describe()}`;
      }
    }
  }

  #describe() {
    const board = this.#board;
    const lines = this.#crew.slots.map((it, slot) => {
      if (it === undefined) return `slot ${slot} is empty`;
      const cells = SUBJECTS.map((name, subject) => {
        const at = slot * SUBJECTS.length + subject;
        const wait = board.waits[at] > 0 ? ` waits ${(now() - board.since[at]).toFixed(0)} ms` : '';
        return `${name}:${wait} share ${board.share[at]}`;
      });
      return `slot ${slot} life ${it.life}${it.dying ? ' dying' : ''}: ${cells.join(', ')}`;
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

  #counts() {
    return {
      kills: this.#deaths.kills,
      sections: this.#sum(SECTIONS),
      abandoned: this.#sum(ABANDONED),
      fewest: Math.min(...SUBJECTS.map((_, subject) => this.#sum(SECTIONS, subject))),
    };
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
      ...this.#counts(),
      subjects,
      violations: violationsOf(board),
      errors: this.#crew.errors,
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
