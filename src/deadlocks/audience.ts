/** Who listens at a manager, or at one of its scopes. */
import { EventEmitter } from 'node:events';
import { show } from '../deadline.js';
import { detector } from './detector.js';
import type { OrderInversionReport } from './order.js';
import type { DeadlockReport, LongWaitReport } from './report.js';
import type { Watcher } from './watcher.js';

/** The events of a manager, and what their listeners get. */
export interface DeadlockEvents {
  /** A deadlock, once. */
  deadlock: [report: DeadlockReport];
  /** Somebody has waited for longer than `deadlockThreshold`, once. */
  'long-wait': [report: LongWaitReport];
  /** With `orderInversions`: two locks are acquired in both orders, once for each two. */
  'order-inversion': [report: OrderInversionReport];
}

type Listener<E extends keyof DeadlockEvents> = (...told: DeadlockEvents[E]) => void;

const EVENTS: readonly string[] = ['deadlock', 'long-wait', 'order-inversion'];

export class Audience {
  readonly #watcher: Watcher | undefined;
  readonly #prefix: string;
  readonly #emitter: EventEmitter = new EventEmitter();

  /** `watcher` undefined: nobody looks, and nothing will ever be heard. */
  constructor(watcher: Watcher | undefined, prefix: string) {
    this.#watcher = watcher;
    this.#prefix = prefix;
  }

  on<E extends keyof DeadlockEvents>(event: E, listener: Listener<E>, once: boolean): void {
    checkListener(event, listener);
    if (once) this.#emitter.once(event, listener);
    else this.#emitter.on(event, listener);
    this.#attend();
  }

  off<E extends keyof DeadlockEvents>(event: E, listener: Listener<E>): void {
    checkListener(event, listener);
    this.#emitter.off(event, listener);
    this.#attend();
  }

  /** Is one of these names ours? */
  isConcernedBy(names: readonly string[]): boolean {
    return names.some((name) => name.startsWith(this.#prefix));
  }

  /** What a listener throws is an uncaught exception, and no error of a lock; the others are told all the same. */
  tell(event: string, names: readonly string[], report: unknown): void {
    if (!this.isConcernedBy(names)) return;
    // Those of `once` take themselves off.
    for (const listener of this.#emitter.rawListeners(event))
      try {
        listener.call(this.#emitter, report);
      } catch (error) {
        process.nextTick(() => {
          throw error;
        });
      }
    this.#attend();
  }

  #attend(): void {
    if (this.#watcher === undefined) return;
    const { audiences } = this.#watcher;
    if (this.#emitter.eventNames().length > 0) audiences.add(this);
    else audiences.delete(this);
    detector().listen(this.#watcher);
  }
}

function checkListener(event: unknown, listener: unknown): void {
  if (!EVENTS.includes(event as string))
    throw new RangeError(`event must be 'deadlock', 'long-wait' or 'order-inversion', not ${show(event)}`);
  if (typeof listener !== 'function')
    throw new TypeError(`listener must be a function, not ${show(listener)}`);
}
