/**
 * Holds that several threads can have at once, permits and read holds: how they are taken and given back.
 *
 * The thread's record must tell what it holds even if it dies in between. So it is in doubt from before the
 * CAS until the note after it, and whoever recounts waits for the living who are in doubt and forgets the
 * dead (`WaitQueue.recover`). Between the two there are only plain stores: nothing that can be interrupted.
 */
import type { Cell } from '../space/cell.js';
import { IN_DOUBT, RECORD_BEGUN_F64, RECORD_ENDED_F64, RECORD_HOLD } from '../space/layout.js';
import type { Tether } from '../space/tether.js';
import { RECOVER } from '../space/words.js';

/** Takes `weight` by one CAS from `word` to `word + change`; false: the word had changed. */
export function enterShared(tether: Tether, word: number, weight: number, change: number): boolean {
  const { words, doubles, word: at, record } = tether;
  const hold = words[record + RECORD_HOLD] as number;
  words[record + RECORD_HOLD] = hold | IN_DOUBT;
  const seen = Atomics.compareExchange(words, at, word, word + change);
  if (seen !== word) {
    words[record + RECORD_HOLD] = hold;
    return false;
  }
  words[record + RECORD_HOLD] = hold + weight * 2;
  const begun = (record + RECORD_BEGUN_F64) >> 1;
  doubles[begun] = (doubles[begun] as number) + 1;
  tether.held++;
  return true;
}

/** Gives `weight` back by one CAS from `word` to `word + change`; false: the word had changed. */
export function leaveShared(tether: Tether, word: number, weight: number, change: number): boolean {
  const { words, doubles, word: at, record } = tether;
  const hold = words[record + RECORD_HOLD] as number;
  words[record + RECORD_HOLD] = hold | IN_DOUBT;
  const seen = Atomics.compareExchange(words, at, word, word + change);
  if (seen !== word) {
    words[record + RECORD_HOLD] = hold;
    return false;
  }
  words[record + RECORD_HOLD] = hold - weight * 2;
  const ended = (record + RECORD_ENDED_F64) >> 1;
  doubles[ended] = (doubles[ended] as number) + 1;
  tether.held--;
  return true;
}

/** As {@link leaveShared}, when somebody waits or holds are being recounted. Returns the word it left. */
export function leaveSharedSlow(tether: Tether, weight: number, change: number): number {
  const { queue } = tether.cell as Cell;
  for (;;) {
    const word = Atomics.load(queue.words, queue.word);
    // The latch is free again when the recount is done, or taken over if it never will be.
    if ((word & RECOVER) === RECOVER) queue.latchAndSettle();
    else if (leaveShared(tether, word, weight, change)) return word + change;
  }
}
