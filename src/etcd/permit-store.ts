/**
 * A semaphore: whoever fits into the permits together with all who came before has them, so holders are always the first in
 * the queue. A waiter watches those ahead, and looks for itself once so many of them are gone that it fits.
 */
import { NameConflictError } from '../errors.js';
import type { Attempt, Taken } from '../remote/store.js';
import type { Contact } from './contact.js';
import type { KeyRing } from './keys.js';
import type { Place } from './place-in-queue.js';
import {
  decoded,
  get,
  isUnchangedSince,
  kvsOf,
  range,
  within,
  type KeyValue,
  type TxnAnswer,
} from './protocol.js';
import { QueueStore, SPENT, entryOf } from './queue-store.js';

/** How often one attempt is made anew that was overtaken by others. */
const MOST_TRIES = 20;
const GRANTED: Taken = { taken: true, fence: 0n, abandoned: false };

export class PermitStore extends QueueStore {
  readonly #permits: number;

  constructor(contact: Contact, description: string, keys: KeyRing, permits: number) {
    super(contact, description, keys);
    this.#permits = permits;
  }

  protected async make(place: Place, queues: boolean): Promise<Attempt> {
    for (let tries = 0; tries < MOST_TRIES; tries++) {
      const seen = queues ? undefined : await this.#seen(place);
      if (seen === null) break;
      const answer = await this.ask(place, {
        compare: [
          ...this.unmade(place),
          ...(seen === undefined ? [] : [isUnchangedSince(this.keys.queue, seen)]),
        ],
        success: [this.placing(place, this.#entry(place)), range(this.keys.queue, {})],
        failure: [get(place.key)],
      });
      if (answer.succeeded === true) {
        this.made(place, answer);
        const ahead = kvsOf(answer, 1).filter(({ key }) => decoded(key) !== place.key);
        return this.#decide(place, ahead, answer);
      }
      const [kv] = kvsOf(answer, 0);
      if (queues || kv !== undefined) return this.found(place, kv);
    }
    return { taken: false, lookAfter: Infinity, reason: 'others have its permits' };
  }

  /** The revision at which it would fit; null if it does not. */
  async #seen(place: Place): Promise<bigint | null> {
    const answer = await this.contact.client.txn({
      compare: [],
      success: [range(this.keys.queue, {})],
      failure: [],
    });
    const all = kvsOf(answer, 0);
    // It may have been made by a request whose answer was lost.
    const others = all.filter(({ key }) => decoded(key) !== place.key);
    this.#check(others);
    return this.#fits(place, others) ? BigInt(answer.header.revision) : null;
  }

  protected async look(place: Place): Promise<Attempt> {
    const before = place.revision as bigint;
    const answer = await this.view(place, (isLocal) => [range(this.keys.queue, { before, isLocal })]);
    if (answer.succeeded !== true) return SPENT;
    return this.#decide(place, kvsOf(answer, 0), answer);
  }

  #decide(place: Place, ahead: readonly KeyValue[], answer: TxnAnswer): Attempt {
    this.#check(ahead);
    if (this.#fits(place, ahead)) return GRANTED;
    const left = new Map(ahead.map((kv) => [kv.key, kv]));
    return {
      taken: false,
      lookAfter: Infinity,
      reason: 'others have its permits',
      watch: (wake) =>
        this.watch(
          place,
          answer,
          [within(this.keys.queue)],
          sumOf(ahead) <= this.#permits,
          (key) => {
            // Nobody comes ahead of it any more, so that is all there is to know.
            if (!left.delete(key) || !this.#fits(place, [...left.values()])) return;
            place.turn = GRANTED;
            wake();
          },
          wake,
        ),
    };
  }

  #entry({ weight }: Place): { weight: number; permits: number } {
    return { weight, permits: this.#permits };
  }

  #fits({ weight }: Place, ahead: readonly KeyValue[]): boolean {
    return sumOf(ahead) + weight <= this.#permits;
  }

  /** @throws NameConflictError: those who use it say that there are others. */
  #check(others: readonly KeyValue[]): void {
    for (const kv of others) {
      const { permits } = entryOf(kv);
      if (permits !== undefined && permits !== this.#permits)
        throw new NameConflictError(
          `${this.description} cannot have ${this.#permits} permits: it was made with ${permits}`,
        );
    }
  }

  /** Those who hold permits, the first in the queue as far as they fit. */
  holdersOf(line: readonly KeyValue[]): { holders: readonly KeyValue[]; used: number } {
    let count = 0;
    let used = 0;
    for (const kv of line) {
      const weight = sumOf([kv]);
      if (used + weight > this.#permits) break;
      used += weight;
      count++;
    }
    return { holders: line.slice(0, count), used };
  }
}

function sumOf(places: readonly KeyValue[]): number {
  return places.reduce((sum, kv) => sum + (entryOf(kv).weight ?? 1), 0);
}
