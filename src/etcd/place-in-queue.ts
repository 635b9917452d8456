/** What one token has at etcd: a key under a lease, whose create revision is its place in the queue, and its fence. */
import { LockLostError } from '../errors.js';
import type { Contact, Seat } from './contact.js';
import type { KeyRing } from './keys.js';
import { get, isChangedAt, isCreatedAt, kvsOf, putUnder, type KeyValue } from './protocol.js';
import type { Session, Sessions } from './session.js';
import type { EtcdClient } from './client.js';
import type { Taken } from '../remote/store.js';

export class Place {
  readonly token: string;
  readonly weight: number;
  readonly seat: Seat;
  readonly key: string;
  /** Where it was created, and so its rank; null as long as that is not known. */
  revision: bigint | null = null;
  /** Where it was changed last. */
  #changed = 0n;
  /** Until it has a session. */
  entering: Promise<void> | undefined;
  /** May a request that would make it still be under way, somewhere? */
  isDoubtful = false;
  /** Is it given up in the background? */
  isLeaving = false;
  /** Of those that hold: the marks of holders before it that died. */
  dead: readonly string[] = [];
  /** Who of them had held the lock, once that was asked. */
  heldBefore: Promise<readonly KeyValue[]> | undefined;
  /** The revision at which it was told that its turn may have come, since it looked. */
  wokenAt: bigint | null = null;
  /** Has it looked because its watch began late? On a busy cluster each does. */
  wasLate = false;
  /** What it was granted by what a watch told, since it looked. */
  turn: Taken | null = null;
  /** Has it become a hold, in somebody's hand? */
  isHeld = false;
  /** The request that makes it, while it is under way: settles always. */
  making: Promise<unknown> | undefined;
  /** Why the session is lost. */
  lost: string | undefined;
  onProven: (() => void) | undefined;
  onLost: ((reason: string) => void) | undefined;
  readonly #client: EtcdClient;
  readonly #sessions: Sessions;
  /** Two while it moves: until etcd has answered it may hang on either. */
  #ties: { readonly session: Session; readonly leave: () => void }[] = [];

  constructor({ client, sessions }: Contact, keys: KeyRing, token: string, seat: Seat) {
    this.#client = client;
    this.#sessions = sessions;
    this.token = token;
    this.seat = seat;
    this.weight = Number(token.slice(token.indexOf('.') + 1));
    this.key = keys.place(seat.name);
  }

  /** @throws EtcdError */
  async enter(ttl: number): Promise<void> {
    this.#tie(await this.#sessions.get(ttl, this.key));
  }

  get hasEntered(): boolean {
    return this.#ties.length > 0;
  }

  /** It exists, from that revision on. */
  wasMade(revision: bigint, changed: bigint): void {
    this.revision = revision;
    this.#changed = changed;
  }

  /** The session it hangs on for all that is known. */
  get session(): Session {
    return (this.#ties[0] as { session: Session }).session;
  }

  /** Until when its key is proven to exist. */
  get until(): number {
    return this.lost === undefined ? Math.min(...this.#ties.map(({ session }) => session.until)) : 0;
  }

  /** Hangs it on a session with another time to live. @throws EtcdError; LockLostError if it is gone. */
  async move(ttl: number): Promise<void> {
    const next = await this.#sessions.get(ttl, this.key);
    const old = this.#ties.filter(({ session }) => session !== next);
    if (this.#ties.length === old.length) this.#tie(next);
    await this.#hang(next.id);
    for (const tie of old) tie.leave();
    this.#ties = this.#ties.filter(({ session }) => session === next);
  }

  /** A copy of this request that is carried out later finds the key changed, and does nothing. */
  async #hang(lease: string): Promise<void> {
    for (;;) {
      const answer = await this.#client.txn({
        compare: [isCreatedAt(this.key, this.revision ?? 0), isChangedAt(this.key, this.#changed)],
        success: [putUnder(this.key, lease)],
        failure: [get(this.key)],
      });
      const [kv] = kvsOf(answer, 0);
      this.#changed = BigInt(kv?.mod_revision ?? answer.header.revision);
      if (answer.succeeded === true || kv?.lease === lease) return;
      if (kv === undefined || BigInt(kv.create_revision) !== this.revision)
        throw new LockLostError('it was lost: its key is gone');
    }
  }

  /** Nothing brings it back. */
  lose(reason: string): void {
    if (this.lost !== undefined) return;
    this.lost = reason;
    this.onLost?.(reason);
  }

  /** It is over. */
  leave(): void {
    for (const { leave } of this.#ties) leave();
  }

  #tie(session: Session): void {
    const leave = session.join(
      {
        onProven: () => this.onProven?.(),
        onLost: (reason) => this.lose(reason),
      },
      this.key,
    );
    this.#ties.push({ session, leave });
    // Between its opening and now.
    if (session.isLost) this.lost ??= 'its lease has expired';
  }
}
