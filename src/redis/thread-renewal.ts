/**
 * Renewal in another thread, which goes on while the event loop of the holder is blocked. The thread has the hold as well,
 * with a connection of its own, and renews it as any other; here is told what it has proven. Whoever asks whether it is
 * still held reads what was told at once, without a turn of the event loop.
 */
import { LockError, LockLostError } from '../errors.js';
import { MAX_DELAY } from '../parker/after.js';
import { clearTimeout, now, setTimeout } from '../parker/clock.js';
import { provenUntil, type Terms } from '../remote/hold.js';
import { keeper, type Answer, type StorePlan } from './keeper.js';
import { checkTerms, type TermOptions } from './options.js';
import type { Renewable, Renews } from '../remote/renewal.js';

/** The terms that options ask for; in a thread, what is renewed is `store` at their URLs. @throws as {@link checkTerms} */
export function termsOf(options: TermOptions, store: Omit<StorePlan, 'urls' | 'ttl'>): Terms {
  const terms = checkTerms(options);
  if (options.renewIn !== 'thread' || !terms.autoExtend) return terms;
  const { url, urls = [url] } = options as { url?: string | URL; urls?: (string | URL)[] };
  const plan = { ...store, urls: urls.map((it) => new URL(String(it)).href), ttl: terms.ttl };
  return {
    ...terms,
    ready: () => keeper.ready(),
    renewal: (hold, _, sentAt) => new ThreadRenewal(hold, plan, terms, sentAt),
  };
}

let questions = 0;

/** What a hold has of a renewal, and what it has to let it do. */
interface Kept extends Renewable {
  readonly token: string;
  readonly remaining: number;
  prove(until: number): void;
  lose(reason: string): void;
}

class ThreadRenewal implements Renews {
  readonly #hold: Kept;
  readonly #pending = new Map<number, { cap: number; settle: (failure: unknown) => void }>();
  #timer: NodeJS.Timeout | undefined;
  #isKept = true;

  constructor(hold: Kept, plan: StorePlan, { ttl, autoExtend, maxHold }: Terms, sentAt: number) {
    this.#hold = hold;
    const { token } = hold;
    keeper.add(token, this);
    keeper.tell({ do: 'keep', token, plan, terms: { ttl, autoExtend, maxHold }, sentAt });
  }

  /** Rings when the time is up that is proven by now. */
  start(): void {
    clearTimeout(this.#timer);
    const delay = Math.min(this.#hold.remaining, MAX_DELAY);
    this.#timer = setTimeout(() => this.#ring(), delay).unref();
  }

  #ring(): void {
    // What is left may have been renewed meanwhile.
    if (this.#hold.remaining > 0) this.start();
    else this.#hold.expire();
  }

  stop(): void {
    clearTimeout(this.#timer);
    this.#leave();
  }

  cease(): void {
    this.#leave();
    this.start();
  }

  get reason(): string {
    return this.#isKept ? 'the thread that renews it did not in time' : 'its time was up';
  }

  catchUp(): void {
    keeper.catchUp();
  }

  /** Until it is answered, no more is proven than what it asks for: it may have been carried out. */
  extend(ttl: number): Promise<void> {
    const { token } = this.#hold;
    const question = ++questions;
    const cap = provenUntil(now(), ttl);
    keeper.tell({ do: 'extend', token, ttl, question });
    return new Promise((resolve, reject) => {
      const settle = (failure: unknown): void =>
        failure === null ? resolve() : reject(LockError.from(failure) ?? (failure as Error));
      this.#pending.set(question, { cap, settle });
    });
  }

  hear(answer: Answer): void {
    if ('question' in answer) {
      const { settle } = this.#pending.get(answer.question) ?? {};
      this.#pending.delete(answer.question);
      settle?.(answer.failure);
    } else if ('lost' in answer) this.#hold.lose(answer.lost);
    else {
      const caps = [...this.#pending.values()].map(({ cap }) => cap);
      this.#hold.prove(Math.min(answer.until, ...caps));
    }
  }

  #leave(): void {
    this.#isKept = false;
    keeper.remove(this.#hold.token);
    for (const { settle } of this.#pending.values()) settle(new LockLostError('it was released'));
  }
}
