/** Everything that the locks on Redis have in common, once it is said what is asked of the server. */
import { asyncDeadline } from '../deadline.js';
import type { AcquireOptions, Lock, LockInfo } from '../lock.js';
import { checkBody, withLease } from '../with-lock.js';
import type { Wish } from './contender.js';
import { contenderOf, type Contest } from './contest.js';
import type { Hold } from './hold.js';
import { RedisLease } from './lease.js';
import { inside, reenter } from './reentry.js';
import { Slots } from './slots.js';

export abstract class ExpiringLock<O extends AcquireOptions = AcquireOptions> implements Lock {
  readonly name: string;
  readonly #contest: Contest;
  readonly #isReentrant: boolean;
  readonly #holds = new Slots<Hold>();

  protected constructor(name: string, contest: Contest, isReentrant: boolean) {
    this.name = name;
    this.#contest = contest;
    this.#isReentrant = isReentrant;
  }

  /** Checks what is particular to this kind of lock. */
  protected abstract wish(options: O | undefined): Wish;
  abstract isLocked(): Promise<boolean>;
  abstract info(): Promise<LockInfo>;

  /**
   * Waits for the lock, in the order in which clients came. Whoever gives up, by `timeout` or `signal`, leaves no place
   * in the queue behind, and an answer that comes too late is given back.
   * @throws LockTimeoutError, `signal.reason`; BackendUnavailableError if the server refuses, or does not answer for as
   * long as the lock's ttl.
   */
  async acquire(options?: O): Promise<RedisLease> {
    const deadline = asyncDeadline(options);
    const wish = this.wish(options);
    const entered = this.#reenter(wish);
    if (entered !== undefined) return entered;
    if (wish.terms.ready !== undefined) {
      await wish.terms.ready();
      deadline.signal?.throwIfAborted();
    }
    return this.#granted(await contenderOf(this.#contest).acquire(wish, deadline), wish);
  }

  /**
   * The lock if it is free now and nobody waits for it, or null.
   * @throws BackendUnavailableError if the server refuses or does not answer; `signal.reason` if it is aborted already.
   */
  async tryAcquire(options?: O): Promise<RedisLease | null> {
    asyncDeadline(options);
    const wish = this.wish(options);
    const entered = this.#reenter(wish);
    if (entered !== undefined) return entered;
    if (wish.terms.ready !== undefined) await wish.terms.ready();
    const hold = await contenderOf(this.#contest).try(wish);
    return hold && this.#granted(hold, wish);
  }

  /**
   * Runs `body` with the lock held, and releases it when the promise of `body` settles. Returns or throws what `body`
   * did, whatever comes of the release. `lease.signal` tells the body to stop when the lock is lost.
   */
  async withLock<T>(body: (lease: RedisLease) => T | Promise<T>, options?: O): Promise<T> {
    if (!this.#isReentrant) return withLease(this, body, options);
    checkBody(body);
    return withLease(
      this,
      (lease) => inside(this.#contest, RedisLease.holdOf(lease), () => body(lease)),
      options,
    );
  }

  /** Is it held through this object? */
  async isOwned(): Promise<boolean> {
    for (const hold of this.#holds) if (hold.isHeld) return true;
    return false;
  }

  #reenter({ store }: Wish): RedisLease | undefined {
    const hold = this.#isReentrant ? reenter(this.#contest) : undefined;
    return hold && new RedisLease(hold, store.description);
  }

  #granted(hold: Hold, { store }: Wish): RedisLease {
    this.#holds.add(hold);
    const ends: (() => void)[] = [];
    for (const driver of this.#contest.drivers) if (driver.keep !== undefined) ends.push(driver.keep());
    hold.onEnd = () => {
      this.#holds.delete(hold);
      for (const end of ends) end();
    };
    return new RedisLease(hold, store.description);
  }
}
