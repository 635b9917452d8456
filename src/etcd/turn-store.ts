/**
 * Locks whose holders wait until nobody is ahead: an exclusive lock, where that is everybody, and the two sides of a
 * read-write lock. Each waiter watches the last of those ahead alone, so a release wakes one, and looks for itself when that one
 * is gone (the recipe of etcd's own `concurrency.Mutex`).
 */
import type { Attempt } from '../remote/store.js';
import { OWNER } from '../remote/owner.js';
import type { Seat } from './contact.js';
import { seatOf } from './keys.js';
import type { Place } from './place-in-queue.js';
import {
  decoded,
  get,
  isCreatedAt,
  isEmpty,
  kvsOf,
  put,
  range,
  remove,
  type KeyValue,
  type RangeOptions,
  type RequestOp,
  type TxnAnswer,
} from './protocol.js';
import { GONE, QueueStore, SPENT, heldBy } from './queue-store.js';

export class TurnStore extends QueueStore {
  /** Did the last one have to wait? Then the next one will as well, as likely as not. */
  #isContended = false;

  protected async make(place: Place, queues: boolean): Promise<Attempt> {
    // Who asks again may have made the place already.
    if ((!this.#isContended || !queues) && !place.isDoubtful) {
      const answer = await this.#takeFree(place);
      if (answer.succeeded === true) return this.#granted(place, answer);
    }
    const attempt = await this.#queue(place, queues);
    this.#isContended = !attempt.taken;
    return attempt;
  }

  /** The short way, if nobody is there and nothing is remembered of anybody. */
  #takeFree(place: Place): Promise<TxnAnswer> {
    const { ahead, entered, leavesMark, last } = this.keys;
    // Where everybody is ahead, and leaves a mark, the first two say that the place was not made, and may be.
    const isUnmade = leavesMark ? [] : this.unmade(place);
    return this.ask(place, {
      compare: [isEmpty(ahead), isEmpty(entered), ...isUnmade],
      success: [
        this.placing(place, { since: Date.now() }),
        ...this.#mark(place),
        ...(leavesMark || last === null ? [] : [get(last), ...this.#keepLast(place)]),
      ],
      failure: [],
    });
  }

  #granted(place: Place, answer: TxnAnswer): Attempt {
    this.made(place, answer);
    const revision = place.revision as bigint;
    const fence = this.keys.leavesMark ? revision : this.#lastFence(kvsOf(answer, 1)[0], [], revision);
    return { taken: true, fence, abandoned: false };
  }

  /** Of those who do not queue, only if nobody is ahead. */
  async #queue(place: Place, queues: boolean): Promise<Attempt> {
    const { ahead, queue } = this.keys;
    const answer = await this.ask(place, {
      compare: [...this.unmade(place), ...(queues ? [] : [isEmpty(ahead)])],
      success: [
        this.#placing(place),
        range(ahead, { isDescending: true, limit: 2 }),
        range(ahead, { limit: 1 }),
        ...this.#remembered({}),
        ...this.#mark(place),
        ...this.#keepLast(place),
      ],
      failure: [get(place.key), range(queue, { limit: 1 })],
    });
    if (answer.succeeded !== true) {
      const [kv] = kvsOf(answer, 0);
      const [first] = kvsOf(answer, 1);
      if (kv === undefined && !queues && first !== undefined)
        return { taken: false, lookAfter: Infinity, reason: heldBy(first) };
      return this.found(place, kv);
    }
    this.made(place, answer);
    // Of the last two, one may be itself.
    const last = kvsOf(answer, 1).find(({ key }) => decoded(key) !== place.key);
    if (last === undefined) return this.#taken(place, answer, 3);
    return this.#wait(place, last, kvsOf(answer, 2)[0], answer);
  }

  protected async look(place: Place): Promise<Attempt> {
    const before = place.revision as bigint;
    const answer = await this.view(place, (isLocal) => [
      range(this.keys.ahead, { before, isDescending: true, isLocal }),
      ...this.#remembered({ before, isLocal }),
    ]);
    // Its lease has expired, or somebody took it away.
    if (answer.succeeded !== true) return SPENT;
    const ahead = kvsOf(answer, 0);
    const [last] = ahead;
    if (last === undefined) return this.#taken(place, answer, 1);
    this.#clean(ahead, kvsOf(answer, 1));
    return this.#wait(place, last, ahead.at(-1), answer);
  }

  /** With the place itself: since when it is held, if nobody is ahead. */
  #placing(place: Place): RequestOp {
    return {
      request_txn: {
        compare: [isEmpty(this.keys.ahead)],
        success: [this.placing(place, { since: Date.now() })],
        failure: [this.placing(place)],
      },
    };
  }

  #wait(place: Place, last: KeyValue, first: KeyValue | undefined, { header }: TxnAnswer): Attempt {
    return {
      taken: false,
      lookAfter: Infinity,
      reason: heldBy(first),
      watch: (wake) =>
        this.contact.client.watch({
          key: last.key,
          from: BigInt(header.revision) + 1n,
          onDelete: (_, revision) => {
            place.wokenAt = revision;
            wake();
          },
          onGap: wake,
        }),
    };
  }

  /** Nobody is ahead, so whoever is remembered from before has died. */
  #taken(place: Place, answer: TxnAnswer, at: number): Attempt {
    const revision = place.revision as bigint;
    const marks = kvsOf(answer, at).filter(
      ({ create_revision, value }) => BigInt(create_revision) < revision && decoded(value) !== GONE,
    );
    if (this.keys.leavesMark) place.dead = marks.map(({ key }) => decoded(key));
    const fence = this.keys.leavesMark
      ? revision
      : this.#lastFence(kvsOf(answer, at + 1)[0], marks, revision);
    return { taken: true, fence, abandoned: marks.length > 0 };
  }

  /** Of the last write: the place of the last writer, whether it released or died. */
  #lastFence(last: KeyValue | undefined, marks: readonly KeyValue[], own: bigint): bigint {
    const fences = marks.map(({ create_revision }) => BigInt(create_revision));
    const released = decoded(last?.value);
    if (released !== '') fences.push(BigInt(released));
    // Nobody is known to have written: as long as that is so, all readers have that of the first of them.
    if (fences.length === 0) return BigInt(last?.create_revision ?? own);
    return fences.reduce((most, fence) => (fence > most ? fence : most));
  }

  /** What outlives the leases of those who wrote. */
  #remembered(options: RangeOptions): RequestOp[] {
    const { entered, last } = this.keys;
    return [range(entered, options), ...(last === null ? [] : [get(last, options.isLocal)])];
  }

  /** A mark that stays when the place expires with its lease. */
  #mark({ seat, session }: Place): RequestOp[] {
    return this.keys.leavesMark ? [put(this.#markOf(seat), OWNER, session.memory)] : [];
  }

  #markOf({ name }: Seat): string {
    return `${this.keys.entered}${name}`;
  }

  /** Readers make it if nobody has written yet, so that all of them have the same fence. */
  #keepLast({ session }: Place): RequestOp[] {
    const { last, leavesMark } = this.keys;
    if (last === null || leavesMark) return [];
    const success = [put(last, '', session.memory)];
    return [{ request_txn: { compare: [isCreatedAt(last, 0)], success, failure: [] } }];
  }

  /** Whoever is not ahead any more but has left its mark, with somebody who came before it still there, died waiting. */
  #clean(ahead: readonly KeyValue[], marks: readonly KeyValue[]): void {
    const alive = new Set(ahead.map(({ key }) => seatOf(decoded(key))));
    const oldest = BigInt(ahead.at(-1)?.create_revision ?? 0);
    const dead = marks
      .filter(({ create_revision, value }) => BigInt(create_revision) > oldest && decoded(value) !== GONE)
      .filter(({ key }) => !alive.has(seatOf(decoded(key))))
      .map(({ key }) => remove(decoded(key)));
    if (dead.length === 0) return;
    void this.contact.client.txn({ compare: [], success: dead.slice(0, 100), failure: [] }).catch(() => {});
  }

  protected override removal(place: Place): RequestOp[] {
    if (!this.keys.leavesMark) return [remove(place.key)];
    // The mark of a seat that may not be taken any more is overwritten instead.
    const own = place.isDoubtful ? [] : [this.#markOf(place.seat)];
    return [place.key, ...own, ...place.dead.slice(0, 100)].map(remove);
  }

  protected override leaving(place: Place): RequestOp[] {
    const { last, leavesMark } = this.keys;
    if (last === null || !leavesMark || !place.isHeld) return [];
    return [put(last, String(place.revision), place.session.memory)];
  }
}
