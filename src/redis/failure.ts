/** What a server's refusal or silence means. */
import { setImmediate } from 'node:timers';
import { show } from '../deadline.js';
import { BackendUnavailableError, LockError } from '../errors.js';
import { clearTimeout, setTimeout } from '../parker/clock.js';
import { setAlarm } from './alarm.js';

/** Errors that a server answers with while it starts, fails over or is busy. */
const passing = /^(LOADING|BUSY|TRYAGAIN|CLUSTERDOWN|MASTERDOWN|READONLY|NOREPLICAS|UNBLOCKED|MOVED|ASK)\b/;
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

/** The promise's outcome if it comes within `milliseconds`, else a rejection with {@link NoAnswer}. */
export function answerWithin<T>(promise: Promise<T>, milliseconds: number): Promise<T> {
  return new Promise((resolve, reject) => {
    // An answer may have come while the event loop was blocked: it is read before this.
    const giveUp = (): void => void setImmediate(() => reject(new NoAnswer(milliseconds)));
    const stop = milliseconds < LONG ? setTimer(giveUp, milliseconds) : setAlarm(giveUp, milliseconds);
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

function setTimer(callback: () => void, milliseconds: number): () => void {
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
