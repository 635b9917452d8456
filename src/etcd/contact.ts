/** One client, as all locks that were given it share it. */
import { randomBytes } from 'node:crypto';
import type { Contender, Side } from '../remote/contender.js';
import type { Contest } from '../remote/contest.js';
import { Attendance } from './attendance.js';
import type { EtcdClient } from './client.js';
import type { Place } from './place-in-queue.js';
import { isPassing } from './refusal.js';
import { Sessions } from './session.js';

/** Milliseconds after which a waiter looks by itself at the latest: a member that stands still tells nothing. */
const LOOK = 3000;

export interface Seat {
  readonly queue: string;
  readonly number: number;
  /** The end of its keys. */
  readonly name: string;
}

export class Contact {
  readonly client: EtcdClient;
  readonly sessions: Sessions;
  readonly attendance: Attendance;
  /** What its tokens have at etcd. */
  readonly places: Map<string, Place> = new Map();
  /** What is being given back: whoever asks how things stand waits for it. */
  readonly leavings: Set<Promise<unknown>> = new Set();
  /** By key: who waits for what, in this process. */
  readonly #contenders = new Map<string, Contender>();
  readonly #side: Side;
  /** 128 random bits. */
  readonly #id = randomBytes(16).toString('base64url');
  #tokens = 0;
  /** By what the keys begin with: the numbers that are in use. */
  readonly #seats = new Map<string, Set<number>>();
  #generation = 0;

  private constructor(client: EtcdClient) {
    this.client = client;
    this.sessions = new Sessions(client);
    this.attendance = new Attendance(client);
    this.#side = {
      nextToken: (weight) => `${++this.#tokens}.${weight}`,
      waker: null,
      look: LOOK,
      isPassing,
      isClosed: () => client.isClosed,
    };
  }

  static readonly #contacts = new WeakMap<EtcdClient, Contact>();

  static of(client: EtcdClient): Contact {
    let it = Contact.#contacts.get(client);
    if (it === undefined) {
      it = new Contact(client);
      Contact.#contacts.set(client, it);
    }
    return it;
  }

  /**
   * A seat in a queue that nobody has. Seats are taken again and again: etcd keeps a trace of every key there ever was until it
   * is compacted, and goes through these when it is asked for all keys with a prefix.
   */
  take(queue: string): Seat {
    const taken = this.#seats.get(queue) ?? new Set();
    this.#seats.set(queue, taken);
    let number = 0;
    while (taken.has(number)) number++;
    taken.add(number);
    return { queue, number, name: `${this.#id}.${this.#generation.toString(36)}.${number.toString(36)}` };
  }

  /** Nobody has it now. If it `mayReturn`, by a request or a lease that nobody knows the end of, it is never taken again. */
  giveBack({ queue, number }: Seat, mayReturn: boolean): void {
    if (mayReturn) this.#generation++;
    const taken = this.#seats.get(queue);
    taken?.delete(number);
    if (taken?.size === 0) this.#seats.delete(queue);
  }

  /** The contest for all whose keys begin so. */
  contest(queue: string): Contest {
    return { key: queue, side: this.#side, contenders: this.#contenders, mainstays: [] };
  }
}
