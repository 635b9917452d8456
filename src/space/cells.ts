/**
 * Which cells there are: making, finding by name, opening and giving back. All under the space latch.
 *
 * A cell lives as long as some thread has it open or nobody has disposed of it. The name of a cell belongs to
 * it for as long, so that the same name is the same lock in every thread.
 */
import { show } from '../deadline.js';
import { InvalidHandleError, NameConflictError, SpaceFullError } from '../errors.js';
import {
  ABOUT_DISPOSED,
  CELL_FENCE,
  CELL_LATCH,
  ABOUT_FENCE_BASE,
  ABOUT_GENERATION,
  ABOUT_KIND,
  ABOUT_NAME,
  ABOUT_NAME_HASH,
  ABOUT_PERMITS,
  CELL_WORD,
  HEADER_CELLS_USED,
  HEADER_FENCE_FLOOR,
  HEADER_THREADS_USED,
  KIND_MUTEX,
  KIND_READ_WRITE_LOCK,
  KIND_REENTRANT_MUTEX,
  KIND_SEMAPHORE,
  MAX_LOCKS,
  NAME_BYTES,
  RECORD_OPEN,
  RECORD_WORDS,
  STATS_WORDS,
  aboutAt,
  cellAt,
  recordAt,
  statsAt,
} from './layout.js';
import type { SpaceMemory } from './memory.js';
import { ABANDONED, rulesOf } from './words.js';

/** What a lock is, and what somebody who opens it by name must agree on. */
export interface CellDescription {
  readonly kind: number;
  /** A mutex may be opened by name by those who do not say whether it is reentrant. */
  readonly alsoKind?: number;
  /** Semaphore; else 0. */
  readonly permits: number;
  readonly name: string | undefined;
}

const KIND_NAMES: Record<number, string> = {
  [KIND_MUTEX]: 'a mutex',
  [KIND_REENTRANT_MUTEX]: 'a reentrant mutex',
  [KIND_SEMAPHORE]: 'a semaphore',
  [KIND_READ_WRITE_LOCK]: 'a read-write lock',
};

/** Longest name in UTF-8. */
export const MAX_NAME_BYTES: number = NAME_BYTES - 1;

/** @throws TypeError or RangeError that says what a name must be. */
export function checkName(name: unknown): asserts name is string {
  if (typeof name !== 'string') throw new TypeError(`name must be a string, not ${show(name)}`);
  // Two of them could be the same bytes, and so the same lock.
  if (!name.isWellFormed())
    throw new RangeError(`name must be well-formed Unicode, without lone surrogates: ${show(name)}`);
  const length = Buffer.byteLength(name);
  if (length === 0 || length > MAX_NAME_BYTES)
    throw new RangeError(
      `name must have 1 to ${MAX_NAME_BYTES} bytes in UTF-8, not ${length}: ${show(name)}`,
    );
}

/** The number in a handle that tells a cell and its generation. */
export function cellNumber(memory: SpaceMemory, cell: number): number {
  const generation = memory.words[aboutAt(memory.geometry, cell) + ABOUT_GENERATION] ?? 0;
  return (generation >>> 0) * MAX_LOCKS + cell;
}

/**
 * Finds what a handle's number stands for, without writing.
 * @throws InvalidHandleError if it is not a cell, of another kind, or was given back.
 */
export function findCell(memory: SpaceMemory, number: unknown, kinds: readonly number[]): number {
  if (typeof number !== 'number' || !Number.isSafeInteger(number) || number < 0)
    throw new InvalidHandleError(`handle.cell must be a cell's number, not ${show(number)}`);
  const cell = number % MAX_LOCKS;
  if (cell >= memory.geometry.locks)
    throw new InvalidHandleError(`handle.cell ${number} points outside its space`);
  const kind = memory.words[aboutAt(memory.geometry, cell) + ABOUT_KIND] ?? 0;
  if (kind === 0 || cellNumber(memory, cell) !== number)
    throw new InvalidHandleError(`handle.cell ${number} is of a lock that has been disposed of`);
  if (!kinds.includes(kind))
    throw new InvalidHandleError(
      `handle.cell ${number} is of ${KIND_NAMES[kind] ?? `an unknown kind ${kind}`}`,
    );
  return cell;
}

export function nameOf(memory: SpaceMemory, cell: number): string | undefined {
  const length = (memory.words[aboutAt(memory.geometry, cell) + ABOUT_NAME] ?? 0) - 1;
  return length < 0 ? undefined : Buffer.from(nameBytes(memory, cell).subarray(0, length)).toString();
}

/**
 * The cell with this name, or a new one. The thread has it open afterwards.
 * @throws NameConflictError if the name is that of another kind of lock.
 * @throws SpaceFullError if there is no cell left; nothing was changed.
 */
export function obtainCell(memory: SpaceMemory, thread: number, wanted: CellDescription): number {
  let found = wanted.name === undefined ? undefined : findByName(memory, wanted.name);
  // Only its news keeps it: that is not for a lock of another kind.
  if (found !== undefined && isKept(memory, found) && !isSameKind(memory, found, wanted)) {
    giveBack(memory, found);
    found = undefined;
  }
  const cell = found ?? makeCell(memory, wanted);
  if (found !== undefined) checkSame(memory, found, wanted);
  markOpen(memory, thread, cell, true);
  return cell;
}

export function markOpen(memory: SpaceMemory, thread: number, cell: number, open: boolean): void {
  Atomics.store(memory.words, recordAt(memory.geometry, thread, cell) + RECORD_OPEN, open ? 1 : 0);
}

export function markDisposed(memory: SpaceMemory, cell: number): void {
  Atomics.store(memory.words, aboutAt(memory.geometry, cell) + ABOUT_DISPOSED, 1);
}

/**
 * Gives a cell back if it was disposed of and no thread has it open. Not if its holder died and nobody has been
 * told: whoever acquires it next under its name shall be, unless its room is needed before.
 */
export function freeIfDone(memory: SpaceMemory, cell: number): void {
  if (isClosed(memory, cell) && !hasNews(memory, cell)) giveBack(memory, cell);
}

/** Is it there only to tell its next holder that the last one died? */
function isKept(memory: SpaceMemory, cell: number): boolean {
  return isClosed(memory, cell) && hasNews(memory, cell);
}

/** Was it disposed of, and has no thread it open? */
function isClosed({ words, geometry }: SpaceMemory, cell: number): boolean {
  const about = aboutAt(geometry, cell);
  const kind = Atomics.load(words, about + ABOUT_KIND);
  const disposed = Atomics.load(words, about + ABOUT_DISPOSED);
  if (kind === 0 || disposed === 0) return false;
  const used = Atomics.load(words, HEADER_THREADS_USED);
  for (let thread = 0; thread < used; thread++)
    if (Atomics.load(words, recordAt(geometry, thread, cell) + RECORD_OPEN) !== 0) return false;
  return true;
}

/** A holder died and nobody has been told, and somebody may come for it by its name. */
function hasNews({ words, geometry }: SpaceMemory, cell: number): boolean {
  const about = aboutAt(geometry, cell);
  const { hasAbandoned } = rulesOf(words[about + ABOUT_KIND] ?? 0);
  const word = Atomics.load(words, cellAt(geometry, cell) + CELL_WORD);
  return words[about + ABOUT_NAME] !== 0 && hasAbandoned && (word & ABANDONED) !== 0;
}

function giveBack(memory: SpaceMemory, cell: number): void {
  const { words, geometry } = memory;
  const fence = cellAt(geometry, cell) + CELL_FENCE;
  // The floor first: if this thread dies in between, the cell is merely not given back yet.
  if (readFence(words, fence) > readFence(words, HEADER_FENCE_FLOOR))
    copyFence(words, HEADER_FENCE_FLOOR, fence);
  Atomics.store(words, aboutAt(geometry, cell) + ABOUT_KIND, 0);
}

/** A fence as a number; exact to 2^53. */
export function readFence(words: Int32Array, at: number): number {
  return ((words[at + 1] ?? 0) >>> 0) * 2 ** 32 + ((words[at] ?? 0) >>> 0);
}

function copyFence(words: Int32Array, to: number, from: number): void {
  words[to + 1] = words[from + 1] ?? 0;
  words[to] = words[from] ?? 0;
}

function nameBytes(memory: SpaceMemory, cell: number): Uint8Array {
  const start = memory.geometry.namesAt * 4 + cell * NAME_BYTES;
  return memory.bytes.subarray(start, start + NAME_BYTES);
}

/** FNV-1a (Fowler, Noll, Vo): tells most names apart by one word. */
function hash(bytes: Uint8Array): number {
  let value = 0x811c9dc5;
  for (const byte of bytes) value = Math.imul(value ^ byte, 0x01000193);
  return value | 0;
}

function findByName(memory: SpaceMemory, name: string): number | undefined {
  const { words, geometry } = memory;
  const wanted = hash(Buffer.from(name));
  return findCellThat(memory, (cell) => {
    const at = aboutAt(geometry, cell);
    if (words[at + ABOUT_KIND] === 0 || words[at + ABOUT_NAME_HASH] !== wanted) return false;
    return nameOf(memory, cell) === name;
  });
}

/** The first of the cells ever used of which this is true. */
function findCellThat({ words }: SpaceMemory, isWanted: (cell: number) => boolean): number | undefined {
  const used = Atomics.load(words, HEADER_CELLS_USED);
  for (let cell = 0; cell < used; cell++) if (isWanted(cell)) return cell;
  return undefined;
}

function checkSame(memory: SpaceMemory, cell: number, wanted: CellDescription): void {
  const at = aboutAt(memory.geometry, cell);
  const kind = memory.words[at + ABOUT_KIND] ?? 0;
  const permits = memory.words[at + ABOUT_PERMITS];
  const is = `the name ${show(wanted.name)} is that of ${KIND_NAMES[kind]}`;
  if (!isSameKind(memory, cell, wanted))
    throw new NameConflictError(`${is}, not of ${KIND_NAMES[wanted.kind]}`);
  if (permits !== wanted.permits)
    throw new NameConflictError(`${is} with ${permits} permits, not ${wanted.permits}`);
}

function isSameKind(memory: SpaceMemory, cell: number, wanted: CellDescription): boolean {
  const kind = memory.words[aboutAt(memory.geometry, cell) + ABOUT_KIND];
  return kind === wanted.kind || kind === wanted.alsoKind;
}

/** A cell that no lock has: rather one that was never used or given back, else one that is only kept. */
function findFree(memory: SpaceMemory): number | undefined {
  const { words, geometry } = memory;
  const free = findCellThat(memory, (cell) => words[aboutAt(geometry, cell) + ABOUT_KIND] === 0);
  if (free !== undefined) return free;
  const used = Atomics.load(words, HEADER_CELLS_USED);
  if (used < geometry.locks) return used;
  const kept = findCellThat(memory, (cell) => isKept(memory, cell));
  if (kept !== undefined) giveBack(memory, kept);
  return kept;
}

function makeCell(memory: SpaceMemory, wanted: CellDescription): number {
  const { words, geometry } = memory;
  const cell = findFree(memory);
  if (cell === undefined)
    throw new SpaceFullError(`the space has room for ${geometry.locks} locks, and all are in use`);
  const at = cellAt(geometry, cell);
  const about = aboutAt(geometry, cell);
  // It was not given back before the floor was as high as its own fence.
  copyFence(words, at + CELL_FENCE, HEADER_FENCE_FLOOR);
  words[at + CELL_WORD] = wanted.permits;
  words.fill(0, at + CELL_LATCH, at + geometry.cellWords);
  words.fill(0, statsAt(geometry, cell), statsAt(geometry, cell) + STATS_WORDS);
  const threads = Atomics.load(words, HEADER_THREADS_USED);
  for (let thread = 0; thread < threads; thread++) {
    const record = recordAt(geometry, thread, cell);
    words.fill(0, record, record + RECORD_WORDS);
  }
  words[about + ABOUT_GENERATION] = (words[about + ABOUT_GENERATION] ?? 0) + 1;
  words[about + ABOUT_PERMITS] = wanted.permits;
  words[about + ABOUT_DISPOSED] = 0;
  copyFence(words, about + ABOUT_FENCE_BASE, HEADER_FENCE_FLOOR);
  writeName(memory, cell, wanted.name);
  const used = Atomics.load(words, HEADER_CELLS_USED);
  if (cell >= used) Atomics.store(words, HEADER_CELLS_USED, cell + 1);
  // Last: until then the cell is free, whatever happens to this thread.
  Atomics.store(words, about + ABOUT_KIND, wanted.kind);
  return cell;
}

function writeName(memory: SpaceMemory, cell: number, name: string | undefined): void {
  const at = aboutAt(memory.geometry, cell);
  const bytes = Buffer.from(name ?? '');
  nameBytes(memory, cell).set(bytes);
  memory.words[at + ABOUT_NAME_HASH] = hash(bytes);
  memory.words[at + ABOUT_NAME] = name === undefined ? 0 : bytes.length + 1;
}
