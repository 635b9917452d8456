/** What one manager wants to know of deadlocks, and to be done about them. */
import { checkObject, show } from '../deadline.js';
import type { Audience } from './audience.js';

export interface DeadlockOptions {
  /**
   * What becomes of a deadlock. `report` (default): an event tells of it. `error`: besides, one of those that wait gets a
   * DeadlockError, if the deadlock is certain: a thread that is about to close the cycle by blocking, else, of the async
   * ones whose manager says `error`, the one that began to wait last. `off`: nobody looks.
   */
  deadlocks?: 'report' | 'error' | 'off';
  /** Milliseconds within which a deadlock is told of; on Redis, if that is ten round trips at least. Default 100. */
  deadlockInterval?: number;
  /** Milliseconds after which a wait is told of as a long one. Default 300,000. */
  deadlockThreshold?: number;
  /** Tell when two locks are acquired in one order here and in the other there. Default false. */
  orderInversions?: boolean;
}

const POLICIES: readonly unknown[] = ['report', 'error', 'off'];
/** The longest that a timer takes. */
const MAX_DELAY = 2 ** 31 - 1;

export class Watcher {
  readonly policy: 'report' | 'error';
  readonly interval: number;
  readonly threshold: number;
  readonly orderInversions: boolean;
  /** Those of its scopes that have listeners. */
  readonly audiences: Set<Audience> = new Set<Audience>();
  readonly #backends = new Set<string>();

  constructor(policy: 'report' | 'error', interval: number, threshold: number, orderInversions: boolean) {
    this.policy = policy;
    this.interval = interval;
    this.threshold = threshold;
    this.orderInversions = orderInversions;
  }

  /** From now on deadlocks among this backend's locks are told to this manager's listeners. */
  minds(backend: string): void {
    this.#backends.add(backend);
  }

  /** Is one of these backends ours? Locks of the user's own (undefined) are everybody's. */
  isConcernedBy(backends: readonly (string | undefined)[]): boolean {
    return backends.some((backend) => backend === undefined || this.#backends.has(backend));
  }

  tell(event: string, names: readonly string[], report: unknown): void {
    for (const audience of this.audiences) audience.tell(event, names, report);
  }
}

/**
 * @returns undefined if nobody shall look.
 * @throws TypeError or RangeError that names the option.
 */
export function watcherOf(options: DeadlockOptions): Watcher | undefined {
  checkObject(options, 'options');
  const {
    deadlocks = 'report',
    deadlockInterval = 100,
    deadlockThreshold = 300_000,
    orderInversions = false,
  } = options;
  if (!POLICIES.includes(deadlocks))
    throw new RangeError(`options.deadlocks must be 'report', 'error' or 'off', not ${show(deadlocks)}`);
  checkMilliseconds(deadlockInterval, 'options.deadlockInterval', MAX_DELAY);
  checkMilliseconds(deadlockThreshold, 'options.deadlockThreshold', Infinity);
  if (typeof orderInversions !== 'boolean')
    throw new TypeError(`options.orderInversions must be true or false, not ${show(orderInversions)}`);
  if (deadlocks === 'off') return undefined;
  return new Watcher(deadlocks, deadlockInterval, deadlockThreshold, orderInversions);
}

function checkMilliseconds(value: unknown, what: string, max: number): void {
  if (typeof value !== 'number')
    throw new TypeError(`${what} must be a number of milliseconds, not ${show(value)}`);
  if (!(value >= 1 && value <= max))
    throw new RangeError(`${what} must be 1 to ${max} milliseconds, not ${show(value)}`);
}
