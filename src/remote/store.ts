/** What one lock needs of the servers that keep it. Every call may be repeated with the same token. */
export interface Store {
  /** The lock in words, for messages. */
  readonly description: string;
  /** Of several servers, what each of them is by itself. */
  readonly parts?: readonly Store[];

  /**
   * Takes the lock for `ttl` ms, or says when it is worth another look. If it `queues`, the token stands in the server's
   * queue from now on, if there is one; it has to look again every second.
   */
  attempt(token: string, ttl: number, queues: boolean): Promise<Attempt>;

  /** Holds on for `ttl` ms from now. False: the lock is not the token's any more. */
  extend(token: string, ttl: number): Promise<boolean>;

  /** Ends what the token has, a hold or a place in the queue. False: it held nothing. */
  release(token: string): Promise<boolean>;
}

export type Attempt = Taken | Refused;

export interface Taken {
  readonly taken: true;
  readonly fence: bigint;
  readonly abandoned: boolean;
}

export interface Refused {
  readonly taken: false;
  /** Milliseconds until the lock may be free without anybody being told. */
  readonly lookAfter: number;
  /** Who holds it, or what the servers said, in words; empty if it is not known. */
  readonly reason: string;
  /** What the token had has been given back: the next attempt needs another one. */
  readonly isSpent?: boolean;
  /** If the store knows how: calls back when it is worth another look. Returns what ends that. */
  readonly watch?: (wake: () => void) => () => void;
  /** Too many servers failed, so that nobody knows. */
  readonly failure?: Error;
}
