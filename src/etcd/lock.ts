import type { LockInfo } from '../lock.js';
import type { Wish } from '../remote/contender.js';
import { checkBoolean } from '../remote/terms.js';
import { clientOf } from './clients.js';
import { Contact } from './contact.js';
import { QueuedLock } from './etcd-lock.js';
import { lockKeys, tagOf } from './keys.js';
import { checkOptions, checkTerms, prefixOf, type EtcdOptions } from './options.js';
import { entryOf } from './queue-store.js';
import { TurnStore } from './turn-store.js';

export type EtcdLockOptions = EtcdOptions & {
  /** May a `withLock` body acquire it again? Default false. */
  reentrant?: boolean;
};

/**
 * A lock that one holder has at a time, kept by an etcd cluster, of which more than half have to agree before it is anybody's:
 * no failover gives it twice. Whoever uses the same name and prefix excludes each other, and so does
 * `etcdctl lock mortise/lock/NAME`.
 *
 * - **It expires**, `ttl` ms after the holder was last heard of. It is renewed while it is held; `lease.signal` aborts
 *   when that fails, before it can expire. Put `lease.isOwner` into your transactions, or pass `lease.fence` to what you
 *   protect: a holder that was paused for longer than the ttl does not know yet that it has lost it.
 * - **Order.** First in, first out between clients, by etcd's revisions, and within a client by arrival. A client that
 *   dies while it waits delays those behind it until its lease has expired.
 * - **Cancelling.** A request that times out or is aborted leaves the queue at once.
 * - **Failures.** A member that does not answer is asked no more until others fail. Requests whose answer was lost are
 *   repeated, and recognised; those whose outcome stays unknown are taken back, even if they are carried out late.
 *
 * The queue of keys by create revision, each waiting for the one before it, is the recipe of etcd's `concurrency.Mutex`.
 *
 * @example
 * ```js
 * import { EtcdLock } from 'mortise/etcd';
 *
 * const endpoints = process.env.ETCD_ENDPOINTS.split(',');
 * const lock = new EtcdLock('invoices', { endpoints, ttl: 10_000 });
 *
 * const result = await lock.withLock(async (lease) => {
 *   lease.signal.throwIfAborted(); // between two steps of the work
 *   return lease.fence > 0n;
 * }, { timeout: 5000 });
 * result; // => true
 * ```
 */
export class EtcdLock extends QueuedLock<TurnStore> {
  readonly #wish: Wish;

  /** Asks etcd nothing yet. @throws TypeError or RangeError that names the option. */
  constructor(name: string, options: EtcdLockOptions) {
    checkOptions(options);
    const { reentrant = false } = options;
    checkBoolean(reentrant, 'options.reentrant');
    const keys = lockKeys(prefixOf(options), tagOf(name));
    const terms = checkTerms(options);
    const contact = Contact.of(clientOf(options));
    const store = new TurnStore(contact, `the lock '${name}'`, keys);
    super(name, contact, { store, queue: keys.queue, terms, isReentrant: reentrant });
    this.#wish = { store, terms: this.terms, weight: 1 };
  }

  protected wish(): Wish {
    return this.#wish;
  }

  /**
   * Who holds it, since when by that one's own clock, unless it had to wait, and how many clients wait.
   * @throws BackendUnavailableError
   */
  async info(): Promise<LockInfo> {
    const [holder, ...waiters] = await this.store.line();
    const { owner = null, since = null } = holder === undefined ? {} : entryOf(holder);
    return {
      name: this.name,
      owner,
      acquiredAt: since,
      ttl: holder === undefined ? null : await this.store.left(holder),
      holders: holder === undefined ? 0 : 1,
      waiters: waiters.length,
    };
  }
}
