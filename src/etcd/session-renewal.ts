/** How a hold on etcd is renewed: with the session that it hangs on, up to a limit of its own. */
import { MAX_DELAY } from '../parker/after.js';
import { clearTimeout, now, setTimeout } from '../parker/clock.js';
import { provenUntil, type Hold, type Terms } from '../remote/hold.js';
import type { Renews } from '../remote/renewal.js';
import type { Attendance } from './attendance.js';
import type { Place } from './place-in-queue.js';

export class SessionRenewal implements Renews {
  readonly #hold: Hold;
  readonly #place: Place;
  readonly #autoExtend: boolean;
  readonly #expel: () => void;
  /** From then on it is not renewed any more. */
  readonly #renewUntil: number;
  /** By then it is over, whatever the session says. */
  #limit: number;
  #timer: NodeJS.Timeout | undefined;
  #isStopped = false;
  readonly #leave: () => void;

  /** `expel` takes the lock from a holder whose time is up, while the session goes on. */
  constructor(
    hold: Hold,
    place: Place,
    { ttl, autoExtend, maxHold }: Terms,
    sentAt: number,
    expel: () => void,
    attendance: Attendance,
  ) {
    this.#hold = hold;
    this.#place = place;
    this.#autoExtend = autoExtend;
    this.#expel = expel;
    this.#limit = autoExtend ? Infinity : provenUntil(sentAt, ttl);
    this.#renewUntil = sentAt + maxHold;
    place.onProven = () => this.start();
    place.onLost = (reason) => hold.lose(reason);
    this.#leave = attendance.attend(place);
  }

  get #until(): number {
    return Math.min(this.#place.until, this.#limit);
  }

  start(): void {
    if (this.#isStopped) return;
    clearTimeout(this.#timer);
    this.#hold.prove(this.#until);
    const next = this.#limit === Infinity ? this.#renewUntil : this.#limit;
    if (next === Infinity) return;
    // Whole milliseconds: timers of the same delay share a list, and the others are costly.
    const delay = Math.min(Math.max(0, Math.ceil(next - now())), MAX_DELAY);
    this.#timer = setTimeout(() => this.#ring(), delay).unref();
  }

  #ring(): void {
    if (this.#until <= now()) this.#hold.expire();
    else if (this.#limit === Infinity && this.#renewUntil <= now()) this.cease();
    else this.start();
  }

  cease(): void {
    this.#limit = Math.min(this.#limit, this.#place.until);
    this.start();
  }

  stop(): void {
    if (this.#isStopped) return;
    const isOver = this.#until <= now();
    this.#isStopped = true;
    clearTimeout(this.#timer);
    this.#leave();
    this.#place.onProven = this.#place.onLost = undefined;
    if (isOver) this.#expel();
  }

  get reason(): string {
    if (this.#place.lost !== undefined) return this.#place.lost;
    if (now() >= this.#renewUntil) return 'it was held for as long as maxHold allows';
    if (this.#limit <= now()) return 'its time was up';
    return 'its lease could not be renewed in time: the event loop was blocked';
  }

  /** From now on it hangs on a session that lasts as long. */
  async extend(ttl: number): Promise<void> {
    const sentAt = now();
    await this.#place.move(ttl);
    if (!this.#autoExtend && !this.#isStopped) this.#limit = provenUntil(sentAt, ttl);
  }
}
