/** Everything that the locks that expire have in common, once it is said what is asked of the server. */
import { PLAIN, asyncDeadline } from '../deadline.js';
import type { AcquireOptions, Lock, LockInfo } from '../lock.js';
import { checkBody, withLease } from '../with-lock.js';
import type { Wish } from './contender.js';
import { contenderOf, type Contest } from './contest.js';
import type { Hold } from './hold.js';
import { RemoteLease } from './lease.js';
import { inside, reenter } from './reentry.js';
import { Slots } from './slots.js';

export abstract class ExpiringLock<
  O extends AcquireOptions = AcquireOptions,
  L extends RemoteLease = RemoteLease,
> implements Lock {
  readonly name: string;
  readonly #contest: Contest;
  readonly #isReentrant: boolean;
  readonly #lease: (hold: Hold, lock: string) => L;
  readonly #holds = new Slots<Hold>();

  protected constructor(
    name: string,
    contest: Contest,
    isReentrant: boolean,
    lease: (hold: Hold, lock: string) => L,
  ) {
    this.name = name;
    this.#contest = contest;
    this.#isReentrant = isReentrant;
    this.#lease = lease;
  }

  /** What an acquire may be told. */
  protected readonly known: object = PLAIN;

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
  async acquire(options?: O): Promise<L> {
    const deadline = asyncDeadline(options, this.known);
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
  async tryAcquire(options?: O): Promise<L | null> {
    asyncDeadline(options, this.known);
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
  async withLock<T>(body: (lease: L) => T | Promise<T>, options?: O): Promise<T> {
    if (!this.#isReentrant) return withLease(this, body, options);
    checkBody(body);
    return withLease(
      this,
      (lease) => inside(this.#contest, RemoteLease.holdOf(lease), () => body(lease)),
      options,
    );
  }

  /** Is it held through this object? */
  async isOwned(): Promise<boolean> {
    for (const hold of this.#holds) if (hold.isHeld) return true;
    return false;
  }

  #reenter({ store }: Wish): L | undefined {
    const hold = this.#isReentrant ? reenter(this.#contest) : undefined;
    return hold && this.#lease(hold, store.description);
  }

  #granted(hold: Hold, { store }: Wish): L {
    this.#holds.add(hold);
    const ends: (() => void)[] = [];
    for (const it of this.#contest.mainstays) if (it.keep !== undefined) ends.push(it.keep());
    hold.onEnd = () => {
      this.#holds.delete(hold);
      for (const end of ends) end();
    };
    return this.#lease(hold, store.description);
  }
}
