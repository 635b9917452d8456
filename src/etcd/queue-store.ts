/** What all locks on etcd have in common: a queue of keys by create revision, under leases. */
import { LockError } from '../errors.js';
import { pause, unavailable } from '../remote/failure.js';
import type { Hold, Terms } from '../remote/hold.js';
import { OWNER } from '../remote/owner.js';
import type { Renews } from '../remote/renewal.js';
import type { Attempt, Refused, Store } from '../remote/store.js';
import { now } from '../parker/clock.js';
import type { Contact } from './contact.js';
import type { KeyRing } from './keys.js';
import { Place } from './place-in-queue.js';
import {
  decoded,
  encoded,
  isCreatedAt,
  kvsOf,
  put,
  range,
  remove,
  type Compare,
  type KeyValue,
  type RequestOp,
  type Txn,
  type TxnAnswer,
} from './protocol.js';
import { isFull, isLeaseGone } from './refusal.js';
import { SessionRenewal } from './session-renewal.js';

/** What a place in the queue says of whom it belongs to. */
export interface Entry {
  readonly owner: string;
  /** Since when it is held, by the holder's clock, if it did not have to wait. */
  readonly since?: number;
  readonly weight?: number;
  readonly permits?: number;
}

/** Whoever made the place with another program says nothing. */
export function entryOf({ value }: KeyValue): Partial<Entry> {
  try {
    return (JSON.parse(decoded(value)) ?? {}) as Partial<Entry>;
  } catch {
    return {};
  }
}

/** In place of a mark: the seat may not be taken any more. */
export const GONE = 'gone';
/** Milliseconds between two tries to leave the queue. */
const LEAVING_PAUSE = 500;

/** An outcome that somebody else looks at. */
const noted = (): void => {};

/** The place was lost: the next attempt needs another one. */
export const SPENT: Refused = { taken: false, lookAfter: 0, reason: '', isSpent: true };

export abstract class QueueStore implements Store {
  readonly description: string;
  protected readonly contact: Contact;
  protected readonly keys: KeyRing;

  constructor(contact: Contact, description: string, keys: KeyRing) {
    this.contact = contact;
    this.description = description;
    this.keys = keys;
  }

  /** Makes the place, and tells how it stands; of those who do not queue, only if the lock is free. */
  protected abstract make(place: Place, queues: boolean): Promise<Attempt>;
  /** How a place stands that was made. */
  protected abstract look(place: Place): Promise<Attempt>;

  async attempt(token: string, ttl: number, queues: boolean): Promise<Attempt> {
    const attempt = await this.#attempt(token, ttl, queues);
    // Whoever tries is not told that the lock is taken because its lease was.
    return attempt.taken || queues || attempt.isSpent !== true ? attempt : this.#attempt(token, ttl, queues);
  }

  async #attempt(token: string, ttl: number, queues: boolean): Promise<Attempt> {
    const place = this.contact.places.get(token) ?? this.#begin(token);
    // The one before may have been given up while it waited for a session: both wait for the same one, at the same place.
    place.entering ??= place.enter(ttl);
    try {
      await place.entering;
    } catch (error) {
      this.#forget(place, true);
      throw error;
    }
    // Released meanwhile: nobody would ever leave it.
    if (this.contact.places.get(token) !== place) {
      place.leave();
      return SPENT;
    }
    let attempt: Attempt;
    if (place.lost !== undefined) attempt = SPENT;
    else if (place.turn !== null) attempt = place.turn;
    else if (place.revision !== null) attempt = await this.look(place);
    else {
      // One that was not waited for any longer is still under way.
      if (place.making !== undefined) place.isDoubtful = true;
      const making = this.make(place, queues);
      const settled = making.then(noted, noted);
      place.making = settled;
      void settled.then(() => {
        if (place.making === settled) place.making = undefined;
      });
      try {
        attempt = await making;
      } catch (error) {
        // The lease was gone before it could be used.
        if (!isLeaseGone(error)) throw error;
        this.contact.sessions.drop(place.session);
        attempt = SPENT;
      }
    }
    if (attempt.taken && place.until <= now()) attempt = SPENT;
    if (!attempt.taken && (attempt.isSpent === true || !queues)) this.#end(place);
    return attempt;
  }

  #begin(token: string): Place {
    const { contact, keys } = this;
    const place = new Place(contact, keys, token, contact.take(keys.queue));
    contact.places.set(token, place);
    return place;
  }

  /** Moves the place to a session with that time to live. */
  async extend(token: string, ttl: number): Promise<boolean> {
    const place = this.contact.places.get(token);
    if (place === undefined) return false;
    await place.move(ttl);
    return true;
  }

  async release(token: string): Promise<boolean> {
    const place = this.contact.places.get(token);
    if (place === undefined) return false;
    if (!place.hasEntered) {
      this.#forget(place, true);
      return false;
    }
    const { leavings } = this.contact;
    const leaving = this.#leave(place).finally(() => leavings.delete(leaving));
    leavings.add(leaving);
    try {
      return await leaving;
    } catch (error) {
      // The session may go on for long, and the place with it.
      void this.#leaveLater(place);
      throw error;
    }
  }

  /** A place that is over, or was refused. */
  #end(place: Place): void {
    if (place.isDoubtful && place.lost === undefined) void this.release(place.token).catch(() => {});
    else {
      this.#forget(place, place.revision === null);
      // It was lost while it waited: nobody else need know.
      void this.stepBack(place).catch(() => {});
    }
  }

  /** True if it was there. */
  async #remove(place: Place, more: readonly RequestOp[], forbids = true): Promise<boolean> {
    const operations = [...this.removal(place), ...(forbids ? this.#forbidding(place) : []), ...more];
    const isKnown = place.revision !== null;
    const txn: Txn = {
      compare: isKnown ? [isCreatedAt(place.key, place.revision as bigint)] : [],
      success: operations,
      failure: forbids ? this.#forbidding(place) : [],
    };
    let isRepeated = false;
    const answer = await this.contact.client.txnInDoubt(txn, () => (isRepeated = true));
    // A request whose answer was lost may have removed it; nobody else does while the session is proven.
    if (isKnown) return answer.succeeded === true || (isRepeated && place.until > now());
    return Number(answer.responses?.[0]?.response_delete_range?.deleted ?? 0) > 0;
  }

  async #leaveLater(place: Place): Promise<void> {
    if (place.isLeaving) return;
    place.isLeaving = true;
    while (place.until > now() && this.contact.places.has(place.token)) {
      await pause(LEAVING_PAUSE);
      await this.#leave(place).catch(() => {});
    }
    this.#forget(place);
  }

  async #leave(place: Place): Promise<boolean> {
    let left: boolean;
    // What is asked while it is being made would be too early.
    await place.making;
    if (!place.isHeld) await this.stepBack(place);
    try {
      left = await this.#remove(place, this.leaving(place));
    } catch (error) {
      if (isLeaseGone(error)) left = false;
      // A full database takes nothing that makes it larger, nor what would make the place.
      else if (isFull(error)) left = await this.#remove(place, [], false);
      else throw error;
    }
    this.#forget(place, left);
    return left;
  }
  /** Takes the lock from a holder whose time was up, in the background: those who come after are told. */
  async #expel(place: Place): Promise<void> {
    while (place.until > now()) {
      try {
        await this.contact.client.txn({
          compare: [isCreatedAt(place.key, place.revision as bigint)],
          success: [remove(place.key), ...this.#forbidding(place)],
          failure: [],
        });
        break;
      } catch {
        await pause(LEAVING_PAUSE);
      }
    }
    this.#forget(place);
  }

  /** If a request that would make the place may still be under way, it must find that it may not. */
  #forbidding({ isDoubtful, seat, session }: Place): RequestOp[] {
    return isDoubtful ? [put(this.keys.gone(seat.name), GONE, session.id)] : [];
  }

  /** `isGone`: it is known that there is no such key. */
  #forget(place: Place, isGone = false): void {
    if (!this.contact.places.delete(place.token)) return;
    place.leave();
    this.contact.giveBack(place.seat, !isGone || place.isDoubtful);
  }

  /** Takes away what else there is of a place that was never held. */
  protected async stepBack(_place: Place): Promise<void> {}

  /** Everything that the place consists of. */
  protected removal(place: Place): RequestOp[] {
    return [remove(place.key)];
  }

  /** What else is to be said by a holder who releases. */
  protected leaving(_place: Place): RequestOp[] {
    return [];
  }

  /** That the place has not been made, and may be. */
  protected unmade({ key, seat }: Place): Compare[] {
    return [isCreatedAt(key, 0), isCreatedAt(this.keys.gone(seat.name), 0)];
  }

  /** A transaction that makes the place, if it is carried out. */
  protected ask(place: Place, txn: Txn): Promise<TxnAnswer> {
    return this.contact.client.txnInDoubt(txn, () => (place.isDoubtful = true));
  }

  /** The operation that makes the place. */
  protected placing({ key, session }: Place, entry: Omit<Entry, 'owner'> = {}): RequestOp {
    return put(key, JSON.stringify({ owner: OWNER, ...entry } satisfies Entry), session.id);
  }

  /** The place was made by a transaction whose answer this is. */
  protected made(place: Place, answer: TxnAnswer): void {
    const revision = BigInt(answer.header.revision);
    place.wasMade(revision, revision);
  }

  /** A transaction that was to make the place found it made, or forbidden: `kv` is what it found. */
  protected async found(place: Place, kv: KeyValue | undefined): Promise<Attempt> {
    if (kv === undefined) return SPENT;
    place.wasMade(BigInt(kv.create_revision), BigInt(kv.mod_revision));
    return this.look(place);
  }

  /**
   * How it stands with those ahead. Whoever was woken needs no majority for that: nobody comes ahead of it any more, its own key
   * is there for as long as its session is proven, so what any member knows is enough that has what woke it.
   */
  protected async view(place: Place, operations: (isLocal: boolean) => RequestOp[]): Promise<TxnAnswer> {
    const { wokenAt } = place;
    const compare = [isCreatedAt(place.key, place.revision as bigint)];
    const ask = (isLocal: boolean): Promise<TxnAnswer> =>
      this.contact.client.txn({ compare, success: operations(isLocal), failure: [] });
    place.wokenAt = null;
    if (wokenAt !== null) {
      const answer = await ask(true);
      if (answer.succeeded === true && BigInt(answer.header.revision) >= wokenAt) return answer;
    }
    return ask(false);
  }

  /** The renewal of a hold of this store. */
  renewal(hold: Hold, terms: Terms, sentAt: number): Renews {
    const place = this.contact.places.get(hold.token) as Place;
    place.isHeld = true;
    const { attendance } = this.contact;
    return new SessionRenewal(hold, place, terms, sentAt, () => void this.#expel(place), attendance);
  }

  /**
   * Tells what is deleted from the revision of the answer on; also that its own key is, which nobody but a stranger does. Who
   * `isNext` looks once more if the watch began too late for what happened meanwhile.
   */
  protected watch(
    place: Place,
    { header }: TxnAnswer,
    keys: readonly { key: string; range_end?: string }[],
    isNext: boolean,
    onDelete: (key: string, revision: bigint) => void,
    wake: () => void,
  ): () => void {
    const own = encoded(place.key);
    return this.contact.client.watch({
      keys,
      from: BigInt(header.revision) + 1n,
      onDelete: (key, revision) => {
        if (key !== own) onDelete(key, revision);
        else {
          place.lose('its key was deleted');
          wake();
        }
      },
      onLate: (revision) => {
        if (!isNext || place.wasLate) return;
        place.wasLate = true;
        place.wokenAt = revision;
        wake();
      },
      onGap: wake,
    });
  }

  placeOf(token: string): Place | undefined {
    return this.contact.places.get(token);
  }

  /** All places, in order; none that this client has given up. @throws BackendUnavailableError */
  async line(): Promise<readonly KeyValue[]> {
    await Promise.allSettled(this.contact.leavings);
    try {
      const answer = await this.contact.client.txn({
        compare: [],
        success: [range(this.keys.queue, {})],
        failure: [],
      });
      return kvsOf(answer, 0);
    } catch (error) {
      throw this.unknown(error);
    }
  }

  /** Milliseconds until the lease of a place expires: up to one second too many. @throws BackendUnavailableError */
  async left({ lease = '0' }: KeyValue): Promise<number> {
    try {
      const { TTL = '0', grantedTTL = '0' } = (await this.contact.client.ask('/v3/lease/timetolive', {
        ID: lease,
      })) as { TTL?: string; grantedTTL?: string };
      // Whole seconds, rounded down.
      return Math.min(Number(TTL) + 1, Number(grantedTTL)) * 1000;
    } catch (error) {
      throw this.unknown(error);
    }
  }

  protected unknown(error: unknown): Error {
    return error instanceof LockError ? error : unavailable(`nothing is known of ${this.description}`, error);
  }
}

export function heldBy(kv: KeyValue | undefined): string {
  const owner = kv && entryOf(kv).owner;
  return owner === undefined ? '' : `held by ${owner}`;
}
