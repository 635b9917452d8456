/** What the locks on etcd are told, checked. */
import { checkInteger, checkNames, checkObject, type Names } from '../deadline.js';
import type { Terms } from '../remote/hold.js';
import { checkLeaseOptions } from '../remote/terms.js';
import { DEFAULT_PREFIX, checkPrefix } from './keys.js';
import type { EtcdPlace } from './place.js';

/** Options of every lock on etcd. */
export type EtcdOptions = EtcdPlace & {
  /**
   * Milliseconds after which the lock expires unless it is renewed: 1000 at least, default 30,000. etcd counts in whole
   * seconds, so it is rounded up, and grants no less than one and a half election timeouts: two seconds, unless it was told
   * otherwise. So long it stays locked when its holder dies, and so long its holder can be cut off from etcd without
   * losing it.
   */
  ttl?: number;
  /** Renew it until it is released. Default true. */
  autoExtend?: boolean;
  /** Milliseconds after which it is not renewed any more, so that a holder that hangs loses it. Default Infinity. */
  maxHold?: number;
  /** What the keys begin with. Default `mortise/`. */
  prefix?: string;
};

/** More would not be counted exactly. */
export const MAX_PERMITS: number = 2 ** 30;
/** etcd counts in seconds. */
export const MIN_TTL = 1000;
/** What the timers of the session take. */
const MAX_TTL = 2 ** 31 - 1;

/** Of all kinds, so that they can share an object. */
const NAMES: Names<EtcdPlace & EtcdOptions & Record<'reentrant' | 'permits' | 'id', unknown>> = {
  client: true,
  endpoints: true,
  username: true,
  password: true,
  tls: true,
  ttl: true,
  autoExtend: true,
  maxHold: true,
  prefix: true,
  reentrant: true,
  permits: true,
  id: true,
};

/** @throws TypeError if it is not an object, or has an option that there is not. */
export function checkOptions(options: unknown): asserts options is object {
  checkObject(options, 'options');
  checkNames(options, 'options', NAMES);
}

/** @throws TypeError or RangeError that names the option. */
export function checkTerms(options: EtcdOptions): Terms {
  return checkLeaseOptions(options, MIN_TTL);
}

export function checkExtension(ttl: unknown): asserts ttl is number {
  checkInteger(ttl, 'ttl', MIN_TTL, MAX_TTL);
}

/** @throws TypeError that names the option. */
export function prefixOf({ prefix = DEFAULT_PREFIX }: { prefix?: string }): string {
  checkPrefix(prefix);
  return prefix;
}
