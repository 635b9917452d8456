/** Takes back what a token may have got, or may yet get, when nobody wants it any more. */
import { now } from '../parker/clock.js';
import { answerWithin, pause } from './failure.js';
import type { Store } from './store.js';

/** Milliseconds between two tries: the first, and at the most. */
const FIRST_PAUSE = 50;
const LONGEST_PAUSE = 2000;

/** Tells the server in the background, for at most `ttl` ms: then whatever it was has expired. Never rejects. */
export function forget(store: Store, token: string, ttl: number): void {
  for (const part of store.parts ?? [store]) void tell(part, token, ttl);
}

async function tell(store: Store, token: string, ttl: number): Promise<void> {
  const until = now() + ttl;
  for (let rest = FIRST_PAUSE; ; rest = Math.min(rest * 2, LONGEST_PAUSE)) {
    const left = until - now();
    if (left <= 0) return;
    try {
      await answerWithin(store.release(token), left);
      return;
    } catch {
      await pause(Math.min(rest, left));
    }
  }
}
