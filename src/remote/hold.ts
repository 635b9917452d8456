/** One hold of a lock that expires: until when it is proven, how it is prolonged, and how it ends. */
import { LockLostError } from '../errors.js';
import { now } from '../parker/clock.js';
import { forget } from './forget.js';
import { answerWithin, unavailable, within } from './failure.js';
import { Renewal, type Renews } from './renewal.js';
import type { Slotted } from './slots.js';
import type { Store, Taken } from './store.js';

/** Milliseconds that a release waits for its answer at the most, unless the store is worth more. */
const RELEASE_PATIENCE = 2000;

/** How long a hold lasts. */
export interface Terms {
  readonly ttl: number;
  readonly autoExtend: boolean;
  /** Milliseconds after which it is not renewed any more. */
  readonly maxHold: number;
  /** Milliseconds that a release waits for its answer at the most. */
  readonly releasePatience?: number;
  /** If the renewal is another one than usual: resolves when it can be made, */
  readonly ready?: () => Promise<void>;
  /** and makes it. */
  readonly renewal?: (hold: Hold, terms: Terms, sentAt: number) => Renews;
}

/**
 * What is taken off the time that a hold is proven: clocks of client and server run at different speeds, and the server
 * counts in whole milliseconds (Redlock, Salvatore Sanfilippo).
 */
function drift(ttl: number): number {
  return ttl * 0.01 + 2;
}

/** Until when a hold is proven that was asked for at `sentAt`: the server counts from when it read the request, later. */
export function provenUntil(sentAt: number, ttl: number): number {
  return sentAt + ttl - drift(ttl);
}

export class Hold implements Slotted {
  place = -1;
  readonly token: string;
  readonly fence: bigint;
  readonly abandoned: boolean;
  /** Called once, when it is released or lost; then with the reason. */
  onEnd: (lost?: string) => void = () => {};
  /** Called when it is known until when it is proven. */
  onProven: (until: number) => void = () => {};
  ttl: number;
  readonly #store: Store;
  readonly #releasePatience: number;
  readonly #renewal: Renews;
  #until: number;
  #state: 'held' | 'released' | 'lost' = 'held';
  #entries = 1;
  #controller: AbortController | null = null;
  #loss: LockLostError | null = null;
  /** What extensions will have proven that were sent and not outdated by the answer to a later one, oldest first. */
  #sent: { readonly until: number }[] = [];

  constructor(store: Store, token: string, terms: Terms, sentAt: number, { fence, abandoned }: Taken) {
    this.token = token;
    this.fence = fence;
    this.abandoned = abandoned;
    this.ttl = terms.ttl;
    this.#store = store;
    this.#releasePatience = terms.releasePatience ?? RELEASE_PATIENCE;
    this.#until = provenUntil(sentAt, terms.ttl);
    this.#renewal = terms.renewal?.(this, terms, sentAt) ?? new Renewal(this, terms, sentAt);
    this.#renewal.start();
  }

  /** Until when it is proven, by this side's clock. */
  get until(): number {
    return this.#until;
  }

  /** Milliseconds for which it is still proven; 0 once it is lost or released. */
  get remaining(): number {
    if (this.#state !== 'held') return 0;
    const left = this.#until - now();
    if (left > 0) return left;
    if (this.#renewal.catchUp === undefined) return 0;
    this.#renewal.catchUp();
    // What is told later must not bring it back: it has been seen to be lost.
    if (this.#until <= now()) this.expire();
    return Math.max(0, this.#until - now());
  }

  get isHeld(): boolean {
    return this.remaining > 0;
  }

  /** Is enough left to hand it out? That takes a moment too: as much is spared for it as for the drift of clocks. */
  get isWorthGranting(): boolean {
    return this.remaining > drift(this.ttl);
  }

  /** Aborts when the hold is lost. */
  get signal(): AbortSignal {
    this.#noticeExpiry();
    if (this.#controller === null) {
      this.#controller = new AbortController();
      if (this.#loss !== null) this.#controller.abort(this.#loss);
    }
    return this.#controller.signal;
  }

  /** Nobody can release it any more. */
  leaveToExpire(): void {
    if (this.#state === 'held') this.#renewal.cease();
  }

  /** One more lease of the same hold. */
  enter(): this {
    this.#entries++;
    return this;
  }

  /** One lease less; the last one releases. True if it was held until now. */
  leave(): Promise<boolean> {
    if (--this.#entries === 0) return this.#release();
    this.#noticeExpiry();
    return Promise.resolve(this.#state === 'held');
  }

  /** @throws LockLostError; BackendUnavailableError if there is no answer before the hold has expired. */
  async extend(ttl: number): Promise<void> {
    this.#noticeExpiry();
    if (this.#state !== 'held') throw this.#notHeld();
    this.ttl = ttl;
    const prolonged = this.#renewal.extend?.(ttl) ?? this.prolong();
    this.prove(Math.min(this.#until, provenUntil(now(), ttl)));
    this.#renewal.start(); // The time may be shorter by now.
    try {
      await answerWithin(prolonged, this.remaining);
    } catch (error) {
      if (error instanceof LockLostError) throw error;
      throw unavailable(`${this.#store.description} was not extended`, error);
    }
    // Since the answer was read it may have been released: nothing would ever stop what begins now.
    if (this.isHeld) this.#renewal.start();
  }

  /** One attempt to hold on. Rejects with whatever went wrong; a late answer counts all the same. */
  async prolong(): Promise<void> {
    const proof = { until: provenUntil(now(), this.ttl) };
    this.#sent.push(proof);
    // A shorter time than was proven so far counts from when the server reads it, which may be at once.
    this.prove(Math.min(this.#until, proof.until));
    let kept: boolean;
    try {
      kept = await this.#store.extend(this.token, this.ttl);
    } catch (error) {
      this.#sent = this.#sent.filter((it) => it !== proof);
      throw error;
    }
    // Once it could not be proven any more, it stays lost: somebody may have seen it so.
    this.#noticeExpiry();
    if (this.#state !== 'held') throw this.#notHeld();
    if (!kept) throw this.#lose('somebody else has it, or the server lost it');
    const place = this.#sent.indexOf(proof);
    if (place === -1) return;
    // Those that were sent after it, and perhaps for a shorter time, may have been carried out by now.
    const until = Math.min(...this.#sent.slice(place).map((it) => it.until));
    this.#sent.splice(0, place + 1);
    this.prove(Math.max(this.#until, until));
  }

  /** It is proven until then, no less and no more. */
  prove(until: number): void {
    this.#until = until;
    this.onProven(until);
  }

  /** Its time is up. */
  expire(): void {
    this.lose(this.#renewal.reason);
  }

  lose(reason: string): void {
    if (this.#state === 'held') this.#lose(reason);
  }

  /** If the server does not answer, it will be told in the background until the lock has expired. */
  #release(): Promise<boolean> {
    const left = this.#noticeExpiry();
    if (this.#state !== 'held') return Promise.resolve(false);
    // Sent first of all: what is to be done here can be done while the server works.
    const released = this.#store.release(this.token);
    this.#end('released');
    return new Promise((resolve, reject) => {
      within(released, Math.min(left, this.#releasePatience), resolve, (error) => {
        forget(this.#store, this.token, this.ttl);
        reject(unavailable(`${this.#store.description} was not released yet`, error));
      });
    });
  }

  /** The timers may be late: the event loop was blocked. Returns the milliseconds that are left. */
  #noticeExpiry(): number {
    const left = this.remaining;
    if (left === 0) this.expire();
    return left;
  }

  #end(state: 'released' | 'lost', reason?: string): void {
    this.#state = state;
    this.#renewal.stop();
    this.onEnd(reason);
  }

  #lose(reason: string): LockLostError {
    this.#loss = new LockLostError(`${this.#store.description} was lost: ${reason}`);
    // It is left to expire at the server, so that the next holder is told.
    this.#end('lost', reason);
    this.#controller?.abort(this.#loss);
    return this.#loss;
  }

  #notHeld(): Error {
    return this.#loss ?? new LockLostError(`${this.#store.description} has been released`);
  }
}
