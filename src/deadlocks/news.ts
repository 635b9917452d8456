/** The bulletins of the other threads, of this process and of others that share a backend. */
import { now } from '../parker/clock.js';
import { ThreadChannel, type Listener as ChannelListener } from './channel.js';
import type { Board, Pace, Told } from './census.js';
import type { OrderNews } from './order.js';
import type { Sources } from './sources.js';
import { self } from './task.js';
import { partyKey, type Bulletin, type Wait } from './wait.js';

/** Milliseconds after which nobody believes a bulletin any more: its thread has ended, or does nothing. */
const LIFETIME = 60_000;

interface Listener extends ChannelListener {
  /** There is something new on a board, or others want to find something there. */
  called(): void;
}

export class News {
  readonly #sources: Sources;
  readonly #listener: Listener;
  /** From the threads of this process. */
  readonly #heard = new Map<string, Bulletin>();
  #channel: ThreadChannel | undefined;
  /** The last bulletin had something in it; its waits. */
  #isTold = false;
  #content = '';
  /** How many others have told something there. */
  readonly #readers = new WeakMap<Board, number>();

  constructor(sources: Sources, listener: Listener) {
    this.#sources = sources;
    this.#listener = listener;
  }

  /** From now on, what the threads of this process tell is heard here. */
  listen(): void {
    this.#channel ??= new ThreadChannel({
      ...this.#listener,
      heard: (bulletin) => {
        note(bulletin, this.#heard);
        this.#listener.heard(bulletin);
      },
    });
  }

  /** Everybody who waits shall say so now, or soon: whoever finds a bulletin on a board tells his own anew. */
  async ask(bulletin: Bulletin, awaited: ReadonlySet<string>): Promise<void> {
    this.#isTold = true;
    this.#channel?.ask();
    const boards = [...this.#boards().keys()];
    // Whoever asks waits for the answer.
    const pace: Pace = { lasting: [], interval: 0, awaited, isAsking: true };
    for (const board of boards) board.publish(JSON.stringify(bulletin), pace);
    for (const board of boards) await board.settled?.();
  }

  /** Do others take their time to answer? */
  get isSlow(): boolean {
    for (const board of this.#boards().keys()) if (board.isRemote === true) return true;
    return false;
  }

  /** Unless it is empty, as the last one was, or as whoever asks has told. */
  publish(bulletin: Bulletin, pace: Pace): void {
    const isEmpty = bulletin.waits.length === 0;
    if (isEmpty && (!this.#isTold || pace.isAsking)) return;
    this.#isTold = !isEmpty;
    this.tell(bulletin);
    const content = bulletin.waits.map(({ id }) => id).join(' ');
    for (const [board, backends] of this.#boards()) {
      // What is told again is only for those who look there as well. A remote one sees to that by itself.
      const isRemote = board.isRemote === true;
      const isNews = isRemote || content !== this.#content || (this.#readers.get(board) ?? 0) > 0;
      if (isEmpty || (isRemote && !isAbout(bulletin, backends))) board.publish(undefined, pace);
      else if (isNews) board.publish(JSON.stringify(bulletin), pace);
    }
    this.#content = content;
  }

  /** To the threads of this process. */
  tell(news: Bulletin | OrderNews): void {
    this.#channel?.tell(news);
  }

  /** What the others told last. */
  others(): Bulletin[] {
    const oldest = now() - LIFETIME;
    for (const [key, { at }] of this.#heard) if (at < oldest) this.#heard.delete(key);
    const latest = new Map(this.#heard);
    for (const board of this.#boards().keys()) {
      const all = board.read();
      this.#readers.set(board, all.length);
      for (const told of all) note(parsed(told), latest);
    }
    latest.delete(partyKey(self));
    return [...latest.values()];
  }

  get someWait(): boolean {
    return [...this.#heard.values()].some(({ waits }) => waits.length > 0);
  }

  /** A thread that blocks, with what it has told of that before. */
  detailed(wait: Wait): Wait {
    const told = this.#heard.get(partyKey(wait.party))?.blocking;
    if (told?.subject.id !== wait.subject.id) return wait;
    const holds = wait.holds.map((hold) => {
      const noted = told.holds.find(({ subject }) => subject.id === hold.subject.id);
      return noted === undefined ? hold : { ...hold, since: noted.since, where: noted.where };
    });
    return { ...wait, holds, since: told.since, where: told.where };
  }

  /** Each, and the backends that share it: one may have several ids. */
  #boards(): Map<Board, string[]> {
    const boards = new Map<Board, string[]>();
    for (const [backend, { board }] of this.#sources.all()) {
      if (board === undefined) continue;
      board.listen?.(() => this.#listener.called());
      boards.set(board, [...(boards.get(board) ?? []), backend]);
    }
    return boards;
  }
}

/** May a cycle lead through it and a lock of these backends? Nobody waits for a thread of which nothing is known to be held. */
function isAbout({ waits, bare }: Bulletin, backends: readonly string[]): boolean {
  const held = [...waits.flatMap(({ holds }) => holds), ...bare];
  return (
    held.length > 0 &&
    [...waits, ...held].some(({ subject: { backend } }) => backends.includes(backend ?? ''))
  );
}

function note(bulletin: Bulletin | undefined, latest: Map<string, Bulletin>): void {
  if (bulletin === undefined) return;
  const key = partyKey(bulletin.party);
  if ((latest.get(key)?.at ?? -Infinity) < bulletin.at) latest.set(key, bulletin);
}

/** Undefined: no bulletin. */
function parsed({ text, at: dated }: Told): Bulletin | undefined {
  try {
    const told = JSON.parse(text) as Bulletin;
    const { party, waits, bare } = told;
    const at = dated ?? told.at;
    const isWhole = typeof at === 'number' && Array.isArray(waits) && Array.isArray(bare);
    return isWhole ? { party, at, waits, bare, blocking: undefined } : undefined;
  } catch {
    return undefined;
  }
}
