/** What one acquire waits for: it is granted, or fails, once. */
import { clearTimeout, setTimeout } from '../parker/clock.js';
import type { Wish } from './contender.js';
import type { Hold } from './hold.js';
import type { Slotted } from './slots.js';
import type { Refused } from './store.js';

export class Request implements Slotted {
  place = -1;
  readonly wish: Wish;
  readonly #resolve: (hold: Hold) => void;
  readonly #reject: (reason: Error) => void;
  /** Of its last attempt. */
  token = '';
  isSettled = false;
  /** Told that its turn has come, since the last attempt began. */
  isWoken = false;
  last: Refused | undefined;
  /** Ends its sleep. */
  rouse: (() => void) | undefined;
  stopTimer: (() => void) | undefined;
  forgetSignal: (() => void) | undefined;

  constructor(wish: Wish, resolve: (hold: Hold) => void, reject: (reason: Error) => void) {
    this.wish = wish;
    this.#resolve = resolve;
    this.#reject = reject;
  }

  wake(): void {
    this.isWoken = true;
    this.rouse?.();
  }

  grant(hold: Hold): void {
    this.#end();
    this.#resolve(hold);
  }

  fail(reason: Error): void {
    this.#end();
    this.#reject(reason);
  }

  #end(): void {
    this.isSettled = true;
    this.stopTimer?.();
    this.forgetSignal?.();
  }

  /** Until the time is up, its turn has come, or it is settled. Keeps the process alive. */
  async sleep(milliseconds: number): Promise<void> {
    if (this.isWoken || this.isSettled) return;
    let timer: NodeJS.Timeout | undefined;
    await new Promise<void>((resolve) => {
      timer = setTimeout(resolve, milliseconds);
      this.rouse = resolve;
    });
    clearTimeout(timer);
  }
}
