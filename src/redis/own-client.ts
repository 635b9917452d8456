/** What a client of our own is, whichever package it is of. */
import type { Driver } from './driver.js';

/** It is connecting, or connected. */
export interface OwnClient {
  readonly driver: Driver;
  /** Rejects if the first attempt fails, and then it is of no use. Later ones are repeated for ever. */
  readonly connected: Promise<unknown>;
  /** Does it keep the process alive? At first it does. */
  setReferenced(isReferenced: boolean): void;
  close(): void;
}

const LONGEST_DELAY = 1000;

/** Milliseconds until it tries to connect again. */
export function retryDelay(retries: number): number {
  return Math.min(50 * retries, LONGEST_DELAY);
}
