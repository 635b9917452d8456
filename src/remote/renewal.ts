/**
 * Renews a hold when a third of its time has gone, tries again until it has expired, and says so when it has. One timer,
 * which keeps no process alive: a lock that nobody is left to release may as well expire.
 */
import { MAX_DELAY } from '../parker/after.js';
import { clearTimeout, now, setTimeout } from '../parker/clock.js';
import { answerWithin, pause } from './failure.js';
import { LATENESS, setAlarm, stopAlarm, type Alarm } from './alarm.js';
import type { Terms } from './hold.js';

/** What a hold lets its renewal see and do. */
export interface Renewable {
  readonly ttl: number;
  /** Until when it is proven, by the clock of `now`. */
  readonly until: number;
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

export class Renewal implements Renews, Alarm {
  place = -1;
  due = 0;
  readonly #hold: Renewable;
  #autoExtend: boolean;
  readonly #renewUntil: number;
  #timer: NodeJS.Timeout | undefined;
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
    this.#clear();
    const time = now();
    const { until, ttl } = this.#hold;
    const renewAt = Math.max(time, until - (ttl * 2) / 3);
    if (!this.#autoExtend || renewAt >= this.#renewUntil) this.#setEnd();
    else if (renewAt - time < 2 * LATENESS) this.#setTimer(renewAt - time, () => this.ring());
    else {
      // Too early does no harm, and most holds are released long before.
      this.due = renewAt - LATENESS;
      setAlarm(this);
    }
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

  ring(): void {
    void this.#renew();
  }

  async #renew(): Promise<void> {
    const round = ++this.#round;
    const { ttl } = this.#hold;
    this.#failure = 'the server did not answer';
    this.#clear();
    this.#setEnd();
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

  #setEnd(): void {
    this.#setTimer(this.#hold.until - now(), () => this.#hold.expire());
  }

  #setTimer(delay: number, callback: () => void): void {
    // Whole milliseconds: timers of the same delay share a list, and the others are costly.
    this.#timer = setTimeout(callback, Math.max(0, Math.min(Math.floor(delay), MAX_DELAY))).unref();
  }

  #clear(): void {
    clearTimeout(this.#timer);
    stopAlarm(this);
  }
}
