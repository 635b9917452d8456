import type { AcquireOptions, LockInfo } from '../lock.js';
import type { Wish } from '../remote/contender.js';
import type { Terms } from '../remote/hold.js';
import { clientOf } from './clients.js';
import { Contact } from './contact.js';
import { QueuedLock } from './etcd-lock.js';
import { readWriteKeys, tagOf, type KeyRing } from './keys.js';
import type { EtcdLease } from './lease.js';
import { checkOptions, checkTerms, prefixOf, type EtcdOptions } from './options.js';
import { decoded } from './protocol.js';
import { entryOf } from './queue-store.js';
import { TurnStore } from './turn-store.js';

/** One side of an {@link EtcdReadWriteLock}: a lock like any other. */
export class EtcdReadWriteFace extends QueuedLock<TurnStore> {
  readonly #wish: Wish;
  readonly #writers: string;

  /** @internal */
  constructor(name: string, contact: Contact, keys: KeyRing, writers: string, terms: Terms) {
    const store = new TurnStore(contact, `the read-write lock '${name}'`, keys);
    super(name, contact, { store, queue: keys.queue, terms });
    this.#wish = { store, terms: this.terms, weight: 1 };
    this.#writers = writers;
  }

  protected wish(): Wish {
    return this.#wish;
  }

  /** Who writes, how many hold it and how many clients wait. @throws BackendUnavailableError */
  async info(): Promise<LockInfo> {
    const line = await this.store.line();
    const firstWriter = line.findIndex(({ key }) => decoded(key).startsWith(this.#writers));
    const [first] = line;
    const isWritten = firstWriter === 0;
    const readers = firstWriter === -1 ? line.length : firstWriter;
    const holders = isWritten ? 1 : readers;
    const { owner = null, since = null } = isWritten && first !== undefined ? entryOf(first) : {};
    return {
      name: this.name,
      owner,
      acquiredAt: since,
      ttl: first === undefined ? null : await this.store.left(first),
      holders,
      waiters: line.length - holders,
    };
  }
}

/**
 * Many readers or one writer, kept by an etcd cluster.
 *
 * - **Each hold expires** with its lease, and is renewed as an {@link EtcdLock} is.
 * - **Order.** First in, first out, by etcd's revisions: readers wait for the last writer before them, writers for
 *   everybody before them.
 * - **Fences.** A writer's grows with each write, a reader's is that of the last write.
 * - **A writer whose time ran out** is told to those who come after it: `lease.abandoned`, until a writer who was told has
 *   released.
 * - **Cancelling** a request leaves no place in the queue behind.
 *
 * @example
 * ```js
 * import { EtcdReadWriteLock } from 'mortise/etcd';
 *
 * const table = new EtcdReadWriteLock('table', { endpoints: process.env.ETCD_ENDPOINTS.split(',') });
 *
 * const one = await table.acquireRead();
 * const another = await table.acquireRead();
 * await table.tryAcquireWrite(); // => null
 * await Promise.all([one.release(), another.release()]);
 * await table.writer.withLock((lease) => lease.held); // => true
 * ```
 */
export class EtcdReadWriteLock {
  readonly name: string;
  readonly reader: EtcdReadWriteFace;
  readonly writer: EtcdReadWriteFace;

  /** Asks etcd nothing yet. @throws TypeError or RangeError that names the option. */
  constructor(name: string, options: EtcdOptions) {
    checkOptions(options);
    const { reader, writer } = readWriteKeys(prefixOf(options), tagOf(name));
    const terms = checkTerms(options);
    const contact = Contact.of(clientOf(options));
    this.name = name;
    this.reader = new EtcdReadWriteFace(name, contact, reader, reader.ahead, terms);
    this.writer = new EtcdReadWriteFace(name, contact, writer, reader.ahead, terms);
  }

  /** `reader.acquire` */
  acquireRead(options?: AcquireOptions): Promise<EtcdLease> {
    return this.reader.acquire(options);
  }

  /** `reader.tryAcquire` */
  tryAcquireRead(options?: AcquireOptions): Promise<EtcdLease | null> {
    return this.reader.tryAcquire(options);
  }

  /** `writer.acquire` */
  acquireWrite(options?: AcquireOptions): Promise<EtcdLease> {
    return this.writer.acquire(options);
  }

  /** `writer.tryAcquire` */
  tryAcquireWrite(options?: AcquireOptions): Promise<EtcdLease | null> {
    return this.writer.tryAcquire(options);
  }
}
