/**
 * Locks whose holders wait until nobody is ahead: an exclusive lock, where that is everybody, and the two sides of a
 * read-write lock. Each waiter watches the last of those ahead alone, so a release wakes one, and looks for itself when that one
 * is gone (the recipe of etcd's own `concurrency.Mutex`), unless what it was told is proof enough.
 */
import type { Attempt, Taken } from '../remote/store.js';
import { OWNER } from '../remote/owner.js';
import type { Seat } from './contact.js';
import { seatOf } from './keys.js';
import { wasFirst } from './past.js';
import type { Place } from './place-in-queue.js';
import {
  decoded,
  encoded,
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
import { Vigil } from './vigil.js';

/** Of how many who died it is asked whether they held the lock. */
const MOST_ASKED = 8;

export class TurnStore extends QueueStore {
  /** That nobody is there, and nothing remembered of anybody. */
  readonly #isFree = [isEmpty(this.keys.ahead), isEmpty(this.keys.entered)];
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
    const { leavesMark, last } = this.keys;
    // Where everybody is ahead, and leaves a mark, the first two say that the place was not made, and may be.
    const isUnmade = leavesMark ? [] : this.unmade(place);
    return this.ask(place, {
      compare: [...this.#isFree, ...isUnmade],
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
    return this.#wait(place, last, kvsOf(answer, 2)[0], answer, 3);
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
    return this.#wait(place, last, ahead.at(-1), answer, 1);
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

  /** `at` is the place of the marks in the answer. */
  #wait(place: Place, last: KeyValue, first: KeyValue | undefined, answer: TxnAnswer, at: number): Attempt {
    const marks = this.#marksBefore(place, kvsOf(answer, at));
    const mark = marks.find(({ key }) => seatOf(decoded(key)) === seatOf(decoded(last.key)));
    const isNext = first?.key === last.key;
    const isAlone = isNext && marks.length === 0 && this.keys.leavesMark;
    return {
      taken: false,
      lookAfter: Infinity,
      reason: heldBy(first),
      watch: (wake) => {
        const vigil = new Vigil({ key: last.key, mark: mark?.key, isAlone }, (isTurn, revision) => {
          if (isTurn) place.turn = this.#turn(place, last, marks);
          else place.wokenAt = revision;
          wake();
        });
        const keys = [...vigil.keys, encoded(place.key)].map((key) => ({ key }));
        const hear = (key: string, revision: bigint): void => vigil.hear(key, revision);
        const stop = this.watch(place, answer, keys, isNext, hear, wake);
        return () => {
          vigil.stop();
          stop();
        };
      },
    };
  }

  /** The one before has released, so it had been told of whoever died before it; those between the two had died waiting. */
  #turn(place: Place, before: KeyValue, marks: readonly KeyValue[]): Taken {
    const rank = BigInt(before.create_revision);
    if (!this.keys.leavesMark) return { taken: true, fence: rank, abandoned: false };
    place.dead = marks
      .filter(({ create_revision }) => BigInt(create_revision) > rank)
      .map(({ key }) => decoded(key));
    return { taken: true, fence: place.revision as bigint, abandoned: false };
  }

  #marksBefore({ revision }: Place, marks: readonly KeyValue[]): KeyValue[] {
    return marks.filter(
      ({ create_revision, value }) =>
        BigInt(create_revision) < (revision as bigint) && decoded(value) !== GONE,
    );
  }

  /** Nobody is ahead, so whoever is remembered from before has died, as a holder or waiting. */
  async #taken(place: Place, answer: TxnAnswer, at: number): Promise<Attempt> {
    const revision = place.revision as bigint;
    const all = this.#marksBefore(place, kvsOf(answer, at));
    if (this.keys.leavesMark) place.dead = all.map(({ key }) => decoded(key));
    const marks = all.length === 0 ? all : await (place.heldBefore ??= this.#held(all));
    const fence = this.keys.leavesMark
      ? revision
      : this.#lastFence(kvsOf(answer, at + 1)[0], marks, revision);
    return { taken: true, fence, abandoned: marks.length > 0 };
  }

  /** Those who had the lock when they died, as far as that is known. */
  async #held(marks: readonly KeyValue[]): Promise<readonly KeyValue[]> {
    const { queue } = this.keys;
    const held = await Promise.all(
      marks.slice(0, MOST_ASKED).map(({ key, create_revision }) => {
        const place = this.keys.marked(seatOf(decoded(key)));
        return wasFirst(this.contact.client, queue, place, BigInt(create_revision));
      }),
    );
    return marks.filter((_, index) => held[index] !== false);
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

  /** Only a holder takes away key and mark at once: whoever sees it knows that nobody is before that one. */
  protected override async stepBack({ seat, revision, isDoubtful }: Place): Promise<void> {
    if (!this.keys.leavesMark || isDoubtful || revision === null) return;
    const mark = this.#markOf(seat);
    const compare = [isCreatedAt(mark, revision)];
    await this.contact.client.txn({ compare, success: [remove(mark)], failure: [] });
  }

  protected override removal(place: Place): RequestOp[] {
    if (!this.keys.leavesMark) return [remove(place.key)];
    // The mark of a seat that may not be taken any more is overwritten instead.
    const own = place.isDoubtful ? [] : [this.#markOf(place.seat)];
    // Nobody was told yet of those who died, if it was not held.
    const dead = place.isHeld ? place.dead.slice(0, 100) : [];
    return [place.key, ...own, ...dead].map(remove);
  }

  protected override leaving(place: Place): RequestOp[] {
    const { last, leavesMark } = this.keys;
    if (last === null || !leavesMark || !place.isHeld) return [];
    return [put(last, String(place.revision), place.session.memory)];
  }
}
