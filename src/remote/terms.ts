/** How long holds last, as users say it, checked. */
import { checkInteger, show } from '../deadline.js';
import type { Terms } from './hold.js';

/** Options of a hold. */
export interface LeaseOptions {
  /** Milliseconds after which the lock expires unless it is renewed. */
  ttl?: number;
  autoExtend?: boolean;
  maxHold?: number;
}

const DEFAULT_TTL = 30_000;
/** Shorter ones would be used up by the way to the server. */
const MIN_TTL = 10;
const MAX_TTL = 2 ** 31 - 1;

/** @throws TypeError or RangeError that names the option. */
export function checkLeaseOptions(options: LeaseOptions, least: number = MIN_TTL): Terms {
  const { ttl = DEFAULT_TTL, autoExtend = true, maxHold = Infinity } = options;
  checkTtl(ttl, 'options.ttl', least);
  checkBoolean(autoExtend, 'options.autoExtend');
  if (typeof maxHold !== 'number')
    throw new TypeError(`options.maxHold must be a number of milliseconds, not ${show(maxHold)}`);
  if (!(maxHold > 0))
    throw new RangeError(`options.maxHold must be more than 0 milliseconds, not ${show(maxHold)}`);
  return { ttl, autoExtend, maxHold };
}

export function checkTtl(ttl: unknown, what: string, least: number = MIN_TTL): asserts ttl is number {
  checkInteger(ttl, what, least, MAX_TTL);
}

export function checkBoolean(value: unknown, what: string): asserts value is boolean {
  if (typeof value !== 'boolean') throw new TypeError(`${what} must be true or false, not ${show(value)}`);
}
