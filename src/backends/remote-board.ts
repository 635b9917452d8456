/**
 * A board that others on the network read: what this thread tells there, and when. An exchange tells and hears in one round
 * trip. It happens when something has lasted that was not told yet, and once a second after that. Who sees a cycle calls
 * those in it, since all of it has to be told once more: they are heard at once then, and call back.
 */
import { debuglog } from 'node:util';
import { show } from '../deadline.js';
import type { Board, Pace, Told } from '../deadlocks/census.js';
import { self } from '../deadlocks/task.js';
import { partyKey } from '../deadlocks/wait.js';
import { now } from '../parker/clock.js';
import type { Call, TextOfThread, WaitsLine } from '../redis/waits.js';
import { once } from './remote.js';

const debug = debuglog('mortise');

/** What is told: a bulletin, whose it is, and what dates it. */
interface Envelope {
  readonly text: string;
  readonly party: string;
  /** The number of the last exchange before this was written, as far as this thread has heard; 0: none. */
  readonly after: number;
}

interface Other extends Envelope {
  readonly address: string;
}

/** An exchange of this thread. */
interface Exchange {
  readonly number: number;
  /** By the clock of this thread, before it was sent. */
  readonly begun: number;
}

/** Milliseconds for which a bulletin is believed at least: that of a dead thread says nothing that counts anyway. */
const LIFETIME = 5000;
/** Milliseconds after which the same is told again: a server may lose what it was told, and a call may be lost. */
const RENEWAL = 1000;
/** Exchanges of this thread that are remembered: those that date what others have told since. */
const MAX_EXCHANGES = 100;
/** Of a thread whose tasks wait by the thousand. Deadlocks that it is in are found within its process then. */
const MAX_LENGTH = 2 ** 20;
/** In an interval: how often the same thread is called. */
const CALLS = 5;

export class RemoteBoard implements Board {
  readonly isRemote = true;
  readonly #open: () => Promise<WaitsLine>;
  #line: WaitsLine | undefined;
  #onNews = (): void => undefined;
  #pending: Promise<void> | undefined;
  /** When the last exchange began. */
  #begun = -Infinity;
  readonly #exchanges: Exchange[] = [];
  /** Nothing is asked before: the server failed. */
  #rest = -Infinity;
  /** Has this thread something to tell? */
  #isTelling = false;
  /** Has the server something of it? */
  #isTold = false;
  /** What has lasted, as others were told. */
  #told: ReadonlySet<string> = new Set();
  #others: readonly Other[] = [];
  /** The greatest number of an exchange in which others have called. */
  #heard = 0;
  /** Addresses of those who have asked since the last exchange began. */
  readonly #askers = new Set<string>();
  /** By address: when it was asked. */
  readonly #askedAt = new Map<string, number>();
  /** Those of them that have not answered. */
  readonly #unanswered = new Set<string>();
  /** All of them have answered since the last exchange began. */
  #isAnswered = false;
  #endListening: (() => void) | undefined;

  constructor(open: () => Promise<WaitsLine>) {
    this.#open = once(open);
  }

  listen(onNews: () => void): void {
    this.#onNews = onNews;
  }

  publish(text: string | undefined, pace: Pace): void {
    const { lasting, interval, isAsking } = pace;
    if (text === undefined || (lasting.length === 0 && !isAsking) || text.length > MAX_LENGTH) {
      this.#stop();
      return;
    }
    this.#isTelling = true;
    if (this.#pending !== undefined || now() < this.#rest) return;
    const asked = this.#toBeAsked(pace);
    const isCalled = asked.length > 0 || this.#askers.size > 0 || this.#isAnswered;
    const isNews = lasting.some((id) => !this.#told.has(id));
    if (!isCalled && !isNews && now() - this.#begun < this.#patience(interval, isAsking)) return;
    this.#told = new Set(lasting);
    const after = Math.max(this.#heard, this.#exchanges.at(-1)?.number ?? 0);
    const envelope: Envelope = { text, party: partyKey(self), after };
    this.#exchange(JSON.stringify(envelope), Math.max(LIFETIME, 3 * interval), asked, lasting.length > 0);
  }

  read(): Told[] {
    return this.#others.map(({ text, after }) => ({ text, at: this.#dated(after) }));
  }

  async settled(): Promise<void> {
    await this.#pending;
  }

  /** Milliseconds until others are heard though nothing is new. */
  #patience(interval: number, isAsking: boolean): number {
    if (isAsking) return interval / CALLS;
    return this.#line?.isListening === true ? Math.max(interval, RENEWAL) : interval;
  }

  #toBeAsked({ awaited, interval }: Pace): string[] {
    const time = now();
    const asked = this.#others
      .filter(({ party, address }) => {
        const askedAt = this.#askedAt.get(address) ?? -Infinity;
        return awaited.has(party) && time - askedAt >= interval / CALLS;
      })
      .map(({ address }) => address);
    if (awaited.size === 0) {
      this.#askedAt.clear();
      this.#unanswered.clear();
    }
    for (const address of asked) {
      this.#askedAt.set(address, time);
      this.#unanswered.add(address);
    }
    return asked;
  }

  #exchange(
    text: string | undefined,
    lifetime: number,
    asked: readonly string[],
    mayBeCalled: boolean,
  ): void {
    const begun = now();
    const answered = [...this.#askers];
    this.#begun = begun;
    this.#isTold = text !== undefined;
    this.#isAnswered = false;
    this.#askers.clear();
    const exchanged = async (): Promise<void> => {
      const line = (this.#line ??= await this.#open());
      if (mayBeCalled) this.#endListening ??= line.listen((call) => this.#hear(call));
      const { number, texts } = await line.exchange({ text, lifetime, asked, answered });
      this.#exchanges.push({ number, begun });
      if (this.#exchanges.length > MAX_EXCHANGES) this.#exchanges.shift();
      this.#others = this.#isTelling ? texts.flatMap(opened) : [];
    };
    this.#pending = exchanged()
      .catch((error: unknown) => {
        // Locks go on. Deadlocks with other processes are not found meanwhile.
        debug('manager: cannot tell other processes what is waited for: %s', show(error));
        this.#others = [];
        this.#told = new Set();
        this.#rest = now() + LIFETIME;
      })
      .finally(() => {
        this.#pending = undefined;
        if (this.#isTelling) this.#onNews();
        // It may have become nothing meanwhile.
        else this.#stop();
      });
  }

  #hear({ number, from, isAsking }: Call): void {
    this.#heard = Math.max(this.#heard, number);
    if (isAsking) this.#askers.add(from);
    else if (!this.#unanswered.delete(from) || this.#unanswered.size > 0) return;
    else this.#isAnswered = true;
    // What is under way may have been sent before it.
    if (this.#isTelling && this.#pending === undefined) this.#onNews();
  }

  #stop(): void {
    this.#isTelling = false;
    this.#others = [];
    this.#told = new Set();
    this.#askers.clear();
    this.#askedAt.clear();
    this.#unanswered.clear();
    if (this.#pending !== undefined) return;
    this.#endListening?.();
    this.#endListening = undefined;
    if (this.#isTold) this.#exchange(undefined, LIFETIME, [], false);
  }

  /**
   * A moment by the clock of this thread after which it was written. Other machines have other clocks, but the server
   * counts: whoever had heard of a call that came after an exchange of ours wrote this after ours began. 0: nothing is known.
   */
  #dated(after: number): number {
    return this.#exchanges.findLast(({ number }) => number <= after)?.begun ?? 0;
  }
}

/** Whatever is no envelope is somebody else's. */
function opened({ address, text: value }: TextOfThread): Other[] {
  try {
    const { text, party, after } = JSON.parse(value) as Envelope;
    const isWhole = typeof text === 'string' && typeof party === 'string' && typeof after === 'number';
    return isWhole ? [{ address, text, party, after }] : [];
  } catch {
    return [];
  }
}
