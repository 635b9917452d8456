/**
 * How a client hears that its turn has come: one connection for all its waits, opened with the first and closed a while
 * after the last.
 */
import { clearTimeout, setTimeout } from '../parker/clock.js';
import { Slots, type Slotted } from '../remote/slots.js';
import type { Driver } from './driver.js';

/** Milliseconds for which the connection stays open without a wait: to open one costs many times what a wait does. */
const LINGER = 1000;

/** Somebody who waits to be told that its turn has come. */
export interface Wait extends Slotted {
  readonly token: string;
  /** `more`: what else the message says. */
  wake(more: string): void;
}

export class Subscriber {
  readonly #driver: Driver;
  readonly #channel: string;
  /** Those who have just asked. Most are served at once, and a table of tokens costs each of them more than all else here. */
  readonly #asking = new Slots<Wait>();
  /** By token: those who were refused. */
  readonly #waiting = new Map<string, Wait>();
  #isListening = false;
  #opening: Promise<void> | null = null;
  #close: (() => Promise<unknown>) | null = null;
  #linger: NodeJS.Timeout | undefined;

  constructor(driver: Driver, channel: string) {
    this.#driver = driver;
    this.#channel = channel;
  }

  /** Does every message reach it that is published from now on? */
  get isListening(): boolean {
    return this.#isListening;
  }

  /** From now on it is woken whenever its token is told that its turn has come. */
  add(wait: Wait): void {
    clearTimeout(this.#linger);
    this.#asking.add(wait);
  }

  /** It will be here for a while, and is found at once. */
  keep(wait: Wait): void {
    clearTimeout(this.#linger);
    this.#asking.delete(wait);
    this.#waiting.set(wait.token, wait);
  }

  delete(wait: Wait): void {
    if (wait.place === -1) this.#waiting.delete(wait.token);
    else this.#asking.delete(wait);
    if (this.#isUsed || this.#close === null) return;
    clearTimeout(this.#linger);
    this.#linger = setTimeout(() => this.#closeIfUnused(), LINGER).unref();
  }

  get #isUsed(): boolean {
    return this.#asking.size > 0 || this.#waiting.size > 0;
  }

  /** Resolves when it listens, or cannot. The next call tries again. */
  open(): Promise<void> {
    if (this.#isListening) return Promise.resolve();
    this.#opening ??= this.#open().finally(() => (this.#opening = null));
    return this.#opening;
  }

  async #open(): Promise<void> {
    try {
      this.#close = await this.#driver.subscribe(this.#channel, (message) => this.#wake(message));
      this.#isListening = true;
    } catch {
      // Those who wait look by themselves.
    }
    this.#closeIfUnused();
  }

  #wake(message: string): void {
    const [token = '', ...more] = message.split(' ');
    const wait = this.#waiting.get(token) ?? this.#asking.find((it) => it.token === token);
    wait?.wake(more.join(' '));
  }

  #closeIfUnused(): void {
    if (this.#isUsed || this.#close === null) return;
    this.#isListening = false;
    this.#close().catch(() => {});
    this.#close = null;
  }
}
