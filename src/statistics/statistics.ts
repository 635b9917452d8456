/** The statistics of a manager: which rows of which board count for its names. */
import { createHash } from 'node:crypto';
import { checkNames, show, type Names } from '../deadline.js';
import { SpaceFullError } from '../errors.js';
import type { Lock } from '../lock.js';
import type { BackendReadWriteLock } from '../manager/backend.js';
import type { LockMode } from '../manager/limits.js';
import type { Description, Opened } from '../manager/named.js';
import type { NameStats, Participants, Statistics, StatisticsOptions } from '../manager/statistics.js';
import { ownBoard, sharedBoard, type Board } from './board.js';
import { MAX_LABEL_BYTES } from './layout.js';
import { MeasuredLock, MeasuredSyncLock } from './measured-lock.js';
import { isPrompt, PromptLock } from './prompt-lock.js';
import type { Row } from './row.js';
import { Tally, type Subject } from './tally.js';

/** @throws TypeError or RangeError that names the option. */
const OPTIONS: Names<StatisticsOptions> = { label: true };

export function statisticsFrom(
  options: boolean | StatisticsOptions,
  what: string,
  backend: string,
): Statistics | undefined {
  if (options === false) return undefined;
  if (options === true) return new SharedStatistics(backend, undefined);
  if (typeof options !== 'object' || (options as object | null) === null)
    throw new TypeError(`${what} must be true, false or an object, not ${show(options)}`);
  checkNames(options, what, OPTIONS);
  const { label } = options;
  if (label === undefined) return new SharedStatistics(backend, undefined);
  if (typeof label !== 'string') throw new TypeError(`${what}.label must be a string, not ${show(label)}`);
  const length = Buffer.byteLength(label);
  if (length === 0 || length > MAX_LABEL_BYTES)
    throw new RangeError(
      `${what}.label must have 1 to ${MAX_LABEL_BYTES} bytes in UTF-8, not ${length}: ${show(label)}`,
    );
  return new SharedStatistics(backend, label);
}

/** A row that this thread has open. */
interface Opening {
  readonly row: Row;
  readonly board: Board;
  /** Measured locks that count in it. */
  users: number;
}

/** By their texts. Two managers of one thread with the same backend have the same locks, and so the same rows. */
const openings = new Map<string, Opening>();

/** Managers that are garbage-collected without `cleanup()` give their rows back as well. */
const collected = new FinalizationRegistry<string>(leave);

function open(text: string, label: string | undefined, measuresAll: boolean): Row {
  const found = openings.get(text);
  if (found !== undefined) {
    found.users++;
    return found.row;
  }
  for (const board of boards(true)) {
    const row = board.open(text, label, measuresAll);
    if (row === undefined) continue;
    openings.set(text, { row, board, users: 1 });
    return row;
  }
  throw new SpaceFullError('there is no memory for the statistics of one more name');
}

function leave(text: string): void {
  const opening = openings.get(text) as Opening;
  if (--opening.users > 0) return;
  openings.delete(text);
  opening.board.close(opening.row);
}

/** Ids of backends as they are written on boards, and what they stand for. */
const backends = new Map<string, string>();

export class SharedStatistics implements Statistics {
  /** The id of its backend is what managers in different threads know each other by. */
  readonly #manager: string;
  readonly #label: string | undefined;
  /** What was reset, by texts. */
  readonly #before = new Map<string, Tally>();

  constructor(backend: string, label: string | undefined) {
    this.#manager = written(backend);
    this.#label = label;
  }

  measure(description: Description, opened: Opened): Opened;
  measure(description: Description, opened: Lock | BackendReadWriteLock): Lock | BackendReadWriteLock {
    if ('reader' in opened) {
      const reader = this.#measured(description, 'read', opened.reader);
      const writer = this.#measured(description, 'write', opened.writer);
      writer.reader = reader;
      const onClosed = (): void => {
        reader.onClosed();
        writer.onClosed();
      };
      const dispose = (): void | Promise<void> => {
        const closing = opened.dispose();
        return closing === undefined ? onClosed() : closing.then(onClosed);
      };
      return { reader, writer, dispose };
    }
    return this.#measured(description, description.kind === 'semaphore' ? 'semaphore' : 'lock', opened);
  }

  behind(lock: Lock): Lock {
    return lock instanceof MeasuredLock ? lock.behind : lock;
  }

  sweep(prefix: string): void {
    for (const board of boards()) board.sweep((text) => this.#subjectOf(text, prefix) !== undefined);
  }

  read(prefix: string): NameStats[] {
    const stats: NameStats[] = [];
    for (const [text, tally] of this.#tallies(prefix)) stats.push(tally.since(this.#before.get(text)));
    return stats;
  }

  reset(prefix: string, name: string | undefined): void {
    const tallies = this.#tallies('');
    // Of names that were forgotten nothing is needed any more.
    for (const text of this.#before.keys()) if (!tallies.has(text)) this.#before.delete(text);
    for (const [text, tally] of tallies) {
      const { subject } = tally;
      if (name === undefined ? subject.name.startsWith(prefix) : subject.name === prefix + name)
        this.#before.set(text, tally);
    }
  }

  participants(prefix: string): Participants[] {
    const found = new Map<string, { name: string; backend: string | undefined; tallies: Tally[] }>();
    for (const tally of this.#tallies(prefix).values()) {
      const { name, backend } = tally.subject;
      const key = `${backend}\0${name}`;
      const entry = found.get(key) ?? { name, backend, tallies: [] };
      entry.tallies.push(tally);
      found.set(key, entry);
    }
    return [...found.values()].map(({ name, backend, tallies }) => ({
      name,
      backend,
      holders: tallies.flatMap(({ holders }) => holders),
      waiters: tallies.flatMap(({ waiters }) => waiters),
    }));
  }

  #measured(description: Description, mode: LockMode, lock: Lock): MeasuredLock {
    const canBlock = description.backend?.capabilities.sync ?? 'acquireSync' in lock;
    const text = this.#textOf(description, mode);
    const row = open(text, this.#label, !(canBlock && isPrompt(lock)));
    const measured =
      canBlock && isPrompt(lock)
        ? new PromptLock(lock, row, mode)
        : new (canBlock ? MeasuredSyncLock : MeasuredLock)(lock, row, mode);
    collected.register(measured, text, measured);
    measured.onClosed = () => {
      if (collected.unregister(measured)) leave(text);
    };
    return measured;
  }

  #textOf({ name, backend }: Description, mode: LockMode): string {
    return `${this.#manager}\0${mode}\0${backend === undefined ? '' : written(backend.id)}\0${name}`;
  }

  /** Undefined: it is not one of this manager, or of this prefix. */
  #subjectOf(text: string, prefix: string): Subject | undefined {
    const [manager, mode = '', backend = '', ...rest] = text.split('\0');
    const name = rest.join('\0');
    if (manager !== this.#manager || !name.startsWith(prefix)) return undefined;
    return {
      name,
      mode: mode as LockMode,
      backend: backend === '' ? undefined : (backends.get(backend) ?? backend),
    };
  }

  #tallies(prefix: string): Map<string, Tally> {
    const tallies = new Map<string, Tally>();
    for (const board of boards())
      board.visit((row) => {
        const subject = this.#subjectOf(row.text, prefix);
        if (subject === undefined) return;
        const tally = tallies.get(row.text) ?? Tally.of(row, subject);
        tally.add(row);
        tallies.set(row.text, tally);
      });
    return tallies;
  }
}

/** The shared one, then one of this thread's own, which is made if `isNeeded`. */
function* boards(isNeeded = false): Generator<Board> {
  const shared = sharedBoard();
  if (shared !== undefined) yield shared;
  const own = ownBoard(isNeeded);
  if (own !== undefined) yield own;
}

/** Room for two of them and a name in a text. */
const MAX_ID_BYTES = 120;
const KEPT = 76;

/** The id of a backend, or what is unmistakable of it. */
function written(id: string): string {
  if (Buffer.byteLength(id) <= MAX_ID_BYTES && !id.includes('\0')) return id;
  const start = Buffer.from(id.replaceAll('\0', '')).subarray(0, KEPT).toString();
  const text = `${start}~${createHash('sha256').update(id).digest('base64url')}`;
  backends.set(text, id);
  return text;
}
