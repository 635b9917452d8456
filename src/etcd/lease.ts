/** What a holder of a lock on etcd has in hand. */
import type { Hold } from '../remote/hold.js';
import { RemoteLease } from '../remote/lease.js';
import { checkExtension } from './options.js';
import type { Place } from './place-in-queue.js';
import { isCreatedAt, type Compare } from './protocol.js';

/**
 * The proof of a hold at etcd. It is released by `release()` or by leaving the block of an `await using` declaration;
 * `using` releases it as well, without waiting for etcd. Until then it is renewed, unless it was asked not to be.
 */
export class EtcdLease extends RemoteLease {
  readonly #ttl: () => number;
  /** The key that exists for as long as it is held. */
  readonly key: string;
  /**
   * The condition that it is held still, for transactions of your own (`compare`), in the form of etcd's JSON gateway. With it
   * a write is refused by etcd itself once the lock is lost, so that not even a holder that was stopped for an hour can
   * do harm. For other clients: the create revision of {@link key} is {@link createRevision}.
   */
  readonly isOwner: Compare;
  /** Of {@link key}; the fence of an exclusive hold. */
  readonly createRevision: string;

  /** @internal */
  constructor(hold: Hold, lock: string, { key, revision }: Place) {
    super(hold, lock);
    this.key = key;
    this.createRevision = String(revision);
    this.isOwner = isCreatedAt(key, revision ?? 0n);
    this.#ttl = () => hold.ttl;
  }

  /**
   * Holds on for `ttl` ms from now; renewals go on with it.
   * @throws LockLostError if it has been lost or released; BackendUnavailableError if etcd does not answer in time;
   * TypeError or RangeError for a bad `ttl`.
   */
  override async extend(ttl: number = this.#ttl()): Promise<void> {
    checkExtension(ttl);
    await super.extend(ttl);
  }
}
