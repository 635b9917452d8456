/**
 * Where the threads of a process count, so that each of them can tell of all: a board of rows, which workers inherit as
 * they do the default space. Rows are found by their text. One that its thread has closed, or left by ending, is kept as
 * long as another thread has one of the same text, or until it is swept.
 *
 * Beside the board lies the memory of a space of one lock that nobody uses: for its latch, which no death can keep closed,
 * and because a thread that is present there has an id, of which everybody can ask whether it lives.
 */
import { getEnvironmentData, isMainThread, setEnvironmentData, threadId } from 'node:worker_threads';
import { MAX_THREADS } from '../space/layout.js';
import { createMemory, readMemory } from '../space/memory.js';
import type { Presence } from '../space/presence.js';
import { runtime } from '../space/runtime.js';
import {
  ABANDONED,
  CHAINS,
  CHAIN_COUNT,
  FIRST_ROW,
  FREE,
  HELD,
  LABEL,
  LABEL_LENGTH,
  MAX_ROWS,
  MEASURES_ALL,
  NEXT,
  NOTED,
  OWNER,
  ROWS_USED,
  ROW_BYTES,
  SERIAL,
  SERIALS,
  TEXT,
  TEXT_LENGTH,
  THREAD_ID,
  TICK_F64,
  WAITING,
} from './layout.js';
import { Row, viewsOf } from './row.js';
import { Ticker } from './ticker.js';

const ENVIRONMENT_KEY = 'mortise/statistics/1';

/** What workers inherit. */
interface Shared {
  readonly memory: SharedArrayBuffer;
  readonly rows: SharedArrayBuffer;
}

/** A row as others read it, under the latch. */
export interface Read {
  readonly words: Int32Array;
  readonly values: Float64Array;
  readonly text: string;
  readonly label: string | undefined;
}

export class Board {
  /** Kept, for this thread is buried through it. */
  readonly #presence: Presence;
  readonly #rows: SharedArrayBuffer;
  readonly #header: Int32Array;
  readonly #ticker: Ticker;

  constructor({ memory, rows }: Shared) {
    this.#presence = runtime().presenceIn(readMemory(memory));
    this.#rows = rows;
    this.#ticker = new Ticker(new Float64Array(rows, TICK_F64 * 8, 1));
    this.#header = new Int32Array(rows, 0, (FIRST_ROW * ROW_BYTES) / 4);
  }

  /** This thread's row with this text; undefined if there is no room. */
  open(text: string, label: string | undefined, measuresAll: boolean): Row | undefined {
    const bytes = Buffer.from(text);
    return this.#latched((isDead) => {
      const chain = chainOf(bytes);
      let serial: number | undefined;
      let found = 0;
      for (const row of this.#chained(chain, bytes)) {
        const { words, values } = viewsOf(this.#rows, row);
        bury(words, values, isDead);
        serial = words[SERIAL];
        if (words[OWNER] === 0) found = row;
      }
      found ||= this.#make(chain, bytes, serial);
      if (found === 0) return undefined;
      const { words, values } = viewsOf(this.#rows, found);
      values[NOTED] = 0; // Those of another thread.
      words[THREAD_ID] = threadId;
      words[LABEL_LENGTH] = this.#bytes(found, LABEL * 8).write(label ?? '');
      words[MEASURES_ALL] = measuresAll ? 1 : 0;
      words[OWNER] = this.#presence.attachment.id;
      return new Row(this.#rows, found, this.#ticker);
    });
  }

  /** Gives a row back. */
  close(row: Row): void {
    row.close();
    this.#latched((isDead) => {
      const { words, values } = viewsOf(this.#rows, row.index);
      bury(words, values, () => true);
      const bytes = this.#bytes(row.index, TEXT, words[TEXT_LENGTH]);
      const same = [...this.#chained(chainOf(bytes), bytes)];
      for (const one of same) {
        const { words, values } = viewsOf(this.#rows, one);
        bury(words, values, isDead);
        if (words[OWNER] !== 0) return;
      }
      for (const one of same) this.#free(one);
    });
  }

  /** Gives back the rows whose texts match and which no living thread has open. */
  sweep(matches: (text: string) => boolean): void {
    this.#latched((isDead) => {
      const open = new Set<number>();
      const others: { row: number; serial: number }[] = [];
      for (const row of this.#used()) {
        const { words, values } = viewsOf(this.#rows, row);
        bury(words, values, isDead);
        const serial = words[SERIAL] as number;
        if (words[OWNER] !== 0) open.add(serial);
        else if (matches(this.#bytes(row, TEXT, words[TEXT_LENGTH]).toString())) others.push({ row, serial });
      }
      for (const { row, serial } of others) if (!open.has(serial)) this.#free(row);
    });
  }

  /** Shows every row, as it is once the dead are buried. */
  visit(visitor: (row: Read) => void): void {
    this.#latched((isDead) => {
      for (const row of this.#used()) {
        const { words, values } = viewsOf(this.#rows, row);
        bury(words, values, isDead);
        const length = words[LABEL_LENGTH] as number;
        visitor({
          words,
          values,
          text: this.#bytes(row, TEXT, words[TEXT_LENGTH]).toString(),
          label: length === 0 ? undefined : this.#bytes(row, LABEL * 8, length).toString(),
        });
      }
    });
  }

  /** 0: there is no room. */
  #make(chain: number, text: Buffer, serial: number | undefined): number {
    const row = this.#take();
    if (row === 0) return 0;
    const { words, values } = viewsOf(this.#rows, row);
    values.fill(0);
    this.#bytes(row, TEXT).set(text);
    words[SERIAL] = serial ?? (this.#header[SERIALS] = (this.#header[SERIALS] as number) + 1);
    words[TEXT_LENGTH] = text.length;
    words[NEXT] = this.#header[chain] as number;
    this.#header[chain] = row;
    return row;
  }

  #take(): number {
    const header = this.#header;
    const free = header[FREE] as number;
    if (free !== 0) {
      header[FREE] = viewsOf(this.#rows, free).words[NEXT] as number;
      return free;
    }
    const row = Math.max(header[ROWS_USED] as number, FIRST_ROW);
    if ((row + 1) * ROW_BYTES > this.#rows.byteLength && !grow(this.#rows)) return 0;
    header[ROWS_USED] = row + 1;
    return row;
  }

  /** Out of its chain first: whoever dies in between leaves a row that nobody uses. */
  #free(row: number): void {
    const { words } = viewsOf(this.#rows, row);
    const chain = chainOf(this.#bytes(row, TEXT, words[TEXT_LENGTH]));
    const next = words[NEXT] as number;
    if (this.#header[chain] === row) this.#header[chain] = next;
    for (const one of this.#chained(chain)) {
      const before = viewsOf(this.#rows, one).words;
      if (before[NEXT] === row) before[NEXT] = next;
    }
    words[TEXT_LENGTH] = 0;
    words[NEXT] = this.#header[FREE] as number;
    this.#header[FREE] = row;
  }

  /** The rows of a chain; of one text, if it is said. */
  *#chained(chain: number, text?: Buffer): Generator<number> {
    for (let row = this.#header[chain] as number; row !== 0;) {
      const { words } = viewsOf(this.#rows, row);
      const next = words[NEXT] as number;
      if (text === undefined || this.#bytes(row, TEXT, words[TEXT_LENGTH]).equals(text)) yield row;
      row = next;
    }
  }

  *#used(): Generator<number> {
    const end = this.#header[ROWS_USED] as number;
    for (let row = FIRST_ROW; row < end; row++)
      if (viewsOf(this.#rows, row).words[TEXT_LENGTH] !== 0) yield row;
  }

  #bytes(row: number, at: number, length: number = ROW_BYTES - at): Buffer {
    return Buffer.from(this.#rows, row * ROW_BYTES + at, length);
  }

  /** Asks about each thread once. */
  #latched<T>(section: (isDead: (id: number) => boolean) => T): T {
    const { attachment } = this.#presence;
    const dead = new Map<number, boolean>([[attachment.id, false]]);
    return attachment.exclusively(() =>
      section((id) => {
        const known = dead.get(id) ?? attachment.isDead(id);
        dead.set(id, known);
        return known;
      }),
    );
  }
}

/** If the owner has ended, what it held and waited for has ended as well. */
function bury(words: Int32Array, values: Float64Array, isDead: (id: number) => boolean): void {
  const owner = words[OWNER] as number;
  if (owner === 0 || !isDead(owner)) return;
  values[ABANDONED] = (values[ABANDONED] as number) + (values[HELD] as number);
  values[HELD] = 0;
  values[WAITING] = 0;
  words[OWNER] = 0;
}

/** FNV-1a. */
function chainOf(text: Buffer): number {
  let hash = 0x811c9dc5;
  for (const byte of text) hash = Math.imul(hash ^ byte, 0x01000193);
  return CHAINS + ((hash ^ (hash >>> 16)) & (CHAIN_COUNT - 1));
}

function grow(rows: SharedArrayBuffer): boolean {
  const { byteLength, maxByteLength } = rows;
  if (byteLength === maxByteLength) return false;
  try {
    rows.grow(Math.min(byteLength * 2, maxByteLength));
    return true;
  } catch (error) {
    if (error instanceof RangeError) return false; // The system has no more memory.
    throw error;
  }
}

/** Of rows address space only: the system gives a page once it is written to. Undefined: it refuses even that. */
function create(threads: number): Shared | undefined {
  for (let rows = MAX_ROWS; rows > 2 * FIRST_ROW; rows /= 2)
    try {
      const maxByteLength = rows * ROW_BYTES;
      return {
        rows: new SharedArrayBuffer(2 * FIRST_ROW * ROW_BYTES, { maxByteLength }),
        memory: createMemory(1, threads).buffer as SharedArrayBuffer,
      };
    } catch (error) {
      if (!(error instanceof RangeError)) throw error;
    }
  return undefined;
}

let inherited: Board | undefined;
let own: Board | undefined;

/** The board that the threads of this process share; undefined in a worker that has inherited none. */
export function sharedBoard(): Board | undefined {
  return (inherited ??= boardOf(getEnvironmentData(ENVIRONMENT_KEY) as unknown as Shared | undefined));
}

/** A board that this thread has for itself, once it has needed one. */
export function ownBoard(isNeeded: boolean): Board | undefined {
  return (own ??= isNeeded ? boardOf(create(2)) : undefined);
}

function boardOf(shared: Shared | undefined): Board | undefined {
  return shared && new Board(shared);
}

// Now, and not at first use: a worker inherits what is there when it is made.
if (isMainThread && getEnvironmentData(ENVIRONMENT_KEY) === undefined)
  setEnvironmentData(ENVIRONMENT_KEY, create(MAX_THREADS));
