import type { AcquireOptions, LockInfo } from '../lock.js';
import type { Wish } from '../remote/contender.js';
import type { Contest } from '../remote/contest.js';
import { contestAt } from './contest.js';
import { ExpiringLock } from '../remote/expiring-lock.js';
import { plainLease, type RemoteLease } from '../remote/lease.js';
import { checkOptions, keyOf, type RedisOptions } from './options.js';
import { clientOf, refuseOptionsOfLock } from './servers.js';
import { termsOf } from './thread-renewal.js';
import { PoolStore } from './pool-store.js';

/** As many readers there can be; a writer weighs as much as all of them. */
const ALL = 2 ** 30;

/** One side of a {@link RedisReadWriteLock}: a lock like any other. */
export class RedisReadWriteFace extends ExpiringLock {
  readonly #wish: Wish;
  readonly #store: PoolStore;

  /** @internal */
  constructor(name: string, contest: Contest, wish: Wish, store: PoolStore) {
    super(name, contest, false, plainLease);
    this.#wish = wish;
    this.#store = store;
  }

  protected wish(): Wish {
    return this.#wish;
  }

  /** Does anybody hold the lock, to read or to write, by the server's clock? @throws BackendUnavailableError */
  async isLocked(): Promise<boolean> {
    return (await this.#store.look()).used > 0;
  }

  /**
   * Who writes, how many hold it and how many clients wait, by the server's clock.
   * @throws BackendUnavailableError
   */
  async info(): Promise<LockInfo> {
    const { holders, left, waiters, owner, since } = await this.#store.look();
    return {
      name: this.name,
      owner: owner === '' ? null : owner,
      acquiredAt: owner === '' ? null : since,
      ttl: holders === 0 ? null : left,
      holders,
      waiters,
    };
  }
}

/**
 * Many readers or one writer, on as many machines as there are.
 *
 * - **Each hold expires** by itself, by the server's clock, and is renewed as a {@link RedisLock} is.
 * - **Order.** First in, first out: readers who come after a waiting writer wait behind it, and all readers at the head
 *   of the queue are woken together.
 * - **Fences.** A writer's grows with each write, a reader's is that of the last write.
 * - **A writer whose time ran out** is told to those who come after it: `lease.abandoned`, until the next writer was told.
 * - **Cancelling** a request leaves no place in the queue behind.
 *
 * @example
 * ```js
 * import { createClient } from 'redis';
 * import { RedisReadWriteLock } from 'mortise/redis';
 *
 * const client = await createClient({ url: process.env.REDIS_URL }).connect();
 * const table = new RedisReadWriteLock('table', { client });
 *
 * const one = await table.acquireRead();
 * const another = await table.acquireRead();
 * await table.tryAcquireWrite(); // => null
 * await Promise.all([one.release(), another.release()]);
 * await table.writer.withLock((lease) => lease.held); // => true
 *
 * await client.close();
 * ```
 */
export class RedisReadWriteLock {
  readonly name: string;
  readonly reader: RedisReadWriteFace;
  readonly writer: RedisReadWriteFace;

  /**
   * Asks the server nothing yet.
   * @throws TypeError or RangeError that names the option; UnsupportedError for options of a `RedisLock`, or for a URL
   * if no client is installed.
   */
  constructor(name: string, options: RedisOptions) {
    checkOptions(options);
    const { prefix } = options;
    refuseOptionsOfLock(options, 'a read-write lock is on one server; a RedisLock may be on several');
    const key = keyOf('read-write-lock', name, prefix);
    const it = clientOf(options);
    const description = `the read-write lock '${name}'`;
    const terms = termsOf(options, { kind: 'pool', description, key });
    const contest = contestAt(it, key);
    const store = new PoolStore(it.driver, description, key, ALL, true);
    this.name = name;
    this.reader = new RedisReadWriteFace(name, contest, { store, terms, weight: 1 }, store);
    this.writer = new RedisReadWriteFace(name, contest, { store, terms, weight: ALL }, store);
  }

  /** `reader.acquire` */
  acquireRead(options?: AcquireOptions): Promise<RemoteLease> {
    return this.reader.acquire(options);
  }

  /** `reader.tryAcquire` */
  tryAcquireRead(options?: AcquireOptions): Promise<RemoteLease | null> {
    return this.reader.tryAcquire(options);
  }

  /** `writer.acquire` */
  acquireWrite(options?: AcquireOptions): Promise<RemoteLease> {
    return this.writer.acquire(options);
  }

  /** `writer.tryAcquire` */
  tryAcquireWrite(options?: AcquireOptions): Promise<RemoteLease | null> {
    return this.writer.tryAcquire(options);
  }
}
