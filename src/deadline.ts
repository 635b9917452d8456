/** Checks `{ timeout, signal }` once, at the door, so that nothing behind it has to. */
import { inspect } from 'node:util';
import type { AcquireOptions, SemaphoreAcquireOptions } from './lock.js';

/** Options as every acquire takes them, checked. */
export interface Deadline {
  /** Milliseconds from now; 0 is one attempt, Infinity for ever. */
  readonly timeout: number;
  readonly signal: AbortSignal | undefined;
}

/** No options: wait for ever. */
export const FOREVER: Deadline = { timeout: Infinity, signal: undefined };

/** A thrown value as people read it in a message: short, on one line. */
export function show(value: unknown): string {
  return inspect(value, { depth: 0, breakLength: Infinity, maxStringLength: 80 });
}

/** @throws TypeError if it is not an object. */
export function checkObject(options: unknown, what: string): asserts options is object {
  if (typeof options !== 'object' || options === null)
    throw new TypeError(`${what} must be an object, not ${show(options)}`);
}

/** The names of all options of a kind. */
export type Names<T> = Readonly<Record<keyof T, true>>;

/** What an acquire may be told. */
export const PLAIN: Names<AcquireOptions> = { timeout: true, signal: true };
/** What that of a semaphore may be told. */
export const WEIGHTED: Names<SemaphoreAcquireOptions> = { ...PLAIN, weight: true };

/** @throws TypeError that names an option that there is not: most likely it is misspelt, and would have no effect. */
export function checkNames(options: object, what: string, known: object): void {
  // Not Object.keys(), which makes an array: acquires pass here.
  for (const name in options) if (!(name in known)) refuse(options, what, name, known);
}

function refuse(options: object, what: string, name: string, known: object): void {
  const isGiven = Object.hasOwn(options, name) && (options as Record<string, unknown>)[name] !== undefined;
  if (isGiven) throw new TypeError(`${what} has no ${name} here: there is ${Object.keys(known).join(', ')}`);
}

/** @throws TypeError if it is not an object, or has an option that there is not. */
export function checkOptions<T extends object>(options: T, what: string, known: Names<T>): void {
  checkObject(options, what);
  checkNames(options, what, known);
}

/**
 * @throws TypeError if `timeout` is not a number or `signal` not an AbortSignal, or there is no such option.
 * @throws RangeError if `timeout` is negative or NaN.
 */
export function checkDeadline(options: AcquireOptions, known: object = PLAIN): Deadline {
  checkObject(options, 'options');
  checkNames(options, 'options', known);
  const { timeout = Infinity, signal } = options;
  if (typeof timeout !== 'number')
    throw new TypeError(`options.timeout must be a number of milliseconds, not ${show(timeout)}`);
  if (!(timeout >= 0))
    throw new RangeError(`options.timeout must be 0 or more milliseconds, not ${show(timeout)}`);
  if (signal !== undefined && !(signal instanceof AbortSignal))
    throw new TypeError(`options.signal must be an AbortSignal, not ${show(signal)}`);
  return { timeout, signal };
}

/** As {@link checkDeadline}, for blocking calls: no signal can arrive while the thread is blocked. */
export function checkBlockingDeadline(options: AcquireOptions, known: object = PLAIN): Deadline {
  const deadline = checkDeadline(options, known);
  if (deadline.signal !== undefined)
    throw new TypeError('options.signal is for async acquires: nothing can abort a blocked thread');
  return deadline;
}

/** Options of an async acquire; an aborted signal throws its reason. */
export function asyncDeadline(options: AcquireOptions | undefined, known: object = PLAIN): Deadline {
  if (options === undefined) return FOREVER;
  const deadline = checkDeadline(options, known);
  deadline.signal?.throwIfAborted();
  return deadline;
}

/** Options of a blocking acquire. */
export function blockingDeadline(options: AcquireOptions | undefined, known: object = PLAIN): Deadline {
  return options === undefined ? FOREVER : checkBlockingDeadline(options, known);
}

/** @throws TypeError or RangeError that names the option, unless it is an integer from `min` to `max`. */
export function checkInteger(
  value: unknown,
  what: string,
  min: number,
  max: number,
): asserts value is number {
  if (typeof value !== 'number') throw new TypeError(`${what} must be a number, not ${show(value)}`);
  if (!Number.isInteger(value) || value < min || value > max)
    throw new RangeError(`${what} must be an integer from ${min} to ${max}, not ${show(value)}`);
}
