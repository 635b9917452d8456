/**
 * What is checked in every section of a round: who is inside together, plain words that lose updates when two are,
 * fences, permits. As short as can be, since there are 10^8 of them.
 */
import { PERMITS, READ, SEMAPHORE, WRITE, WRITER, fits, violate } from './board.mjs';
import { DOWNGRADES, EXCLUSIVE, FIRST, INSIDE, LINE, SECOND, SECTIONS } from './rounds-board.mjs';

export class RoundSection {
  #board;
  #slot;
  #tally;

  constructor(board, slot) {
    this.#board = board;
    this.#slot = slot;
    this.#tally = slot * LINE;
  }

  /** Right after the acquisition. Returns what {@link leave} has to be given. */
  enter(subject, guard, weight) {
    const { state, tally } = this.#board;
    const share = subject === WRITE ? WRITER : weight;
    const before = Atomics.add(state, INSIDE, share);
    if (!fits(subject, before + share)) {
      this.#violate('more inside than the lock admits', subject, share, before + share);
    }
    tally[this.#tally + SECTIONS]++;
    if (guard.abandoned) this.#violate('unexpected error', subject);
    if (subject === SEMAPHORE) return 0;
    const updates = state[FIRST];
    if (state[SECOND] !== updates) this.#violate('two owners inside', subject, updates, state[SECOND]);
    const fence = Number(guard.fence);
    const last = this.#board.fence[0];
    if (subject === READ) {
      if (fence < last) {
        this.#violate('reader saw an older fence than the last writer', subject, last, fence);
      }
      return updates;
    }
    if (fence <= last) this.#violate('fence did not grow', subject, last, fence);
    this.#board.fence[0] = fence;
    tally[this.#tally + EXCLUSIVE]++;
    state[FIRST] = updates + 1;
    return updates + 1;
  }

  /** Right before the release. */
  leave(subject, weight, updates) {
    const { state } = this.#board;
    const inside = Atomics.load(state, INSIDE);
    if (!fits(subject, inside)) {
      this.#violate('more inside than the lock admits', subject, weight, inside);
    }
    if (subject === READ) this.#unchanged(updates);
    else if (subject !== SEMAPHORE) this.#complete(subject, updates);
    Atomics.sub(state, INSIDE, subject === WRITE ? WRITER : weight);
  }

  /** A writer becomes a reader. Returns the read guard. */
  downgrade(guard, updates) {
    const { state, tally } = this.#board;
    this.#complete(WRITE, updates);
    Atomics.sub(state, INSIDE, WRITER - 1);
    const read = guard.downgrade();
    tally[this.#tally + DOWNGRADES]++;
    this.#unchanged(updates);
    const [expected, found] = [this.#board.fence[0], Number(read.fence)];
    if (found !== expected) this.#violate('written while read', READ, expected, found);
    return read;
  }

  /** With `weight` permits held, so many at least are not free. */
  checkPermits(available, weight) {
    if (available > PERMITS - weight) {
      this.#violate('more permits free than can be', SEMAPHORE, PERMITS - weight, available);
    }
  }

  #complete(subject, updates) {
    const { state } = this.#board;
    if (state[FIRST] !== updates || state[SECOND] !== updates - 1) {
      this.#violate('an update was lost', subject, updates, state[FIRST]);
    }
    state[SECOND] = updates;
  }

  #unchanged(updates) {
    const { state } = this.#board;
    if (state[FIRST] !== updates || state[SECOND] !== updates) {
      this.#violate('written while read', READ, updates, state[FIRST]);
    }
  }

  #violate(kind, subject, expected = 0, found = 0) {
    violate(this.#board, kind, this.#slot, subject, expected, found);
  }
}
