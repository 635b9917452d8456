/** In which order locks are acquired one inside the other: what can deadlock one day, though it did not yet. */
import { threadId } from 'node:worker_threads';
import { currentScope, holdsOf, siteOf, textOf } from './task.js';
import type { Mode, Subject } from './wait.js';

/** One order, and where it was seen first. */
export interface LockOrder {
  readonly first: string;
  readonly second: string;
  readonly thread: number;
  /** The stack of the call that asked for the second one, while the first was held. */
  readonly where: string | undefined;
}

/** Two locks that are acquired in both orders: those who do so at the same time may wait for each other for ever. */
export interface OrderInversionReport {
  /** The names, as in `orders[0]`. */
  readonly names: readonly [string, string];
  /** The order that was seen before, and the other one. */
  readonly orders: readonly [LockOrder, LockOrder];
}

/** An order as threads tell each other of it. */
export interface OrderNews {
  readonly ids: readonly [string, string];
  readonly backends: readonly (string | undefined)[];
  readonly isReading: readonly [boolean, boolean];
  readonly order: LockOrder;
}

/** A program that makes up names as it goes would fill the memory: the oldest are forgotten. */
const MAX_ORDERS = 10_000;

export class Orders {
  readonly #known = new Map<string, OrderNews>();
  /** Pairs that were told of. */
  readonly #told = new Set<string>();
  readonly #onNew: (news: OrderNews) => void;
  readonly #onInversion: (report: OrderInversionReport, backends: OrderNews['backends']) => void;

  /** `onNew`: this thread has seen an order for the first time. */
  constructor(
    onNew: (news: OrderNews) => void,
    onInversion: (report: OrderInversionReport, backends: OrderNews['backends']) => void,
  ) {
    this.#onNew = onNew;
    this.#onInversion = onInversion;
  }

  /** This thread asks for a lock while its task holds others. Semaphores do not count: their order rarely matters. */
  note(subject: Subject, mode: Mode): void {
    if (mode === 'semaphore') return;
    for (const hold of holdsOf(currentScope())) {
      if (hold.mode === 'semaphore' || hold.subject.id === subject.id) continue;
      const ids = [hold.subject.id, subject.id] as const;
      if (this.#known.has(keyOf(ids))) continue;
      const order = {
        first: hold.subject.name,
        second: subject.name,
        thread: threadId,
        where: textOf(siteOf()),
      };
      const backends = [hold.subject.backend, subject.backend];
      const news = { ids, backends, isReading: [hold.mode === 'read', mode === 'read'], order } as const;
      this.#onNew(news);
      this.learn(news);
    }
  }

  /** Some thread has seen it. */
  learn(news: OrderNews): void {
    const key = keyOf(news.ids);
    if (this.#known.has(key)) return;
    this.#known.set(key, news);
    if (this.#known.size > MAX_ORDERS) this.#known.delete(this.#known.keys().next().value as string);
    const [first, second] = news.ids;
    const reverse = this.#known.get(keyOf([second, first]));
    if (reverse !== undefined) this.#compare(reverse, news);
  }

  #compare(before: OrderNews, { isReading, order }: OrderNews): void {
    // Of two who both read a lock, none waits for the other.
    const [first, second] = before.isReading;
    if ((first && isReading[1]) || (second && isReading[0])) return;
    const names = [before.order.first, before.order.second] as const;
    const pair = keyOf([...before.ids].sort() as [string, string]);
    if (this.#told.has(pair)) return;
    if (this.#told.size === MAX_ORDERS) this.#told.clear();
    this.#told.add(pair);
    this.#onInversion({ names, orders: [before.order, order] }, before.backends);
  }
}

function keyOf([first, second]: readonly [string, string]): string {
  return JSON.stringify([first, second]);
}
