/**
 * Whoever deletes the key of a hold by hand takes the lock from its holder, who should know that soon. So the keys of all holds of a
 * client that last are watched, by one stream; holds that are short cost nothing.
 */
import { now, setTimeout } from '../parker/clock.js';
import { Slots, type Slotted } from '../remote/slots.js';
import type { EtcdClient } from './client.js';
import type { Place } from './place-in-queue.js';
import { encoded, get, type TxnAnswer } from './protocol.js';

/** Milliseconds after which a hold lasts, and until a stream takes in those that came after it. */
const ROUND = 1000;
/** So many more for each that is watched: to take them all in is work. */
const EACH = 10;
/** Of a transaction: etcd takes 128 unless it was told otherwise. */
const MOST_OPERATIONS = 100;

class Attended implements Slotted {
  place = -1;
  isWatched = false;
  readonly since: number = now();
  readonly of: Place;

  constructor(of: Place) {
    this.of = of;
  }

  lose(): void {
    // A key that it deletes by itself is no loss.
    if (this.place !== -1) this.of.lose('its key was deleted, or its lease revoked');
  }
}

export class Attendance {
  readonly #client: EtcdClient;
  readonly #holds = new Slots<Attended>();
  #isTicking = false;
  #endStream: (() => void) | undefined;

  constructor(client: EtcdClient) {
    this.#client = client;
  }

  /** It is held from now on, until what is returned is called. */
  attend(place: Place): () => void {
    const hold = new Attended(place);
    this.#holds.add(hold);
    if (!this.#isTicking) this.#tick();
    return () => this.#holds.delete(hold);
  }

  #tick(): void {
    this.#isTicking = true;
    setTimeout(() => void this.#round(), ROUND + EACH * this.#holds.size).unref();
  }

  async #round(): Promise<void> {
    this.#isTicking = false;
    if (this.#client.isClosed) return;
    const lasting = [...this.#holds].filter(({ since }) => now() - since > ROUND / 2);
    if (lasting.some(({ isWatched }) => !isWatched)) await this.#watch(lasting);
    else if (lasting.length === 0) this.#endWatch();
    if (!this.#isTicking && (this.#holds.size > 0 || this.#endStream !== undefined)) this.#tick();
  }

  async #watch(holds: readonly Attended[]): Promise<void> {
    let from: bigint;
    try {
      from = (await this.#look(holds)) + 1n;
    } catch {
      // Whether it is still proven is known without that.
      return;
    }
    this.#endWatch();
    const byKey = new Map(holds.map((hold) => [encoded(hold.of.key), hold]));
    for (const hold of holds) hold.isWatched = true;
    this.#endStream = this.#client.watch({
      keys: [...byKey.keys()].map((key) => ({ key })),
      from,
      onDelete: (key) => byKey.get(key)?.lose(),
      onGap: () => {
        for (const hold of holds) hold.isWatched = false;
      },
    });
  }

  /** Since when nothing can have been missed. */
  async #look(holds: readonly Attended[]): Promise<bigint> {
    let revision: bigint | undefined;
    for (let first = 0; first < holds.length; first += MOST_OPERATIONS) {
      const some = holds.slice(first, first + MOST_OPERATIONS);
      const txn = { compare: [], success: some.map(({ of }) => get(of.key)), failure: [] };
      const answer = (await this.#client.ask('/v3/kv/txn', txn, { isQuiet: true })) as TxnAnswer;
      revision ??= BigInt(answer.header.revision);
      for (const [index, hold] of some.entries()) {
        const [kv] = answer.responses?.[index]?.response_range?.kvs ?? [];
        if (kv === undefined || BigInt(kv.create_revision) !== hold.of.revision) hold.lose();
      }
    }
    return revision as bigint;
  }

  #endWatch(): void {
    this.#endStream?.();
    this.#endStream = undefined;
  }
}
