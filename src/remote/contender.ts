/**
 * How one client contends for one lock. The server decides between the clients, first come, first served; this decides
 * between the requests of the client in the same way, so that the foremost of them alone stands in the server's queue.
 *
 * A release only wakes: whoever is woken takes the lock by its own request, so nobody ever holds what it
 * does not know of. One request of a token is under way at a time, and whatever becomes of it, the token is either a
 * hold in somebody's hand or forgotten (`forget.ts`).
 */
import type { Deadline } from '../deadline.js';
import { LockTimeoutError } from '../errors.js';
import { after } from '../parker/after.js';
import { now } from '../parker/clock.js';
import { onAbort } from '../primitives/abort.js';
import { answerWithin, unavailable, within } from './failure.js';
import { forget } from './forget.js';
import { Hold, type Terms } from './hold.js';
import { Request } from './request.js';
import type { Attempt, Refused, Store } from './store.js';

/** Milliseconds after which a waiter looks again that cannot listen, and after an error. */
const LOOK_UNHEARD = 100;
/** Milliseconds for which a place in the queue is taken back that may not have been left: see `queue.lua`. */
const PATIENCE = 3000;

/** What somebody wants of the lock. */
export interface Wish {
  readonly store: Store;
  readonly terms: Terms;
  readonly weight: number;
}

/** How waiters of a client are woken. */
interface Waker {
  /** Does every message reach it that is published from now on? */
  readonly isListening: boolean;
  add(request: Request): void;
  /** It was refused, and waits. */
  keep(request: Request): void;
  delete(request: Request): void;
  open(): Promise<void>;
}

/** Who contends: what its tokens are, how it is woken, and whether it can still ask. */
export interface Side {
  nextToken(weight: number): string;
  /** Null: nobody is woken, or the store says how: see {@link Refused.watch}. */
  readonly waker: Waker | null;
  /** Milliseconds after which a waiter looks by itself at the latest: a message may have been lost. */
  readonly look: number;
  /** Might the same request succeed later? */
  isPassing(error: unknown): boolean;
  isClosed(): boolean;
}

/** Why there is nothing to grant yet. */
type Outcome = Omit<Refused, 'taken' | 'reason'>;

/** An attempt that is under way. */
interface Asked {
  readonly token: string;
  readonly sentAt: number;
  /**
   * Was there a waker that listened? Whoever releases after the attempt wakes one who listens by then, and whoever does before it
   * leaves the lock free for it.
   */
  readonly isHeard: boolean;
  readonly answer: Promise<Attempt>;
}

export class Contender {
  readonly #side: Side;
  readonly #onIdle: () => void;
  readonly #queue: Request[] = [];

  constructor(side: Side, onIdle: () => void) {
    this.#side = side;
    this.#onIdle = onIdle;
  }

  /** One attempt, which passes nobody who waits. */
  async try(wish: Wish): Promise<Hold | null> {
    if (this.#queue.length > 0) return null;
    try {
      return await this.#tryOnce(wish);
    } finally {
      if (this.#queue.length === 0) this.#onIdle();
    }
  }

  async #tryOnce(wish: Wish): Promise<Hold | null> {
    const { store, terms, weight } = wish;
    const token = this.#side.nextToken(weight);
    const sentAt = now();
    let attempt: Attempt;
    try {
      attempt = await answerWithin(store.attempt(token, terms.ttl, false), terms.ttl);
    } catch (error) {
      forget(store, token, terms.ttl);
      throw unavailable(`${store.description} was not acquired`, error);
    }
    if (!attempt.taken) {
      if (attempt.failure === undefined) return null;
      throw unavailable(`${store.description} was not acquired`, attempt.failure);
    }
    const hold = new Hold(store, token, terms, sentAt, attempt);
    if (hold.isWorthGranting) return hold;
    hold.expire();
    forget(store, token, terms.ttl);
    return null;
  }

  acquire(wish: Wish, deadline: Deadline): Promise<Hold> {
    if (deadline.timeout === 0) return this.#acquireNow(wish, deadline);
    const { timeout, signal } = deadline;
    // Sent first of all: the rest can be got ready while the server works. But to listen to a signal may fail.
    const asked = this.#queue.length === 0 && signal === undefined ? this.#send(wish) : undefined;
    return new Promise((resolve, reject) => {
      const request = new Request(wish, resolve, reject);
      if (signal) request.forgetSignal = onAbort(signal, () => this.#cancel(request, signal.reason as Error));
      if (timeout !== Infinity)
        request.stopTimer = after(timeout, () =>
          this.#cancel(request, timedOut(wish.store, timeout, request.last)),
        );
      this.#queue.push(request);
      if (this.#queue.length === 1) this.#serve(request, asked);
    });
  }

  async #acquireNow(wish: Wish, { signal }: Deadline): Promise<Hold> {
    const hold = await this.try(wish);
    if (signal?.aborted) void hold?.leave().catch(() => {});
    signal?.throwIfAborted();
    if (hold === null) throw timedOut(wish.store, 0, undefined);
    return hold;
  }

  #cancel(request: Request, reason: Error): void {
    const place = this.#queue.indexOf(request);
    if (place > 0) this.#queue.splice(place, 1);
    // Of an attempt that is under way, what it gets is taken back once more when its outcome is known: this may be
    // carried out before it.
    else forget(request.wish.store, request.token, PATIENCE);
    request.fail(reason);
    request.rouse?.();
  }

  #send({ store, terms, weight }: Wish, token: string = this.#side.nextToken(weight)): Asked {
    const { waker } = this.#side;
    const isHeard = waker === null || waker.isListening;
    const sentAt = now();
    return { token, sentAt, isHeard, answer: store.attempt(token, terms.ttl, true) };
  }

  /** The foremost request, until it is settled. Nearly always that is after its first attempt. */
  #serve(request: Request, asked = this.#send(request.wish)): void {
    this.#settle(request, asked, (outcome) => {
      if (outcome === undefined || request.isSettled) this.#serveNext(request);
      else void this.#contend(request, asked, outcome).then(() => this.#serveNext(request));
    });
  }

  #serveNext(request: Request): void {
    this.#side.waker?.delete(request);
    this.#queue.shift();
    const head = this.#queue[0];
    if (head === undefined) this.#onIdle();
    else this.#serve(head);
  }

  /** What comes after a first attempt that settled nothing. */
  async #contend(request: Request, asked: Asked, outcome: Outcome): Promise<void> {
    let last: Outcome | undefined = outcome;
    let failingSince: number | undefined;
    while (last !== undefined && !request.isSettled) {
      failingSince = last.failure && (failingSince ?? asked.sentAt);
      if (failingSince === undefined) await this.#rest(request, last, asked.isHeard);
      else if (this.#isHopeless(request, last.failure, failingSince)) this.#giveUp(request, last.failure);
      else await request.sleep(LOOK_UNHEARD);
      if (request.isSettled) return;
      const next = this.#send(request.wish, last.isSpent ? undefined : asked.token);
      last = await new Promise<Outcome | undefined>((resolve) => this.#settle(request, next, resolve));
      asked = next;
    }
  }

  /** Grants what the attempt gives that was just sent, or tells why there is nothing to grant. */
  #settle(request: Request, asked: Asked, tell: (outcome: Outcome | undefined) => void): void {
    const { store, terms } = request.wish;
    const { token } = asked;
    if (request.token !== token) {
      const { waker } = this.#side;
      if (request.token !== '') waker?.delete(request);
      request.token = token;
      waker?.add(request);
    }
    request.isWoken = false;
    within(
      asked.answer,
      terms.ttl,
      (attempt) => tell(this.#judge(request, asked, attempt)),
      (failure) => {
        // It may have been carried out, so the same token asks again.
        if (request.isSettled) forget(store, token, terms.ttl);
        tell({ lookAfter: 0, failure });
      },
    );
  }

  #judge(request: Request, { token, sentAt }: Asked, attempt: Attempt): Outcome | undefined {
    const { store, terms } = request.wish;
    if (!request.isSettled) {
      if (!attempt.taken) return (request.last = attempt);
      const hold = new Hold(store, token, terms, sentAt, attempt);
      // Looked at last of all: on a busy machine its time may have run out since the answer was read.
      if (hold.isWorthGranting) {
        request.grant(hold);
        return undefined;
      }
      hold.expire();
    }
    forget(store, token, terms.ttl);
    return { lookAfter: 0, isSpent: true };
  }

  async #rest(request: Request, outcome: Outcome, isHeard: boolean): Promise<void> {
    const { waker, look } = this.#side;
    waker?.keep(request);
    // What was published until it listens is lost, so it looks again then.
    if (!isHeard) void waker?.open().then(() => waker.isListening && request.wake());
    const endWatch = outcome.watch?.(() => request.wake());
    await request.sleep(Math.min(outcome.lookAfter + 1, isHeard ? look : LOOK_UNHEARD));
    endWatch?.();
  }

  #isHopeless({ wish }: Request, failure: unknown, since: number): boolean {
    return this.#side.isClosed() || !this.#side.isPassing(failure) || now() - since >= wish.terms.ttl;
  }

  #giveUp(request: Request, failure: unknown): void {
    const { wish, token } = request;
    forget(wish.store, token, wish.terms.ttl);
    request.fail(unavailable(`${wish.store.description} was not acquired`, failure));
  }
}

function timedOut(store: Store, timeout: number, last: Refused | undefined): LockTimeoutError {
  const when = timeout === 0 ? 'at the first attempt' : `within ${timeout} ms`;
  const by = last === undefined || last.reason === '' ? '' : `; ${last.reason}`;
  return new LockTimeoutError(`${store.description} was not acquired ${when}${by}`);
}
