/**
 * A latch: the small lock behind the locks. It is held for microseconds, by a stamp that tells who holds it, so
 * that it can be taken over from a thread that died inside. What it protects is written so that every prefix
 * of a section leaves it usable; taking over therefore needs no repair of its own.
 *
 * | word | says |
 * |---|---|
 * | 0 | free |
 * | 1 to 2^31 - 1 | stamp of the holder |
 * | + sign bit | and somebody sleeps on it |
 *
 * It is the third mutex of Ulrich Drepper, "Futexes Are Tricky" (2011), with a stamp in place of its 1.
 */
import { availableParallelism } from 'node:os';
import { rouse, sleep } from '../parker/sleep.js';

const SLEEPERS: number = 1 << 31;
/** Milliseconds a sleeper waits before it asks whether the holder still lives. */
const SLICE = 5;
const SPINS: number = availableParallelism() > 1 ? 50 : 0;

/** Blocks until this thread holds the latch. `isDead` tells of a stamp whether its thread has ended. */
export function acquireLatch(
  words: Int32Array,
  at: number,
  stamp: number,
  isDead: (stamp: number) => boolean,
): void {
  // A sleeper cannot know whether it was the only one: once it has slept it takes the latch with SLEEPERS.
  let wanted = stamp;
  for (let spins = 0; ; spins++) {
    const seen = Atomics.compareExchange(words, at, 0, wanted);
    if (seen === 0) return;
    // An exception (the stack was full) left one of our own sections early: it is ours already.
    if ((seen & ~SLEEPERS) === stamp) return;
    if (spins < SPINS) continue;
    wanted = stamp | SLEEPERS;
    const held = seen | SLEEPERS;
    if (seen !== held) {
      const still = Atomics.compareExchange(words, at, seen, held);
      if (still !== seen) continue;
    }
    const outcome = sleep(words, at, held, SLICE);
    if (outcome === 'timed-out' && isDead(held & ~SLEEPERS)) {
      const still = Atomics.compareExchange(words, at, held, wanted);
      if (still === held) return;
    }
  }
}

/** Only by its holder. */
export function releaseLatch(words: Int32Array, at: number): void {
  const held = Atomics.exchange(words, at, 0);
  if (held < 0) rouse(words, at, 1);
}

/** Frees the latch if a thread that has ended held it. */
export function breakLatch(words: Int32Array, at: number, stamp: number): void {
  Atomics.compareExchange(words, at, stamp, 0);
  const seen = Atomics.compareExchange(words, at, stamp | SLEEPERS, 0);
  if (seen === (stamp | SLEEPERS)) Atomics.notify(words, at);
}
