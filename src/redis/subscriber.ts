/**
 * How a client hears that its turn has come: one connection for all its waits, opened with the first and closed a while
 * after the last.
 */
import { clearTimeout, setTimeout } from '../parker/clock.js';
import { Slots, type Slotted } from '../remote/slots.js';
import type { Driver } from './driver.js';

/** Milliseconds for which the connection stays open without a wait: to open one costs many times what a wait does. */
const LINGER = 1000;

interface Wait extends Slotted {
  readonly wake: (message: string) => void;
}

export class Subscriber {
  readonly #driver: Driver;
  readonly #channel: string;
  readonly #waits = new Slots<Wait>();
  /** By token. No waits themselves, for the reason of `Slots`. */
  readonly #places = new Map<string, number>();
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

  /**
   * Calls `wake` whenever the token is told that its turn has come, with what else the message says; returns what ends that.
   */
  wait(token: string, wake: (message: string) => void): () => void {
    clearTimeout(this.#linger);
    const wait: Wait = { wake, place: -1 };
    this.#waits.add(wait);
    this.#places.set(token, wait.place);
    return () => {
      this.#places.delete(token);
      this.#waits.delete(wait);
      if (this.#waits.size > 0 || this.#close === null) return;
      clearTimeout(this.#linger);
      this.#linger = setTimeout(() => this.#closeIfUnused(), LINGER).unref();
    };
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
    const place = this.#places.get(token);
    if (place !== undefined) this.#waits.at(place)?.wake(more.join(' '));
  }

  #closeIfUnused(): void {
    if (this.#waits.size > 0 || this.#close === null) return;
    this.#isListening = false;
    this.#close().catch(() => {});
    this.#close = null;
  }
}
