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
import { clearTimeout, now, setTimeout } from '../parker/clock.js';
import { onAbort } from '../primitives/abort.js';
import { answerWithin, unavailable } from './failure.js';
import { forget } from './forget.js';
import { Hold, type Terms } from './hold.js';
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
  readonly isListening: boolean;
  wait(token: string, wake: () => void): () => void;
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

interface Request {
  readonly wish: Wish;
  readonly grant: (hold: Hold) => void;
  readonly fail: (reason: Error) => void;
  token: string;
  isSettled: boolean;
  /** Told that its turn has come, since the last attempt began. */
  isWoken: boolean;
  /** Ends its sleep. */
  rouse: () => void;
  last: Refused | undefined;
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

  async acquire(wish: Wish, { timeout, signal }: Deadline): Promise<Hold> {
    if (timeout === 0) {
      const hold = await this.try(wish);
      if (signal?.aborted) void hold?.leave().catch(() => {});
      signal?.throwIfAborted();
      if (hold === null) throw timedOut(wish.store, 0, undefined);
      return hold;
    }
    return new Promise((resolve, reject) => {
      const request: Request = {
        wish,
        grant: (hold) => {
          end();
          resolve(hold);
        },
        fail: (reason) => {
          end();
          reject(reason);
        },
        token: '',
        isSettled: false,
        isWoken: false,
        rouse: () => {},
        last: undefined,
      };
      const forgetSignal = signal && onAbort(signal, () => this.#cancel(request, signal.reason as Error));
      const stopTimer =
        timeout === Infinity
          ? undefined
          : after(timeout, () => this.#cancel(request, timedOut(wish.store, timeout, request.last)));
      const end = (): void => {
        request.isSettled = true;
        stopTimer?.();
        forgetSignal?.();
      };
      this.#queue.push(request);
      if (this.#queue.length === 1) void this.#serve();
    });
  }

  #cancel(request: Request, reason: Error): void {
    const place = this.#queue.indexOf(request);
    if (place > 0) this.#queue.splice(place, 1);
    // Of an attempt that is under way, what it gets is taken back once more when its outcome is known: this may be
    // carried out before it.
    else forget(request.wish.store, request.token, PATIENCE);
    request.fail(reason);
    request.rouse();
  }

  async #serve(): Promise<void> {
    for (let head = this.#queue[0]; head !== undefined; head = this.#queue[0]) {
      await this.#contend(head);
      this.#queue.shift();
    }
    this.#onIdle();
  }

  /** Until the request is settled. */
  async #contend(request: Request): Promise<void> {
    const { waker } = this.#side;
    let failingSince: number | undefined;
    let endWait: (() => void) | undefined;
    const begin = (): void => {
      endWait?.();
      request.token = this.#side.nextToken(request.wish.weight);
      endWait = waker?.wait(request.token, () => wake(request));
    };
    begin();
    while (!request.isSettled) {
      // Whoever releases after this attempt wakes a listener, and whoever does before it leaves the lock free for it.
      const isHeard = waker === null || waker.isListening;
      const askedAt = now();
      const outcome = await this.#ask(request);
      if (outcome === undefined || request.isSettled) break;
      if (outcome.isSpent) begin();
      failingSince = outcome.failure && (failingSince ?? askedAt);
      if (failingSince === undefined) await this.#rest(request, outcome, isHeard);
      else if (this.#isHopeless(request, outcome.failure, failingSince))
        this.#giveUp(request, outcome.failure);
      else await sleep(request, LOOK_UNHEARD);
    }
    endWait?.();
  }

  /** One attempt. Grants what it gives, or returns why there is nothing to grant. */
  async #ask(request: Request): Promise<Outcome | undefined> {
    const { token } = request;
    const { store, terms } = request.wish;
    request.isWoken = false;
    const sentAt = now();
    let attempt: Attempt;
    try {
      attempt = await answerWithin(store.attempt(token, terms.ttl, true), terms.ttl);
    } catch (error) {
      // It may have been carried out, so the same token asks again.
      if (request.isSettled) forget(store, token, terms.ttl);
      return { lookAfter: 0, failure: error as Error };
    }
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
    // What was published until it listens is lost, so it looks again then.
    if (!isHeard) void waker?.open().then(() => waker.isListening && wake(request));
    const endWatch = outcome.watch?.(() => wake(request));
    await sleep(request, Math.min(outcome.lookAfter + 1, isHeard ? look : LOOK_UNHEARD));
    endWatch?.();
  }

  #isHopeless({ wish }: Request, failure: unknown, since: number): boolean {
    return this.#side.isClosed() || !this.#side.isPassing(failure) || now() - since >= wish.terms.ttl;
  }

  #giveUp({ wish, token, fail }: Request, failure: unknown): void {
    forget(wish.store, token, wish.terms.ttl);
    fail(unavailable(`${wish.store.description} was not acquired`, failure));
  }
}

function wake(request: Request): void {
  request.isWoken = true;
  request.rouse();
}

/** Until the time is up, its turn has come, or it is settled. Keeps the process alive. */
async function sleep(request: Request, milliseconds: number): Promise<void> {
  if (request.isWoken || request.isSettled) return;
  let timer: NodeJS.Timeout | undefined;
  await new Promise<void>((resolve) => {
    timer = setTimeout(resolve, milliseconds);
    request.rouse = resolve;
  });
  clearTimeout(timer);
}

function timedOut(store: Store, timeout: number, last: Refused | undefined): LockTimeoutError {
  const when = timeout === 0 ? 'at the first attempt' : `within ${timeout} ms`;
  const by = last === undefined || last.reason === '' ? '' : `; ${last.reason}`;
  return new LockTimeoutError(`${store.description} was not acquired ${when}${by}`);
}
