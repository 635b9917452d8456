import { WEIGHTED, checkInteger } from '../deadline.js';
import type { LockInfo, SemaphoreAcquireOptions } from '../lock.js';
import type { Wish } from '../remote/contender.js';
import { clientOf } from './clients.js';
import { Contact } from './contact.js';
import { QueuedLock } from './etcd-lock.js';
import { semaphoreKeys, tagOf } from './keys.js';
import { MAX_PERMITS, checkOptions, checkTerms, prefixOf, type EtcdOptions } from './options.js';
import { PermitStore } from './permit-store.js';

export type EtcdSemaphoreOptions = EtcdOptions & {
  /** How many there are: an integer of 1 at least. All who use the name must say the same. */
  permits: number;
};

/**
 * Permits that many machines share, kept by an etcd cluster: at most so many are held at a time, one or several by each holder.
 *
 * - **Each hold expires** with its lease, and is renewed as an {@link EtcdLock} is.
 * - **Order.** Strictly first in, first out, by etcd's revisions, also by weight: a large request is never starved by
 *   small ones.
 * - **Cancelling** a request leaves no place in the queue behind.
 * - **Fences** there are none (`0n`): holders overlap. `lease.isOwner` is as good as any.
 * - **Permits.** Others who say another number find a NameConflictError while somebody holds or waits.
 *
 * @example
 * ```js
 * import { EtcdSemaphore } from 'mortise/etcd';
 *
 * const endpoints = process.env.ETCD_ENDPOINTS.split(',');
 * const renders = new EtcdSemaphore('renders', { endpoints, permits: 4 });
 *
 * const lease = await renders.acquire({ weight: 3 });
 * await renders.available(); // => 1
 * await renders.withLock(() => 'rendered'); // => 'rendered'
 * await lease.release(); // => true
 * ```
 */
export class EtcdSemaphore extends QueuedLock<PermitStore, SemaphoreAcquireOptions> {
  /** How many permits there are. */
  readonly permits: number;

  /** Asks etcd nothing yet. @throws TypeError or RangeError that names the option. */
  constructor(name: string, options: EtcdSemaphoreOptions) {
    checkOptions(options);
    const { permits } = options;
    checkInteger(permits, 'options.permits', 1, MAX_PERMITS);
    const keys = semaphoreKeys(prefixOf(options), tagOf(name));
    const terms = checkTerms(options);
    const contact = Contact.of(clientOf(options));
    const store = new PermitStore(contact, `the semaphore '${name}'`, keys, permits);
    super(name, contact, { store, queue: keys.queue, terms });
    this.permits = permits;
  }

  protected override readonly known: object = WEIGHTED;

  protected wish(options: SemaphoreAcquireOptions | undefined): Wish {
    const weight = options?.weight ?? 1;
    checkInteger(weight, 'options.weight', 1, this.permits);
    return { store: this.store, terms: this.terms, weight };
  }

  /** Permits that are free now. @throws BackendUnavailableError */
  async available(): Promise<number> {
    return this.permits - this.store.holdersOf(await this.store.line()).used;
  }

  /** How many hold it and how many clients wait. @throws BackendUnavailableError */
  async info(): Promise<LockInfo> {
    const line = await this.store.line();
    const { holders } = this.store.holdersOf(line);
    const [first] = holders;
    return {
      name: this.name,
      owner: null,
      acquiredAt: null,
      ttl: first === undefined ? null : await this.store.left(first),
      holders: holders.length,
      waiters: line.length - holders.length,
    };
  }
}
