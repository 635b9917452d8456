/** In which order locks are acquired one inside the other: what can deadlock one day, though it did not yet. */
import { threadId } from 'node:worker_threads';
import type { NotedHold, Site } from './task.js';
import { currentScope, holdsOf, textOf } from './task.js';
import type { Mode, Subject } from './wait.js';
import type { Watcher } from './watcher.js';

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
  readonly isReading: readonly [boolean, boolean];
  readonly order: LockOrder;
}

/** A program that makes up names as it goes would fill the memory: the oldest are forgotten. */
const MAX_ORDERS = 10_000;

export class Orders {
  readonly #known = new Map<string, OrderNews>();
  /** Pairs that were told of, by their ids in order. */
  readonly #told = new Set<string>();
  readonly #tell: (news: OrderNews) => void;

  /** `tell`: is called when this thread sees an order for the first time. */
  constructor(tell: (news: OrderNews) => void) {
    this.#tell = tell;
  }

  /** This thread asks for a lock while its task holds others. Semaphores do not count: their order rarely matters. */
  note(subject: Subject, mode: Mode, site: Site, watcher: Watcher): void {
    if (mode === 'semaphore') return;
    for (const hold of holdsOf(currentScope())) {
      if (hold.mode === 'semaphore' || hold.subject.id === subject.id) continue;
      const ids = [hold.subject.id, subject.id] as const;
      const isReading = [hold.mode === 'read', mode === 'read'] as const;
      const reverse = this.#known.get(keyOf([ids[1], ids[0]]));
      const isKnown = this.#known.has(keyOf(ids));
      if (isKnown && reverse === undefined) continue;
      const order = orderOf(hold, subject, site);
      if (!isKnown) {
        const news = { ids, isReading, order };
        this.learn(news);
        this.#tell(news);
      }
      if (reverse !== undefined) this.#check(reverse, isReading, order, watcher);
    }
  }

  /** Another thread has seen it. */
  learn(news: OrderNews): void {
    const key = keyOf(news.ids);
    if (this.#known.has(key)) return;
    this.#known.set(key, news);
    if (this.#known.size > MAX_ORDERS) this.#known.delete(this.#known.keys().next().value as string);
  }

  #check(
    before: OrderNews,
    isReading: readonly [boolean, boolean],
    order: LockOrder,
    watcher: Watcher,
  ): void {
    // Of two who both read it, none waits for the other.
    const [first, second] = before.isReading;
    if ((first && isReading[1]) || (second && isReading[0])) return;
    const pair = keyOf([...before.ids].sort() as [string, string]);
    if (this.#told.has(pair)) return;
    this.#told.add(pair);
    const names = [before.order.first, before.order.second] as const;
    const report: OrderInversionReport = { names, orders: [before.order, order] };
    watcher.tell('order-inversion', names, report);
  }
}

function keyOf([first, second]: readonly [string, string]): string {
  return JSON.stringify([first, second]);
}

function orderOf(hold: NotedHold, { name }: Subject, site: Site): LockOrder {
  return { first: hold.subject.name, second: name, thread: threadId, where: textOf(site) };
}
