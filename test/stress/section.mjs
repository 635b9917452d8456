/**
 * What a worker does and checks while it holds a lock.
 */
import {
  ABANDONED,
  EXIT,
  LIVE,
  READ,
  SECTIONS,
  SEMAPHORE,
  SUBJECTS,
  THROW,
  WORKERS,
  WRITE,
  WRITER,
  count,
  fits,
  lockOf,
  now,
  violate,
} from './board.mjs';

export class Section {
  #board;
  #slot;
  #life;

  constructor(board, slot, life) {
    this.#board = board;
    this.#slot = slot;
    this.#life = life;
  }

  /** Right after the acquisition. Gives what {@link leave} has to be given. */
  enter(subject, guard, weight, waitingSince) {
    const board = this.#board;
    const slot = this.#slot;
    const lock = lockOf(subject);
    const share = subject === WRITE ? WRITER : weight;
    const mine = slot * SUBJECTS.length + lock;

    const repairs = Atomics.load(board.repairs, 0);
    const before = Atomics.add(board.inside, lock, share);
    board.share[mine] = board.share[mine] + share;

    const entered = now();
    const stall = entered - Math.max(board.progress[lock], waitingSince);
    const at = slot * SUBJECTS.length + subject;
    if (stall > board.stall[at]) board.stall[at] = stall;
    board.progress[lock] = entered;

    const owner = this.#owner(subject, guard, waitingSince, entered);
    this.#crowd(subject, before + share, repairs);
    this.#fence(subject, guard);
    count(board, slot, subject, SECTIONS);
    if (guard.abandoned) count(board, slot, subject, ABANDONED);
    return { subject, lock, share, owner };
  }

  /**
   * In the middle of a section, where a thread may be told to die by its own hand. An error thrown inside
   * `withLock` would not die with the lock, but release it.
   */
  middle(mayThrow) {
    const board = this.#board;
    const order = Atomics.load(board.order, this.#slot);
    if (order === LIVE || (order === THROW && !mayThrow)) return;
    board.killedAt[this.#life] = now();
    Atomics.store(board.doomed, this.#slot, 1);
    if (order === EXIT) process.exit(7);
    throw new Error('mortise stress: told to die');
  }

  /** Right before the release. */
  leave({ subject, lock, share, owner }) {
    const board = this.#board;
    const slot = this.#slot;
    const repairs = Atomics.load(board.repairs, 0);
    this.#crowd(subject, Atomics.load(board.inside, lock), repairs);
    if (subject === READ) {
      const found = Atomics.load(board.owner, lock);
      if (found !== owner) violate(board, 'owner changed while inside', slot, subject, owner, found);
    } else if (subject !== SEMAPHORE) {
      const found = Atomics.compareExchange(board.owner, lock, owner, 0);
      if (found !== owner) violate(board, 'owner changed while inside', slot, subject, owner, found);
    }
    board.progress[lock] = now();
    const mine = slot * SUBJECTS.length + lock;
    Atomics.sub(board.inside, lock, share);
    board.share[mine] = board.share[mine] - share;
  }

  /** The owner word is cleared by every owner that leaves: whoever is found in it otherwise died inside. */
  #owner(subject, guard, waitingSince, entered) {
    if (subject === SEMAPHORE) return 0;
    const board = this.#board;
    const lock = lockOf(subject);
    if (subject === READ) {
      const found = Atomics.load(board.owner, lock);
      if (found !== 0) this.#inherited(subject, guard, found);
      return found;
    }
    const found = Atomics.exchange(board.owner, lock, this.#life);
    if (found !== 0) {
      this.#inherited(subject, guard, found);
      const took = entered - Math.max(board.killedAt[found], waitingSince);
      const at = this.#slot * SUBJECTS.length + subject;
      if (took > board.takeover[at]) board.takeover[at] = took;
    }
    return this.#life;
  }

  #inherited(subject, guard, found) {
    // A life that nobody has killed yet cannot have left the word behind.
    if (this.#board.killedAt[found] === 0) {
      violate(this.#board, 'two owners inside', this.#slot, subject, this.#life, found);
    } else if (!guard.abandoned) {
      violate(this.#board, 'dead owner not reported by abandoned', this.#slot, subject, this.#life, found);
    }
  }

  /**
   * Who is inside must fit, apart from the shares of the dead that the harness has not taken out yet.
   * `repairs` was read before `inside` was.
   */
  #crowd(subject, inside, repairs) {
    const board = this.#board;
    if (fits(subject, inside)) return;
    let dead = 0;
    for (let slot = 0; slot < WORKERS; slot++) {
      if (Atomics.load(board.doomed, slot) === 1)
        dead += board.share[slot * SUBJECTS.length + lockOf(subject)];
    }
    // The harness was at it meanwhile: nothing can be said.
    if (repairs % 2 !== 0 || Atomics.load(board.repairs, 0) !== repairs) return;
    if (!fits(subject, inside - dead)) {
      violate(board, 'more inside than the lock admits', this.#slot, subject, dead, inside);
    }
  }

  #fence(subject, guard) {
    const board = this.#board;
    const lock = lockOf(subject);
    if (subject === SEMAPHORE) {
      if (guard.fence !== 0n || guard.abandoned) {
        violate(board, 'semaphore guard with a fence or abandoned', this.#slot, subject);
      }
      return;
    }
    const last = Atomics.load(board.fence, lock);
    const [expected, found] = [Number(last), Number(guard.fence)];
    if (subject === READ) {
      if (found < expected) {
        violate(
          board,
          'reader saw an older fence than the last writer',
          this.#slot,
          subject,
          expected,
          found,
        );
      }
      return;
    }
    if (found <= expected) violate(board, 'fence did not grow', this.#slot, subject, expected, found);
    Atomics.store(board.fence, lock, guard.fence);
  }
}
