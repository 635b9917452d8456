/** What a server's refusal or silence means. */
import { setImmediate } from 'node:timers';
import { show } from '../deadline.js';
import { BackendUnavailableError, LockError } from '../errors.js';
import { clearTimeout, now, setTimeout } from '../parker/clock.js';
import { LATENESS, setAlarm } from './alarm.js';

/**
 * Errors that a server answers with while it starts, fails over or is busy. Before Redis 7, one that a command within a
 * script got stands behind 'ERR Error running script … @user_script: 6: -'.
 */
const passing =
  /^(?:ERR Error running script .*: -)?(?:LOADING|BUSY|TRYAGAIN|CLUSTERDOWN|MASTERDOWN|READONLY|NOREPLICAS|UNBLOCKED|MOVED|ASK)\b/;
/** Any other answer begins with a word in capitals and will be the same the next time. */
const answer = /^-?[A-Z]{2,}\b /;

/** Might the same request succeed later? Connections come back, wrong types and missing rights do not. */
export function isPassing(error: unknown): boolean {
  if (isPlain(error) || !(error instanceof Error)) return false;
  return passing.test(error.message) || !answer.test(error.message);
}

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
  return new Promise((resolve, reject) => {
    const giveUp = (): void => reject(new NoAnswer(milliseconds));
    let stop = setTimer((late) => {
      if (late < 1) giveUp();
      else stop = setTimer(giveUp, Math.min(late, milliseconds));
    }, milliseconds);
    promise.then(
      (value) => {
        stop();
        resolve(value);
      },
      (error: Error) => {
        stop();
        reject(error);
      },
    );
  });
}

/** Calls back with the milliseconds by which it is too late, after what was to be read by then. Returns what stops it. */
function setTimer(callback: (late: number) => void, milliseconds: number): () => void {
  const isShort = milliseconds < LONG;
  const latest = now() + milliseconds + (isShort ? 0 : LATENESS);
  const ring = (): void => void setImmediate(() => callback(now() - latest));
  return isShort ? setShortTimer(ring, milliseconds) : setAlarm(ring, milliseconds);
}

function setShortTimer(callback: () => void, milliseconds: number): () => void {
  const timer = setTimeout(callback, milliseconds).unref();
  return () => clearTimeout(timer);
}

/** A sleep that keeps no process alive. */
export function pause(milliseconds: number): Promise<void> {
  return new Promise((resolve) => {
    setTimeout(resolve, milliseconds).unref();
  });
}

/** Does it say everything already? */
function isPlain(error: unknown): error is LockError | RangeError {
  return error instanceof LockError || error instanceof RangeError;
}

/** What the user is told of a request that failed. */
export function unavailable(what: string, cause: unknown): Error {
  if (isPlain(cause)) return cause;
  const reason = cause instanceof Error ? cause.message : show(cause);
  return new BackendUnavailableError(`${what}: ${reason}`, { cause });
}
