import { Client } from './client.js';
import type { Wish } from './contender.js';
import { contestAt } from './contest.js';
import { ExpiringLock } from './expiring-lock.js';
import type { Terms } from './hold.js';
import { LockStore } from './lock-store.js';
import { checkBoolean, checkOptions, checkTerms, keyOf, type RedisOptions } from './options.js';
import type { LockInfo } from '../lock.js';

export interface RedisLockOptions extends RedisOptions {
  /** May a `withLock` body acquire it again? Default false. */
  reentrant?: boolean;
}

/**
 * A lock that one holder has at a time, on a Redis server that all contenders reach: on one machine or many. Whoever uses
 * the same name, prefix and server excludes each other.
 *
 * - **It expires**, `ttl` ms after the holder was last heard of. It is renewed while it is held; `lease.signal` aborts
 *   when that fails, before it can expire. Pass `lease.fence` to what you protect: a holder that was paused for longer
 *   than the ttl does not know yet that it has lost it.
 * - **Order.** First in, first out between clients, by the server's queue, and within a client by arrival. A client that
 *   dies while it waits delays those behind it by three seconds at most.
 * - **Cancelling.** A request that times out or is aborted leaves the queue at once.
 * - **Failures.** Requests whose answer was lost are repeated, and recognised by the server; those whose outcome stays
 *   unknown are taken back in the background until the lock would have expired.
 *
 * The key with a token and a time to live is Redis's own recipe; the queue with a wake-up for the first is that of
 * Redisson's `RFairLock`, by the server's clock alone.
 *
 * @example
 * ```js
 * import { createClient } from 'redis';
 * import { RedisLock } from 'mortise/redis';
 *
 * const client = await createClient({ url: process.env.REDIS_URL }).connect();
 * const lock = new RedisLock('invoices', { client, ttl: 10_000 });
 *
 * const result = await lock.withLock(async (lease) => {
 *   lease.signal.throwIfAborted(); // between two steps of the work
 *   return lease.fence > 0n;
 * }, { timeout: 5000 });
 * result; // => true
 *
 * await client.close();
 * ```
 */
export class RedisLock extends ExpiringLock {
  readonly #store: LockStore;
  readonly #terms: Terms;

  /**
   * Asks the server nothing yet.
   * @throws TypeError or RangeError that names the option.
   */
  constructor(name: string, options: RedisLockOptions) {
    checkOptions(options);
    const { client, prefix, reentrant = false } = options;
    checkBoolean(reentrant, 'options.reentrant');
    const key = keyOf('lock', name, prefix);
    const it = Client.of(client, 'options.client');
    super(name, contestAt(it, key), reentrant);
    this.#terms = checkTerms(options);
    this.#store = new LockStore(it.driver, `the lock '${name}'`, key);
  }

  protected wish(): Wish {
    return { store: this.#store, terms: this.#terms, weight: 1 };
  }

  /** Does anybody hold it, by the server's clock? @throws BackendUnavailableError */
  async isLocked(): Promise<boolean> {
    return (await this.#store.look()).owner !== '';
  }

  /**
   * Who holds it and how many clients wait, by the server's clock.
   * @throws BackendUnavailableError
   */
  async info(): Promise<LockInfo> {
    const { owner, since, left, waiters } = await this.#store.look();
    const isHeld = owner !== '';
    return {
      name: this.name,
      owner: isHeld ? owner : null,
      acquiredAt: isHeld ? since : null,
      ttl: isHeld ? left : null,
      holders: isHeld ? 1 : 0,
      waiters,
    };
  }
}
