/**
 * What the processes of a stress write down to check the locks with, in a mapped file. Their death can come between any
 * two instructions, so nothing is said by two words together:
 *
 * - `owner`, per exclusive lock: the life inside, put there and taken away by one exchange. Whoever finds another one must
 *   have been told that it died (`abandoned`), and it must have been killed.
 * - `share`, per slot and shared lock: what that slot holds, with a number that changes each time. Two scans that agree
 *   saw what was held at one moment. The shares of those who are about to be killed do not count.
 */
import { closeSync, openSync, writeFileSync } from 'node:fs';
import { native } from '../../dist/native.js';

/** Threads of one process: its main thread and a worker. */
export const THREADS = 2;
export const MAX_SLOTS = 16;
export const LIVES = 1 << 14;

export const PERMITS = 10;
/** What a writer's share is; a reader's is 1. */
export const WRITER = 1 << 8;
const SHARE_MASK = (1 << 12) - 1;

/** Exclusive locks, and the shared ones. `write` stands for the same lock as `read`. */
export const MUTEX = 0;
export const REENTRANT = 1;
export const WRITE = 2;
export const SEMAPHORE = 0;
export const READ = 1;

export const LOCKS = ['mutex', 'reentrant mutex', 'semaphore', 'read-write lock'];

const VIOLATIONS = [
  'two owners inside',
  'owner changed while inside',
  'dead owner not reported by abandoned',
  'fence did not grow',
  'more permits held than there are',
  'a writer is not alone',
  'release() of a held guard returned false',
  'unexpected error',
];

/** Where what lies, in words. */
const sizes = {
  stop: 1,
  owner: 3,
  fence: 3 * 2,
  share: MAX_SLOTS * 2,
  doomed: MAX_SLOTS,
  killed: LIVES,
  violations: VIOLATIONS.length,
  sections: MAX_SLOTS,
  abandoned: MAX_SLOTS,
  progress: LOCKS.length * 2,
  stall: MAX_SLOTS * 2,
};

export function makeBoard(path) {
  const words = Object.values(sizes).reduce((sum, size) => sum + size + (size & 1), 0);
  writeFileSync(path, Buffer.alloc(words * 4));
}

export class Board {
  constructor(path) {
    const fd = openSync(path, 'r+');
    let at = 0;
    const total = Object.values(sizes).reduce((sum, size) => sum + size + (size & 1), 0);
    const buffer = native().map(fd, total * 4);
    closeSync(fd);
    const take = (name, Type) => {
      const size = sizes[name];
      const view = new Type(buffer, at, (size * 4) / Type.BYTES_PER_ELEMENT);
      at += (size + (size & 1)) * 4;
      return view;
    };
    this.stop = take('stop', Int32Array);
    this.owner = take('owner', Int32Array);
    /** Of the last exclusive holder that came so far. */
    this.fence = take('fence', Float64Array);
    this.share = take('share', Int32Array);
    /** Per slot: 1 from before its process is killed until its shares are taken out. */
    this.doomed = take('doomed', Int32Array);
    /** Per life: 1 from before it is killed. */
    this.killed = take('killed', Int32Array);
    this.violations = take('violations', Int32Array);
    this.sections = take('sections', Int32Array);
    this.abandoned = take('abandoned', Int32Array);
    /** Per lock: when somebody last came in or went out. */
    this.progress = take('progress', Float64Array);
    /** Per slot: the longest time that it waited while nobody came in or went out. */
    this.stall = take('stall', Float64Array);
  }

  get isStopped() {
    return Atomics.load(this.stop, 0) === 1;
  }

  violate(kind) {
    Atomics.add(this.violations, VIOLATIONS.indexOf(kind), 1);
  }

  found() {
    return VIOLATIONS.flatMap((kind, index) => {
      const times = this.violations[index];
      return times > 0 ? [{ kind, times }] : [];
    });
  }

  /** Somebody has come into an exclusive lock. */
  enter(lock, life, guard) {
    const before = Atomics.exchange(this.owner, lock, life);
    if (before !== 0 && Atomics.load(this.killed, before) === 0) this.violate('two owners inside');
    else if (before !== 0 && !guard.abandoned) this.violate('dead owner not reported by abandoned');
    const fence = Number(guard.fence);
    if (fence <= this.fence[lock]) this.violate('fence did not grow');
    this.fence[lock] = fence;
  }

  leave(lock, life) {
    const seen = Atomics.compareExchange(this.owner, lock, life, 0);
    if (seen !== life) this.violate('owner changed while inside');
  }

  /** What a slot holds of a shared lock from now on. */
  put(slot, lock, share) {
    const at = slot * 2 + lock;
    const before = this.share[at];
    Atomics.store(this.share, at, ((before & ~SHARE_MASK) + SHARE_MASK + 1) | share);
  }

  check(lock) {
    let held = 0;
    let writers = 0;
    const first = [];
    for (let slot = 0; slot < MAX_SLOTS; slot++) first.push(this.#live(slot, lock));
    for (let slot = 0; slot < MAX_SLOTS; slot++) {
      if (this.#live(slot, lock) !== first[slot]) return;
      held += first[slot] & SHARE_MASK;
      if ((first[slot] & WRITER) !== 0) writers++;
    }
    if (lock === SEMAPHORE && held > PERMITS) this.violate('more permits held than there are');
    if (lock === READ && writers > 0 && held !== WRITER) this.violate('a writer is not alone');
  }

  /** 0 while it is doomed: others may have what it held. */
  #live(slot, lock) {
    const share = Atomics.load(this.share, slot * 2 + lock);
    return Atomics.load(this.doomed, slot) === 1 ? 0 : share;
  }
}

/** Milliseconds that all processes of the machine count alike. */
export const now = () => Number(process.hrtime.bigint()) / 1e6;
