/**
 * How a client hears that its turn has come: one connection for all its waits, opened with the first and closed a while
 * after the last.
 */
import { clearTimeout, setTimeout } from '../parker/clock.js';
import type { Driver } from './driver.js';

/** Milliseconds for which the connection stays open without a wait: to open one costs many times what a wait does. */
const LINGER = 1000;

export class Subscriber {
  readonly #driver: Driver;
  readonly #channel: string;
  readonly #waits = new Map<string, () => void>();
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

  /** Calls `wake` whenever the token is told that its turn has come; returns what ends that. */
  wait(token: string, wake: () => void): () => void {
    clearTimeout(this.#linger);
    this.#waits.set(token, wake);
    return () => {
      this.#waits.delete(token);
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
      this.#close = await this.#driver.subscribe(this.#channel, (token) => this.#waits.get(token)?.());
      this.#isListening = true;
    } catch {
      // Those who wait look by themselves.
    }
    this.#closeIfUnused();
  }

  #closeIfUnused(): void {
    if (this.#waits.size > 0 || this.#close === null) return;
    this.#isListening = false;
    this.#close().catch(() => {});
    this.#close = null;
  }
}
