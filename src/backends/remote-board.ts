/**
 * A board that others on the network read: what this thread tells there, and when. An exchange tells and hears in one round
 * trip. It happens once an interval, while something that concerns the backend has been waited for longer than that; at
 * every look while a cycle is seen that has to be seen again, here or by another who says so.
 */
import { randomUUID } from 'node:crypto';
import { debuglog } from 'node:util';
import { show } from '../deadline.js';
import type { Board, Pace, Told } from '../deadlocks/census.js';
import { now } from '../parker/clock.js';
import type { Exchanged } from '../redis/waits.js';

const debug = debuglog('mortise');

/** Replaces what `thread` has told, for `lifetime` ms, and gives what all others have. */
export type Exchange = (thread: string, text: string | undefined, lifetime: number) => Promise<Exchanged>;

/** What is told: a bulletin, and what dates it. */
interface Envelope {
  readonly text: string;
  /** The call that this thread had finished before it wrote this; 0: none. */
  readonly after: number;
  /** It has seen a cycle, or is asked for cycles: the others shall not wait for their interval. */
  readonly isUrgent: boolean;
}

/** A call of this thread. */
interface Call {
  readonly number: number;
  /** By the clock of this thread, before it was sent. */
  readonly begun: number;
}

/** Milliseconds for which a bulletin is believed at least: that of a dead thread says nothing that counts anyway. */
const LIFETIME = 5000;
/** Calls of this thread that are remembered: those that date what others have told since. */
const MAX_CALLS = 100;
/** Of a thread whose tasks wait by the thousand. Deadlocks that it is in are found within its process then. */
const MAX_LENGTH = 2 ** 20;

export class RemoteBoard implements Board {
  readonly isRemote = true;
  readonly #thread: string = randomUUID();
  readonly #exchange: Exchange;
  #pending: Promise<void> | undefined;
  /** When the last call began. */
  #begun = -Infinity;
  readonly #calls: Call[] = [];
  /** Nothing is asked before: the server failed. */
  #rest = -Infinity;
  /** Has this thread something to tell? */
  #isTelling = false;
  /** Has the server something of it? */
  #isTold = false;
  #others: readonly Envelope[] = [];

  constructor(exchange: Exchange) {
    this.#exchange = exchange;
  }

  publish(text: string | undefined, { waited, interval, isUrgent }: Pace): void {
    if (text === undefined || waited < interval || text.length > MAX_LENGTH) {
      this.#isTelling = false;
      this.#others = [];
      this.#takeBack();
      return;
    }
    this.#isTelling = true;
    if (this.#pending !== undefined || now() < this.#rest) return;
    const isHurried = isUrgent || this.#others.some((other) => other.isUrgent);
    if (!isHurried && now() - this.#begun < interval) return;
    const envelope: Envelope = { text, after: this.#calls.at(-1)?.number ?? 0, isUrgent };
    this.#call(JSON.stringify(envelope), Math.max(LIFETIME, 3 * interval));
  }

  read(): Told[] {
    return this.#others.map(({ text, after }) => ({ text, at: this.#dated(after) }));
  }

  async settled(): Promise<void> {
    await this.#pending;
  }

  #call(text: string | undefined, lifetime: number): void {
    const begun = now();
    this.#begun = begun;
    this.#isTold = text !== undefined;
    this.#pending = this.#exchange(this.#thread, text, lifetime)
      .then(
        ({ number, texts }) => {
          this.#calls.push({ number, begun });
          if (this.#calls.length > MAX_CALLS) this.#calls.shift();
          this.#others = this.#isTelling ? texts.flatMap(opened) : [];
        },
        (error: unknown) => {
          // Locks go on. Deadlocks with other processes are not found meanwhile.
          debug('manager: cannot tell other processes what is waited for: %s', show(error));
          this.#others = [];
          this.#rest = now() + LIFETIME;
        },
      )
      .finally(() => {
        this.#pending = undefined;
        // It may have become nothing meanwhile.
        if (!this.#isTelling) this.#takeBack();
      });
  }

  #takeBack(): void {
    if (this.#isTold && this.#pending === undefined) this.#call(undefined, LIFETIME);
  }

  /**
   * A moment by the clock of this thread after which it was written. Other machines have other clocks, but the server
   * counts: whoever had finished a call that came after one of ours wrote this after ours began. 0: nothing is known.
   */
  #dated(after: number): number {
    return this.#calls.findLast(({ number }) => number <= after)?.begun ?? 0;
  }
}

/** Whatever is no envelope is somebody else's. */
function opened(value: string): Envelope[] {
  try {
    const { text, after, isUrgent } = JSON.parse(value) as Envelope;
    return typeof text === 'string' && typeof after === 'number' ? [{ text, after, isUrgent }] : [];
  } catch {
    return [];
  }
}
