import type { Wish } from '../remote/contender.js';
import { contestAt, contestAtAll } from './contest.js';
import { ExpiringLock } from '../remote/expiring-lock.js';
import { unavailable } from '../remote/failure.js';
import { LockStore, type Occupancy } from './lock-store.js';
import { QuorumStore } from './quorum-store.js';
import { checkOptions, keyOf, type KeyOptions, type RedisOptions } from './options.js';
import type { RedisPlaces } from './place.js';
import { clientsOf } from './servers.js';
import { termsOf } from './thread-renewal.js';
import { plainLease } from '../remote/lease.js';
import { checkBoolean } from '../remote/terms.js';
import { checkInteger } from '../deadline.js';
import { UnsupportedError } from '../errors.js';
import type { LockInfo } from '../lock.js';
import type { Client } from './client.js';

interface ReentryOptions {
  /** May a `withLock` body acquire it again? Default false. */
  reentrant?: boolean;
}

interface ReplicaOptions {
  /**
   * How many replicas have to know of an acquisition before it is returned; if fewer do within a tenth of the ttl (at most
   * a second), it is given back and tried again. After a failover to one of them nobody else gets the lock. Each acquire
   * sends a WAIT, which holds up whatever else the same client asks: give it one of its own. Default 0: none.
   */
  verifyReplicas?: number;
}

/** Options of a lock on one server or cluster. */
export type RedisLockOptions = RedisOptions & ReentryOptions & ReplicaOptions;

/** Options of a lock on several independent servers: an odd number is best. */
export type RedlockOptions = KeyOptions & RedisPlaces & ReentryOptions;

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
 * With `clients` or `urls` it is a lock on several independent servers, of which more than half decide (Redlock): it goes on while
 * some of them are down, asks nobody for longer than a twentieth of the ttl, and has no queue: those who wait look again
 * after 5 to 40 ms, and any of them may be the next.
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
  readonly #store: LockStore | QuorumStore;
  readonly #wish: Wish;

  /**
   * Asks the server nothing yet.
   * @throws TypeError or RangeError that names the option; UnsupportedError: a URL, and no client is installed.
   */
  constructor(name: string, options: RedisLockOptions | RedlockOptions) {
    checkOptions(options);
    const { prefix, reentrant = false } = options;
    checkBoolean(reentrant, 'options.reentrant');
    const key = keyOf('lock', name, prefix);
    const clients = clientsOf(options);
    const description = `the lock '${name}'`;
    const terms = termsOf(options, { kind: 'lock', description, key });
    const isSingle = clients.length === 1;
    const replicas = checkReplicas(options, clients);
    super(name, isSingle ? contestAt(clients[0], key) : contestAtAll(clients, key), reentrant, plainLease);
    const stores = clients.map(({ driver }) => new LockStore(driver, description, key, replicas));
    this.#store = isSingle ? (stores[0] as LockStore) : new QuorumStore(description, stores, terms.ttl);
    this.#wish = { store: this.#store, terms, weight: 1 };
  }

  protected wish(): Wish {
    return this.#wish;
  }

  /** Does anybody hold it, by the server's clock? @throws BackendUnavailableError */
  async isLocked(): Promise<boolean> {
    return ((await this.#look())?.token ?? '') !== '';
  }

  /**
   * Who holds it, since when by that one's own clock, and how many clients wait. On several servers nobody is known to
   * wait.
   * @throws BackendUnavailableError
   */
  async info(): Promise<LockInfo> {
    const { token = '', owner, since, left, waiters = 0 }: Partial<Occupancy> = (await this.#look()) ?? {};
    const isHeld = token !== '';
    return {
      name: this.name,
      owner: isHeld ? (owner ?? null) : null,
      acquiredAt: isHeld ? (since ?? null) : null,
      ttl: isHeld ? (left ?? null) : null,
      holders: isHeld ? 1 : 0,
      waiters: this.#store instanceof LockStore ? waiters : 0,
    };
  }

  async #look(): Promise<Occupancy | undefined> {
    try {
      return await this.#store.look();
    } catch (error) {
      throw unavailable(`nothing is known of ${this.#store.description}`, error);
    }
  }
}

/** @throws TypeError, RangeError; UnsupportedError: nobody can tell. */
function checkReplicas(options: object, clients: readonly Client[]): number {
  const { verifyReplicas = 0 } = options as ReplicaOptions;
  checkInteger(verifyReplicas, 'options.verifyReplicas', 0, 1000);
  if (verifyReplicas > 0 && (clients.length > 1 || clients[0]?.driver.replicas === undefined))
    throw new UnsupportedError(
      'options.verifyReplicas needs one client with one connection that writes: no cluster, no sentinel of node-redis',
    );
  return verifyReplicas;
}
