/**
 * Renews a hold when a third of its time has gone, tries again until it has expired, and says so when it has. One timer,
 * which keeps no process alive: a lock that nobody is left to release may as well expire.
 */
import { MAX_DELAY } from '../parker/after.js';
import { clearTimeout, now, setTimeout } from '../parker/clock.js';
import { answerWithin, pause } from './failure.js';
import { LATENESS, setAlarm } from './alarm.js';
import type { Terms } from './hold.js';

/** What a hold lets its renewal see and do. */
export interface Renewable {
  readonly ttl: number;
  readonly remaining: number;
  prolong(): Promise<void>;
  expire(): void;
}

/** How a hold is renewed. */
export interface Renews {
  /** Begins, or begins anew with the time that is left now. */
  start(): void;
  /** Lets it expire. */
  cease(): void;
  stop(): void;
  /** Why it has expired. */
  readonly reason: string;
  /** If it is done elsewhere: learns what has been proven by now. */
  catchUp?(): void;
  /** If it is done elsewhere: has it prolonged there. */
  extend?(ttl: number): Promise<void>;
}

export class Renewal implements Renews {
  readonly #hold: Renewable;
  #autoExtend: boolean;
  readonly #renewUntil: number;
  #timer: NodeJS.Timeout | undefined;
  #stopAlarm: (() => void) | undefined;
  /** Counts the times that it was started or stopped: a renewal that began before has nothing to say. */
  #round = 0;
  #failure = '';

  constructor(hold: Renewable, { autoExtend, maxHold }: Terms, since: number) {
    this.#hold = hold;
    this.#autoExtend = autoExtend;
    this.#renewUntil = since + maxHold;
  }

  /** Sets the timer anew for the time that is left. */
  start(): void {
    this.#round++;
    this.#failure = 'the event loop was blocked';
    const { remaining, ttl } = this.#hold;
    const untilRenewal = Math.max(0, remaining - (ttl * 2) / 3);
    if (this.#autoExtend && now() + untilRenewal < this.#renewUntil) this.#setRenewal(untilRenewal);
    else this.#set(remaining, () => this.#hold.expire());
  }

  /** Lets it expire. */
  cease(): void {
    this.#autoExtend = false;
    this.start();
  }

  stop(): void {
    this.#round++;
    this.#clear();
  }

  /** Why it has expired. */
  get reason(): string {
    if (!this.#autoExtend) return 'its time was up';
    if (now() >= this.#renewUntil) return 'it was held for as long as maxHold allows';
    return `it could not be renewed in time: ${this.#failure}`;
  }

  async #renew(): Promise<void> {
    const round = ++this.#round;
    const { ttl } = this.#hold;
    this.#failure = 'the server did not answer';
    this.#set(this.#hold.remaining, () => this.#hold.expire());
    while (this.#round === round) {
      try {
        await answerWithin(this.#hold.prolong(), ttl / 6);
        if (this.#round === round) this.start();
        return;
      } catch (error) {
        // What is lost has stopped this. Anything else may pass.
        this.#failure = (error as Error).message;
        await pause(Math.min(Math.max(ttl / 30, 5), 1000));
      }
    }
  }

  /** Too early does no harm, and most holds are released long before. */
  #setRenewal(delay: number): void {
    const renew = (): void => void this.#renew();
    if (delay < 2 * LATENESS) {
      this.#set(delay, renew);
      return;
    }
    this.#clear();
    this.#stopAlarm = setAlarm(renew, delay - LATENESS);
  }

  #set(delay: number, callback: () => void): void {
    this.#clear();
    // Whole milliseconds: timers of the same delay share a list, and the others are costly.
    this.#timer = setTimeout(callback, Math.min(Math.floor(delay), MAX_DELAY)).unref();
  }

  #clear(): void {
    clearTimeout(this.#timer);
    this.#stopAlarm?.();
  }
}
