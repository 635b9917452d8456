/** What the locks on etcd have in common, once it is said how their places stand to each other. */
import type { AcquireOptions } from '../lock.js';
import { ExpiringLock } from '../remote/expiring-lock.js';
import type { Terms } from '../remote/hold.js';
import type { Contact } from './contact.js';
import { EtcdLease } from './lease.js';
import type { Place } from './place-in-queue.js';
import type { QueueStore } from './queue-store.js';

/** Milliseconds: an election of another leader takes one or two seconds. */
const RELEASE_PATIENCE = 5000;

export abstract class QueuedLock<
  S extends QueueStore,
  O extends AcquireOptions = AcquireOptions,
> extends ExpiringLock<O, EtcdLease> {
  protected readonly store: S;
  protected readonly terms: Terms;

  protected constructor(
    name: string,
    contact: Contact,
    {
      store,
      queue,
      terms,
      isReentrant = false,
    }: { store: S; queue: string; terms: Terms; isReentrant?: boolean },
  ) {
    super(
      name,
      contact.contest(queue),
      isReentrant,
      (hold, lock) => new EtcdLease(hold, lock, store.placeOf(hold.token) as Place),
    );
    this.store = store;
    this.terms = {
      ...terms,
      releasePatience: RELEASE_PATIENCE,
      renewal: (hold, own, sentAt) => store.renewal(hold, own, sentAt),
    };
  }

  /** Does anybody hold it? @throws BackendUnavailableError */
  async isLocked(): Promise<boolean> {
    return (await this.store.line()).length > 0;
  }
}
