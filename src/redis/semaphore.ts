import { WEIGHTED, checkInteger } from '../deadline.js';
import type { LockInfo, SemaphoreAcquireOptions } from '../lock.js';
import type { Wish } from '../remote/contender.js';
import { contestAt } from './contest.js';
import { ExpiringLock } from '../remote/expiring-lock.js';
import { plainLease } from '../remote/lease.js';
import type { Terms } from '../remote/hold.js';
import { checkOptions, keyOf, MAX_PERMITS, type RedisOptions } from './options.js';
import { clientOf, refuseOptionsOfLock } from './servers.js';
import { termsOf } from './thread-renewal.js';
import { PoolStore } from './pool-store.js';

export type RedisSemaphoreOptions = RedisOptions & {
  /** How many there are: an integer of 1 at least. All who use the name must say the same. */
  permits: number;
};

/**
 * Permits that many machines share: at most so many are held at a time, one or several by each holder.
 *
 * - **Each hold expires** by itself, by the server's clock, whatever ttl others have; it is renewed as a
 *   {@link RedisLock} is.
 * - **Order.** Strictly first in, first out, also by weight: a large request is never starved by small ones.
 * - **Cancelling** a request leaves no place in the queue behind.
 * - **Fences** there are none (`0n`): holders overlap.
 *
 * On several servers (`clients`, `urls`) it is refused: with a limit of two, each of three holders can have a majority.
 *
 * @example
 * ```js
 * import { createClient } from 'redis';
 * import { RedisSemaphore } from 'mortise/redis';
 *
 * const client = await createClient({ url: process.env.REDIS_URL }).connect();
 * const renders = new RedisSemaphore('renders', { client, permits: 4 });
 *
 * const lease = await renders.acquire({ weight: 3 });
 * await renders.available(); // => 1
 * await renders.withLock(() => 'rendered'); // => 'rendered'
 * await lease.release(); // => true
 *
 * await client.close();
 * ```
 */
export class RedisSemaphore extends ExpiringLock<SemaphoreAcquireOptions> {
  readonly #store: PoolStore;
  readonly #terms: Terms;
  readonly #declared: number;

  /**
   * Asks the server nothing yet.
   * @throws TypeError or RangeError that names the option; UnsupportedError for several servers and other options of a
   * `RedisLock`, or for a URL if no client is installed.
   */
  constructor(name: string, options: RedisSemaphoreOptions) {
    checkOptions(options);
    const { prefix, permits } = options;
    refuseOptionsOfLock(
      options,
      'a semaphore on several servers cannot keep its limit: with two permits, each of three holders can have a majority',
    );
    checkInteger(permits, 'options.permits', 1, MAX_PERMITS);
    const key = keyOf('semaphore', name, prefix);
    const it = clientOf(options);
    super(name, contestAt(it, key), false, plainLease);
    const description = `the semaphore '${name}'`;
    this.#terms = termsOf(options, { kind: 'pool', description, key });
    this.#declared = permits;
    this.#store = new PoolStore(it.driver, description, key, permits, false);
  }

  /** How many permits it was made with. */
  get permits(): number {
    return this.#declared;
  }

  protected override readonly known: object = WEIGHTED;

  protected wish(options: SemaphoreAcquireOptions | undefined): Wish {
    const weight = options?.weight ?? 1;
    checkInteger(weight, 'options.weight', 1, MAX_PERMITS);
    return { store: this.#store, terms: this.#terms, weight };
  }

  /** Permits that are free now; below 0 if there are fewer since they were taken. @throws BackendUnavailableError */
  async available(): Promise<number> {
    const { permits, used } = await this.#store.look();
    return (permits || this.#declared) - used;
  }

  /**
   * Changes how many there are, for all who use it, until the server forgets it: after a day without use, or FLUSHALL.
   * Those that are held stay held.
   * @throws TypeError, RangeError; NameConflictError if others made it with other permits; BackendUnavailableError
   */
  async resize(permits: number): Promise<void> {
    checkInteger(permits, 'permits', 1, MAX_PERMITS);
    await this.#store.resize(permits);
  }

  /** Does anybody hold a permit, by the server's clock? @throws BackendUnavailableError */
  async isLocked(): Promise<boolean> {
    return (await this.#store.look()).used > 0;
  }

  /** How many hold it and how many clients wait, by the server's clock. @throws BackendUnavailableError */
  async info(): Promise<LockInfo> {
    const { holders, left, waiters } = await this.#store.look();
    return {
      name: this.name,
      owner: null,
      acquiredAt: null,
      ttl: holders === 0 ? null : left,
      holders,
      waiters,
    };
  }
}
