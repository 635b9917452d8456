/** A client of an etcd cluster. */
import { clearTimeout, setTimeout } from '../parker/clock.js';
import { Endpoint } from './endpoint.js';
import { checkClientOptions, type EtcdClientOptions } from './place.js';
import type { Txn, TxnAnswer } from './protocol.js';
import { CODE, EtcdError, EtcdUnavailable, isOfEndpoint } from './refusal.js';

/** Milliseconds that one endpoint is waited for, before another one is asked. */
const PATIENCE = 1500;
/** Milliseconds until a watch that was cut off is taken up again: the first time, and at the most. */
const FIRST_PAUSE = 20;
const LONGEST_PAUSE = 1000;
/** Milliseconds for which a stream stays that nobody listens to any more. */
const STREAM_LINGER = 20;

interface Asking {
  /** Milliseconds for each endpoint. */
  readonly patience?: number;
  /** Keeps no process alive. */
  readonly isQuiet?: boolean;
  /** Told when an endpoint did not answer: it may yet carry it out, after another one has. */
  readonly onDoubt?: () => void;
}

interface WatchAnswer {
  readonly header?: { readonly revision: string };
  readonly created?: boolean;
  readonly canceled?: boolean;
  readonly cancel_reason?: string;
  readonly compact_revision?: string;
  readonly events?: readonly {
    readonly type?: string;
    readonly kv: { readonly key: string; readonly mod_revision: string };
  }[];
}

export interface Watching {
  /** In base64; with `range_end` all keys of a range. What is deleted of several in one revision is told one by one, in any order. */
  readonly keys: readonly { readonly key: string; readonly range_end?: string }[];
  /** From this revision on, nothing is missed. It may be told twice. */
  readonly from: bigint;
  /** A key was deleted, at that revision. */
  readonly onDelete: (key: string, revision: bigint) => void;
  /**
   * It began only at that revision, when something had happened already. Of that, etcd tells up to 100 ms later: it looks so
   * often for those who watch the past.
   */
  readonly onLate?: (revision: bigint) => void;
  /** What happened meanwhile cannot be told any more: it was compacted, or may not be watched. */
  readonly onGap: () => void;
}

/**
 * A connection to an etcd cluster, by the JSON gateway that every member has: no package is needed. If a member does not
 * answer, the next one is asked. Locks that are given `endpoints` share one by themselves; make one to share it by hand,
 * or for transactions of your own.
 *
 * @example
 * ```js
 * import { EtcdClient, EtcdLock } from 'mortise/etcd';
 *
 * const client = new EtcdClient({ endpoints: process.env.ETCD_ENDPOINTS.split(',') });
 * const lock = new EtcdLock('ledger', { client });
 * const base64 = (text) => Buffer.from(text).toString('base64');
 *
 * await lock.withLock(async (lease) => {
 *   const { succeeded } = await client.txn({
 *     compare: [lease.isOwner], // etcd itself refuses it once the lock is lost
 *     success: [{ request_put: { key: base64('balance'), value: base64('17') } }],
 *     failure: [],
 *   });
 *   succeeded; // => true
 * });
 *
 * await client.close();
 * ```
 */
export class EtcdClient {
  /** The addresses, as they are asked one after another. */
  readonly endpoints: readonly string[];
  readonly #endpoints: readonly Endpoint[];
  readonly #user: { name: string; password: string } | undefined;
  #token: Promise<string> | undefined;
  /** Which endpoint answered last. */
  #current = 0;
  #isClosing = false;
  #isClosed = false;
  readonly #closers: (() => Promise<unknown>)[] = [];

  /** Asks nothing yet. @throws TypeError or RangeError that names the option, and tells no password. */
  constructor(options: EtcdClientOptions) {
    const { endpoints, tls, user } = checkClientOptions(options);
    this.#endpoints = endpoints.map((url) => new Endpoint(url, tls));
    this.endpoints = this.#endpoints.map(({ url }) => url);
    this.#user = user;
  }

  get isClosed(): boolean {
    return this.#isClosing;
  }

  /**
   * A transaction, in the form of etcd's JSON gateway: keys and values in base64, numbers as strings. If no member answers
   * it may have been carried out.
   * @throws EtcdError, EtcdUnavailable
   */
  async txn(txn: Txn): Promise<TxnAnswer> {
    return (await this.ask('/v3/kv/txn', txn)) as TxnAnswer;
  }

  /** As {@link txn}, for one that must not be carried out later. @internal */
  async txnInDoubt(txn: Txn, onDoubt: () => void): Promise<TxnAnswer> {
    return (await this.ask('/v3/kv/txn', txn, { onDoubt })) as TxnAnswer;
  }

  /** One request. Whoever does not answer is asked no more until the others fail. @internal */
  async ask(
    path: string,
    body: object,
    { patience = PATIENCE, isQuiet = false, onDoubt }: Asking = {},
  ): Promise<unknown> {
    const failures: EtcdError[] = [];
    const first = this.#current;
    let hasRetried = false;
    for (let count = 0; count < this.#endpoints.length; count++) {
      const place = (first + count) % this.#endpoints.length;
      if (this.#isClosed)
        throw new EtcdError(this.endpoints.join(', '), 'the client is closed', CODE.cancelled);
      try {
        return await this.#askAs(this.#endpoints[place] as Endpoint, path, body, patience, isQuiet);
      } catch (error) {
        if (!isOfEndpoint(error)) throw error;
        onDoubt?.();
        // It had closed a connection that was not used for a while: that says nothing of how it is.
        if (error.wasIdle && !hasRetried) {
          hasRetried = true;
          count--;
          continue;
        }
        failures.push(error);
        this.#leave(place);
      }
    }
    throw failures.length === 1 ? (failures[0] as EtcdError) : new EtcdUnavailable(failures);
  }

  /** With the token of the user, and with another one if etcd does not take it any more. */
  async #askAs(
    endpoint: Endpoint,
    path: string,
    body: object,
    patience: number,
    isQuiet: boolean,
  ): Promise<unknown> {
    const ask = async (): Promise<unknown> =>
      endpoint.ask(path, body, patience, await this.#authenticated(endpoint, patience), isQuiet);
    const token = this.#token;
    try {
      return await ask();
    } catch (error) {
      if (this.#user === undefined || !isOutdated(error)) throw error;
      if (this.#token === token || token === undefined) this.#token = undefined;
      return ask();
    }
  }

  #authenticated(endpoint: Endpoint, patience: number): Promise<string> | string {
    if (this.#user === undefined) return '';
    if (this.#token !== undefined) return this.#token;
    const token = endpoint
      .ask('/v3/auth/authenticate', this.#user, patience, '', false)
      .then((answer) => (answer as { token: string }).token);
    token.catch(() => {
      if (this.#token === token) this.#token = undefined;
    });
    return (this.#token = token);
  }

  /**
   * Tells what is deleted, from a revision on, whatever happens to the stream: when it is cut off it is taken up again, at
   * another member. Returns what ends it.
   * @internal
   */
  watch({ keys, from, onDelete, onLate, onGap }: Watching): () => void {
    let isOver = false;
    let pause = FIRST_PAUSE;
    let endStream = (): void => {};
    const create = keys.map((range) => ({
      create_request: { ...range, start_revision: String(from), filters: ['NOPUT'] },
    }));
    const onMessage = (message: WatchAnswer): void => {
      if (isOver) return;
      if (message.canceled === true) {
        // Whoever watches looks by itself: then it needs no events from before.
        stop();
        setTimeout(onGap, FIRST_PAUSE).unref();
      } else if (message.created === true) {
        pause = FIRST_PAUSE;
        const revision = BigInt(message.header?.revision ?? 0);
        if (revision >= from) onLate?.(revision);
      }
      for (const { type, kv } of message.events ?? [])
        if (type === 'DELETE' && !isOver) onDelete(kv.key, BigInt(kv.mod_revision));
    };
    const resume = (place: number): void => {
      this.#leave(place);
      if (this.#isClosed || isOver) return;
      const timer = setTimeout(() => void open(), pause).unref();
      endStream = () => clearTimeout(timer);
      pause = Math.min(pause * 2, LONGEST_PAUSE);
    };
    const open = async (): Promise<void> => {
      const place = this.#current;
      const endpoint = this.#endpoints[place] as Endpoint;
      let token: string;
      try {
        token = await this.#authenticated(endpoint, PATIENCE);
      } catch {
        resume(place);
        return;
      }
      if (isOver) return;
      endStream = endpoint.listen('/v3/watch', create, token, {
        onMessage,
        onEnd: (reason) => {
          if (isOutdated(reason)) this.#token = undefined;
          resume(place);
        },
      });
    };
    const stop = (): void => {
      isOver = true;
      // Whoever was woken has something to ask that is urgent; to end a stream keeps both sides busy for a while.
      setTimeout(() => endStream(), STREAM_LINGER).unref();
    };
    void open();
    return stop;
  }

  /** @internal */
  beforeClose(closer: () => Promise<unknown>): void {
    this.#closers.push(closer);
  }

  /** Gives back what its locks still hold or wait for, and ends all connections. */
  async close(): Promise<void> {
    if (this.#isClosed) return;
    this.#isClosing = true;
    await Promise.allSettled(this.#closers.map((close) => close()));
    this.#isClosed = true;
    for (const endpoint of this.#endpoints) endpoint.close();
  }

  #leave(place: number): void {
    if (this.#current === place) this.#current = (place + 1) % this.#endpoints.length;
  }
}

/** Tokens expire, and those from before a change of users count no more. */
function isOutdated(error: unknown): boolean {
  if (!(error instanceof EtcdError)) return false;
  return error.code === CODE.unauthenticated || /auth store is old|user name is empty/.test(error.message);
}
