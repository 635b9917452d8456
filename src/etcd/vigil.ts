/**
 * What a waiter concludes from what a watch tells of the last one ahead, its predecessor, from the revision on at which it read the
 * queue. Often that is a proof that nobody is ahead any more, and nothing need be asked: `docs/design.md` says why.
 */
import { setImmediate } from 'node:timers';
import { clearTimeout, setTimeout } from '../parker/clock.js';

/** Milliseconds within which a watch tells of both deletions of a release, as a rule. Later costs a look, no more. */
const TOGETHER = 20;

export interface Predecessor {
  /** Its key, in base64 as everything that is watched. */
  readonly key: string;
  /** What it left beside its key when it came, if it did. */
  readonly mark: string | undefined;
  /** Was nobody else ahead, and nothing remembered of anybody but it? */
  readonly isAlone: boolean;
}

export class Vigil {
  readonly #predecessor: Predecessor;
  readonly #onEnd: (isTurn: boolean, revision: bigint) => void;
  /** Where key and mark were deleted first: later it is another place that had the same seat. */
  #gone: bigint | undefined;
  #unmarked: bigint | undefined;
  #timer: NodeJS.Timeout | undefined;
  #isOver = false;

  /** `onEnd` is told once that the predecessor is gone, where, and whether that proves that it is the waiter's turn. */
  constructor(predecessor: Predecessor, onEnd: (isTurn: boolean, revision: bigint) => void) {
    this.#predecessor = predecessor;
    this.#onEnd = onEnd;
  }

  /** Everything to watch. */
  get keys(): readonly string[] {
    const { key, mark } = this.#predecessor;
    return mark === undefined ? [key] : [key, mark];
  }

  /** A key was deleted, at that revision. */
  hear(key: string, revision: bigint): void {
    const { mark, isAlone } = this.#predecessor;
    if (key === this.#predecessor.key) this.#gone ??= revision;
    else if (key === mark) this.#unmarked ??= revision;
    if (this.#gone === undefined || this.#isOver) return;
    if (mark === undefined) this.#end(isAlone);
    else if (this.#unmarked !== undefined) this.#end(this.#unmarked === this.#gone);
    // After what was to be read by then.
    else this.#timer ??= setTimeout(() => setImmediate(() => this.#end(false)), TOGETHER);
  }

  /** It does not matter any more. */
  stop(): void {
    this.#isOver = true;
    clearTimeout(this.#timer);
  }

  #end(isTurn: boolean): void {
    if (this.#isOver) return;
    this.stop();
    this.#onEnd(isTurn, this.#gone as bigint);
  }
}
