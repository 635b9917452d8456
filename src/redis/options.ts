/** What the locks on Redis are told, checked. */
import { checkNames, checkObject, show, type Names } from '../deadline.js';
import { UnsupportedError } from '../errors.js';
import type { Terms } from '../remote/hold.js';
import { checkLeaseOptions } from '../remote/terms.js';
import type { RedisPlace, RedisPlaces } from './place.js';

/** Options of a hold. */
export interface TermOptions {
  /**
   * Milliseconds after which the lock expires unless it is renewed: 10 at least, default 30,000. So long it stays locked
   * when its holder dies, and so long its holder can be cut off from the server without losing it.
   */
  ttl?: number;
  /** Renew it when a third of its time has gone, until it is released. Default true. */
  autoExtend?: boolean;
  /** Milliseconds after which it is not renewed any more, so that a holder that hangs loses it. Default Infinity. */
  maxHold?: number;
  /**
   * Where it is renewed: in the event loop of this thread, which loses it when it is blocked for longer than the ttl, or in
   * a thread of its own, which does not. That one needs a connection of its own: `url` or `urls`. A holder that hangs keeps
   * its lock then, so mind `maxHold`. Default `'loop'`.
   */
  renewIn?: 'loop' | 'thread';
}

/** Options of every lock on Redis, wherever it is. */
export interface KeyOptions extends TermOptions {
  /** What the keys begin with; without braces. Default `mortise:`. */
  prefix?: string;
}

/** Options of every lock on one server. */
export type RedisOptions = KeyOptions & RedisPlace;

export const DEFAULT_PREFIX = 'mortise:';
/** More would not be counted exactly. */
export const MAX_PERMITS: number = 2 ** 30;

/** @throws TypeError or RangeError that names the option; UnsupportedError: a thread cannot use the user's client. */
export function checkTerms(options: TermOptions): Terms {
  const { renewIn = 'loop' } = options;
  const terms = checkLeaseOptions(options);
  if (renewIn !== 'loop' && renewIn !== 'thread')
    throw new TypeError(`options.renewIn must be 'loop' or 'thread', not ${show(renewIn)}`);
  const { client, clients } = options as { client?: unknown; clients?: unknown };
  if (renewIn === 'thread' && (client ?? clients) !== undefined)
    throw new UnsupportedError(
      "options.renewIn cannot be 'thread' with a client of yours, which lives in this thread: give options.url",
    );
  return terms;
}

/** Of all kinds, so that they can share an object: an option that is not for one of them is refused where that matters. */
const NAMES: Names<RedisPlace & RedisPlaces & KeyOptions & Record<OfSome, unknown>> = {
  client: true,
  url: true,
  clients: true,
  urls: true,
  ttl: true,
  autoExtend: true,
  maxHold: true,
  renewIn: true,
  prefix: true,
  reentrant: true,
  verifyReplicas: true,
  permits: true,
  id: true,
};
type OfSome = 'reentrant' | 'verifyReplicas' | 'permits' | 'id';

/** @throws TypeError if it is not an object, or has an option that there is not. */
export function checkOptions(options: unknown): asserts options is object {
  checkObject(options, 'options');
  checkNames(options, 'options', NAMES);
}

export function checkPrefix(prefix: unknown): asserts prefix is string {
  if (typeof prefix !== 'string') throw new TypeError(`options.prefix must be a string, not ${show(prefix)}`);
  if (/[{}]/.test(prefix)) throw new RangeError(`options.prefix must be without braces, not ${show(prefix)}`);
}

/**
 * The key of a lock, which others are made from. What stands in braces decides on which shard of a cluster a key is
 * kept, so all keys of a lock have its name there.
 */
export function keyOf(kind: string, name: unknown, prefix: unknown = DEFAULT_PREFIX): string {
  if (typeof name !== 'string') throw new TypeError(`name must be a string, not ${show(name)}`);
  if (name === '') throw new RangeError('name must not be empty');
  checkPrefix(prefix);
  const tag = name.replace(/[%{}]/g, (char) => `%${char.charCodeAt(0).toString(16)}`);
  return `${prefix}${kind}:{${tag}}`;
}
