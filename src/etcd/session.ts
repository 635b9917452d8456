/**
 * Sessions: leases of etcd that are kept alive for as long as something hangs on them. All holds of a client with the same
 * time to live share one. A lease is proven to last until the moment before the last keep-alive was sent, plus its time.
 */
import { clearTimeout, now, setTimeout } from '../parker/clock.js';
import { answerWithin, pause } from '../remote/failure.js';
import { provenUntil } from '../remote/hold.js';
import type { EtcdClient } from './client.js';
import { encoded, type RangeAnswer } from './protocol.js';

/** Seconds for which etcd remembers what a session wrote that outlives its holds, at the least; three times as long as a lease. */
const MEMORY = 86_400;
/** Milliseconds between two renewals of that. */
const MEMORY_RENEWAL = 3_600_000;

/** What hangs on a session. */
export interface Dependant {
  /** The session is proven until then. */
  onProven?(until: number): void;
  /** It is lost, and nothing brings it back. */
  onLost(reason: string): void;
}

interface KeepAliveAnswer {
  readonly result?: { readonly header?: { raft_term?: string }; readonly TTL?: string };
}

export class Session {
  /** The lease. */
  readonly id: string;
  /** The lease for what is remembered when the session is over. */
  readonly memory: string;
  /** Milliseconds that etcd granted. */
  readonly ttl: number;
  readonly #client: EtcdClient;
  readonly #dependants = new Set<Dependant>();
  #until: number;
  #memoryRenewedAt: number;
  #isLost = false;
  #timer: NodeJS.Timeout | undefined;
  #end: NodeJS.Timeout | undefined;
  #renewal: Promise<void> | undefined;
  #failure = 'the event loop was blocked';
  /** A key that whoever uses the session may read. */
  #probe: string;

  private constructor(
    client: EtcdClient,
    { id, memory, ttl }: { id: string; memory: string; ttl: number },
    sentAt: number,
    probe: string,
  ) {
    this.#probe = probe;
    this.#client = client;
    this.id = id;
    this.memory = memory;
    this.ttl = ttl;
    this.#until = provenUntil(sentAt, ttl);
    this.#memoryRenewedAt = sentAt;
  }

  /** @throws EtcdError */
  static async open(client: EtcdClient, seconds: number, probe: string): Promise<Session> {
    const sentAt = now();
    const grant = async (ttl: number): Promise<{ ID: string; TTL: string }> =>
      (await client.ask('/v3/lease/grant', { TTL: String(ttl) })) as { ID: string; TTL: string };
    const [lease, memory] = await Promise.all([grant(seconds), grant(Math.max(MEMORY, 3 * seconds))]);
    const granted = { id: lease.ID, memory: memory.ID, ttl: Number(lease.TTL) * 1000 };
    return new Session(client, granted, sentAt, probe);
  }

  /** Until when it is proven to last, by the monotonic clock. */
  get until(): number {
    if (this.#until <= now()) this.#lose();
    return this.#isLost ? 0 : this.#until;
  }

  get isLost(): boolean {
    return this.until === 0;
  }

  /** Is so much left that something can be begun with it? */
  get isFresh(): boolean {
    return this.until - now() > this.ttl / 3;
  }

  /** Something hangs on it: it is kept alive. Returns what ends that. */
  join(dependant: Dependant, key: string): () => void {
    this.#dependants.add(dependant);
    this.#probe = key;
    if (this.#timer === undefined && this.#renewal === undefined) this.#schedule();
    return () => this.#dependants.delete(dependant);
  }

  /** Renews it until that has succeeded, or it is lost. */
  renew(): Promise<void> {
    return (this.#renewal ??= this.#renew().finally(() => (this.#renewal = undefined)));
  }

  /** Gives it back: what hangs on it is gone. */
  async revoke(): Promise<void> {
    this.#lose('the client was closed');
    await this.#client.ask('/v3/lease/revoke', { ID: this.id });
  }

  /** When a third of its time has gone. What nobody uses is not renewed. */
  #schedule(): void {
    const delay = Math.max(0, this.#until - now() - (this.ttl * 2) / 3);
    this.#timer = setTimeout(() => {
      this.#timer = undefined;
      if (this.#dependants.size > 0) void this.renew();
    }, delay).unref();
  }

  async #renew(): Promise<void> {
    clearTimeout(this.#timer);
    this.#failure = 'etcd did not answer';
    this.#awaitEnd();
    try {
      while (!this.isLost) {
        try {
          await answerWithin(this.#prove(), this.ttl / 3);
          break;
        } catch (error) {
          this.#failure = (error as Error).message;
          await pause(Math.min(Math.max(this.ttl / 60, 20), 1000));
        }
      }
    } finally {
      clearTimeout(this.#end);
    }
    if (this.isLost) return;
    this.#failure = 'the event loop was blocked';
    this.#schedule();
    void this.#renewMemory();
  }

  /** Notices when it is lost. A timer may ring a little too early, and what is proven may grow meanwhile. */
  #awaitEnd(): void {
    if (this.isLost) return;
    this.#end = setTimeout(() => this.#awaitEnd(), Math.ceil(this.#until - now())).unref();
  }

  /**
   * One keep-alive. It is the leader alone who answers it, asking nobody: one that was overthrown and has not heard of it
   * yet, as after it stood still, would answer as well. So it counts if, afterwards, a read that a majority has confirmed
   * finds the same term: then that leader led until then.
   */
  async #prove(): Promise<void> {
    const sentAt = now();
    const asking = { patience: Math.min(Math.max(this.ttl / 6, 250), 3000), isQuiet: true };
    const answer = (await this.#client.ask(
      '/v3/lease/keepalive',
      { ID: this.id },
      asking,
    )) as KeepAliveAnswer;
    const { header, TTL = '0' } = answer.result ?? {};
    if (Number(TTL) <= 0) {
      this.#lose('its lease has expired, or was revoked');
      return;
    }
    const probe = { key: encoded(this.#probe), keys_only: true };
    const read = (await this.#client.ask('/v3/kv/range', probe, asking)) as RangeAnswer;
    if (read.header?.raft_term !== header?.raft_term) throw new Error('the leader has changed');
    // Once it could not be proven any more, it stays lost: somebody may have seen it so.
    if (this.isLost) return;
    this.#until = Math.max(this.#until, provenUntil(sentAt, Number(TTL) * 1000));
    for (const dependant of [...this.#dependants]) dependant.onProven?.(this.#until);
  }

  async #renewMemory(): Promise<void> {
    const time = now();
    if (time - this.#memoryRenewedAt < MEMORY_RENEWAL) return;
    this.#memoryRenewedAt = time;
    try {
      await this.#client.ask('/v3/lease/keepalive', { ID: this.memory }, { isQuiet: true });
    } catch {
      // There are many more opportunities within a day.
    }
  }

  #lose(reason = `its lease could not be renewed in time: ${this.#failure}`): void {
    if (this.#isLost) return;
    this.#isLost = true;
    clearTimeout(this.#timer);
    clearTimeout(this.#end);
    for (const dependant of [...this.#dependants]) dependant.onLost(reason);
    this.#dependants.clear();
  }
}

/** The sessions of a client, by their time to live. */
export class Sessions {
  readonly #client: EtcdClient;
  readonly #open = new Map<number, Promise<Session>>();

  constructor(client: EtcdClient) {
    this.#client = client;
    client.beforeClose(async () => {
      const sessions = await Promise.allSettled(this.#open.values());
      await Promise.allSettled(
        sessions.map(async (it) => it.status === 'fulfilled' && (await it.value.revoke())),
      );
    });
  }

  /** One that lasts for `ttl` ms at least, by whole seconds; `probe` is a key that may be read. @throws EtcdError */
  async get(ttl: number, probe: string): Promise<Session> {
    const seconds = Math.ceil(ttl / 1000);
    for (;;) {
      if (this.#client.isClosed) throw new Error('the client is closed');
      const opening = this.#open.get(seconds) ?? this.#begin(seconds, probe);
      const session = await opening;
      // After a pause, what is left of it may not be enough.
      if (!session.isLost && !session.isFresh) await session.renew();
      if (!session.isLost) return session;
      this.#forget(seconds, opening);
    }
  }

  /** One of its leases is gone: it is for nobody new, and whoever hangs on it is told, if it is that one. */
  drop(session: Session): void {
    void session.renew();
    for (const [seconds, opening] of this.#open)
      void opening.then((it) => it === session && this.#forget(seconds, opening)).catch(() => {});
  }

  #forget(seconds: number, opening: Promise<Session>): void {
    if (this.#open.get(seconds) === opening) this.#open.delete(seconds);
  }

  #begin(seconds: number, probe: string): Promise<Session> {
    const opening = Session.open(this.#client, seconds, probe);
    this.#open.set(seconds, opening);
    opening.catch(() => this.#forget(seconds, opening));
    return opening;
  }
}
