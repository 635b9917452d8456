/** What a holder of a lock on servers has in hand. */
import type { Lease } from '../lock.js';
import type { Hold } from './hold.js';
import { checkTtl } from './terms.js';
import { tether, type Remains, type Tether } from './tether.js';

/**
 * The proof of a hold that expires. It is released by `release()` or by leaving the block of an `await using`
 * declaration; `using` releases it as well, without waiting for the server. Until then it is renewed, unless it was
 * asked not to be. If it is garbage-collected while held, a process warning with code `MORTISE_GUARD_LOST` names the
 * lock, and it is left to expire.
 */
export class RemoteLease implements Lease {
  readonly #hold: Hold;
  readonly #remains: Remains;
  /** Null once it is released. */
  #tether: Tether | null;

  /** @internal */
  constructor(hold: Hold, lock: string) {
    this.#hold = hold;
    this.#remains = { hold, lock, place: -1 };
    this.#tether = tether();
    this.#tether.remains.add(this.#remains);
  }

  /** @internal */
  static holdOf(lease: RemoteLease): Hold {
    return lease.#hold;
  }

  /** Is it proven to be held now? */
  get held(): boolean {
    return this.#tether !== null && this.#hold.isHeld;
  }

  /** Grows with every exclusive hold of the lock, even when the server has forgotten it; a semaphore's is `0n`. */
  get fence(): bigint {
    return this.#hold.fence;
  }

  /** True if the last exclusive holder's time ran out before it released: check the data before you trust it. */
  get abandoned(): boolean {
    return this.#hold.abandoned;
  }

  get signal(): AbortSignal {
    return this.#hold.signal;
  }

  get remaining(): number {
    return this.#tether === null ? 0 : this.#hold.remaining;
  }

  /**
   * Holds on for `ttl` ms from now; renewals go on with it.
   * @throws LockLostError if it has been lost or released; BackendUnavailableError if the server does not answer in time;
   * TypeError or RangeError for a bad `ttl`.
   */
  async extend(ttl: number = this.#hold.ttl): Promise<void> {
    checkTtl(ttl, 'ttl');
    await this.#hold.extend(ttl);
  }

  /**
   * True if this call released it, false if it had been released or lost before.
   * @throws BackendUnavailableError if Redis does not answer within two seconds, etcd within five. It is told in the background until
   * the lock has expired.
   */
  release(): Promise<boolean> {
    if (this.#tether === null) return Promise.resolve(false);
    this.#tether.remains.delete(this.#remains);
    this.#tether = null;
    return this.#hold.leave();
  }

  [Symbol.dispose](): void {
    this.release().catch(() => {});
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.release();
  }
}

/** Makes leases of locks that have nothing to add. */
export function plainLease(hold: Hold, lock: string): RemoteLease {
  return new RemoteLease(hold, lock);
}
