/** What a server's refusal or silence means. */
import { setImmediate } from 'node:timers';
import { show } from '../deadline.js';
import { BackendUnavailableError, LockError } from '../errors.js';
import { clearTimeout, now, setTimeout } from '../parker/clock.js';
import { LATENESS, setAlarm, stopAlarm, type Alarm } from './alarm.js';

/** Nobody answered within a time. What was asked may have happened, or may happen yet. */
export class NoAnswer extends Error {
  constructor(milliseconds: number) {
    super(`no answer within ${Math.round(milliseconds)} ms`);
    this.name = 'NoAnswer';
  }
}

/** From here on it does not matter if a time is over a little later. */
const LONG = 1000;

/**
 * The promise's outcome if it comes within `milliseconds`, else a rejection with {@link NoAnswer}. A time in which the event
 * loop was blocked is added, once: the request may not even have left before it, nor its answer have been read.
 */
export function answerWithin<T>(promise: Promise<T>, milliseconds: number): Promise<T> {
  return new Promise((resolve, reject) => within(promise, milliseconds, resolve, reject));
}

/** The same without a promise of its own: calls one of both, once. */
export function within<T>(
  promise: Promise<T>,
  milliseconds: number,
  resolve: (value: T) => void,
  reject: (reason: Error) => void,
): void {
  const patience = new Patience(milliseconds, reject);
  promise.then(
    (value) => {
      if (patience.end()) resolve(value);
    },
    (error: Error) => {
      if (patience.end()) reject(error);
    },
  );
}

class Patience implements Alarm {
  place = -1;
  due: number;
  readonly #milliseconds: number;
  readonly #reject: (reason: NoAnswer) => void;
  #timer: NodeJS.Timeout | undefined;
  /** Has time been added? */
  #isLast = false;
  #isOver = false;

  constructor(milliseconds: number, reject: (reason: NoAnswer) => void) {
    this.#milliseconds = milliseconds;
    this.#reject = reject;
    this.due = now() + milliseconds;
    this.#set(milliseconds);
  }

  #set(milliseconds: number): void {
    if (milliseconds < LONG) this.#timer = setTimeout(() => this.ring(), milliseconds).unref();
    else setAlarm(this);
  }

  /** What can be read by now is read first. */
  ring(): void {
    const latest = this.due + (this.#timer === undefined ? LATENESS : 0);
    setImmediate(() => this.#judge(now() - latest));
  }

  #judge(late: number): void {
    if (late < 1 || this.#isLast) {
      if (this.end()) this.#reject(new NoAnswer(this.#milliseconds));
      return;
    }
    if (this.#isOver) return;
    this.#isLast = true;
    const added = Math.min(late, this.#milliseconds);
    this.due = now() + added;
    this.#set(added);
  }

  /** False: it was over. */
  end(): boolean {
    if (this.#isOver) return false;
    this.#isOver = true;
    clearTimeout(this.#timer);
    stopAlarm(this);
    return true;
  }
}

/** A sleep that keeps no process alive. */
export function pause(milliseconds: number): Promise<void> {
  return new Promise((resolve) => {
    setTimeout(resolve, milliseconds).unref();
  });
}

/** Does it say everything already? */
export function isPlain(error: unknown): error is LockError | RangeError {
  return error instanceof LockError || error instanceof RangeError;
}

/** What the user is told of a request that failed. */
export function unavailable(what: string, cause: unknown): Error {
  if (isPlain(cause)) return cause;
  const reason = cause instanceof Error ? cause.message : show(cause);
  return new BackendUnavailableError(`${what}: ${reason}`, { cause });
}
