/**
 * Who holds and who blocks in a space, read without any latch. One look may mix two moments; what two looks show, one
 * after the other, with the same ticket and the same stamp, was so all the time in between.
 */
import { sleep } from '../parker/sleep.js';
import { cellNumber, nameOf } from './cells.js';
import {
  ABOUT_KIND,
  ABOUT_PERMITS,
  CELL_FENCE,
  CELL_WORD,
  HEADER_CELLS_USED,
  HEADER_THREADS_USED,
  KIND_READ_WRITE_LOCK,
  KIND_SEMAPHORE,
  RECORD_ASYNC,
  RECORD_BEGUN_F64,
  RECORD_HOLD,
  RECORD_OPEN,
  RECORD_TICKET,
  RECORD_WAIT,
  RECORD_WEIGHT,
  THREAD_BLOCKED,
  THREAD_NODE_ID,
  THREAD_PID,
  THREAD_STATE,
  aboutAt,
  cellAt,
  recordAt,
  threadAt,
} from './layout.js';
import type { SpaceMemory } from './memory.js';
import { WRITE_WEIGHT, rulesOf } from './words.js';

/** A cell, as those see it who do not have it open. */
export interface CellSeen {
  /** As in a handle. */
  readonly cell: number;
  readonly name: string | undefined;
  readonly kind: number;
  /** Of a semaphore. */
  readonly permits: number;
}

/** What one thread has of a cell. */
export interface CellHold extends CellSeen {
  readonly exclusive: boolean;
  /** Permits, or read holds; 1 if exclusive. */
  readonly units: number;
  /** Another one after each acquisition of this thread. */
  readonly stamp: number;
}

/** A thread that blocks in an acquire of a cell, or has announced that it will. */
export interface BlockedThread extends CellSeen {
  readonly pid: number;
  readonly threadId: number;
  /** In this space. */
  readonly id: number;
  /** Undefined: it does not stand in the queue yet. */
  readonly request: { readonly ticket: number; readonly weight: number } | undefined;
}

/** What a thread holds, of all cells. */
export function holdsOf(memory: SpaceMemory, pid: number, threadId: number): CellHold[] {
  const { words, doubles, geometry } = memory;
  const thread = findThread(memory, pid, threadId);
  if (thread < 0) return [];
  const id = Atomics.load(words, threadAt(thread) + THREAD_STATE);
  const used = Atomics.load(words, HEADER_CELLS_USED);
  const holds: CellHold[] = [];
  for (let index = 0; index < used; index++) {
    const record = recordAt(geometry, thread, index);
    if (words[record + RECORD_OPEN] !== 1) continue;
    const seen = look(memory, index);
    if (seen.kind === 0) continue;
    const at = cellAt(geometry, index);
    const word = Atomics.load(words, at + CELL_WORD);
    const exclusive = rulesOf(seen.kind).owner(word) === id;
    const units = exclusive ? 1 : (words[record + RECORD_HOLD] as number) >>> 1;
    if (units === 0) continue;
    const begun = doubles[(record + RECORD_BEGUN_F64) >> 1] as number;
    const stamp = exclusive ? (words[at + CELL_FENCE] as number) : begun;
    holds.push({ ...seen, name: nameOf(memory, index), exclusive, units, stamp });
  }
  return holds;
}

/** Threads that have said, before they blocked, in which queue they will (`Attachment.setBlocked`). */
export function blockedThreads(memory: SpaceMemory): BlockedThread[] {
  const { words } = memory;
  const used = Atomics.load(words, HEADER_THREADS_USED);
  const blocked: BlockedThread[] = [];
  for (let thread = 0; thread < used; thread++) {
    const entry = threadAt(thread);
    const index = Atomics.load(words, entry + THREAD_BLOCKED) - 1;
    const id = Atomics.load(words, entry + THREAD_STATE);
    if (index < 0 || id <= 0) continue;
    const pid = Atomics.load(words, entry + THREAD_PID);
    const threadId = Atomics.load(words, entry + THREAD_NODE_ID);
    const request = requestOf(memory, thread, index);
    blocked.push({ ...look(memory, index), name: nameOf(memory, index), pid, threadId, id, request });
  }
  return blocked;
}

/** Without its name, which takes time to read. */
function look(memory: SpaceMemory, index: number): Omit<CellSeen, 'name'> {
  const about = aboutAt(memory.geometry, index);
  const kind = Atomics.load(memory.words, about + ABOUT_KIND);
  const permits = Atomics.load(memory.words, about + ABOUT_PERMITS);
  return { cell: cellNumber(memory, index), kind, permits };
}

/** Its index; -1: it has none. */
function findThread({ words }: SpaceMemory, pid: number, threadId: number): number {
  const used = Atomics.load(words, HEADER_THREADS_USED);
  for (let thread = 0; thread < used; thread++) {
    const entry = threadAt(thread);
    const state = Atomics.load(words, entry + THREAD_STATE);
    const process = Atomics.load(words, entry + THREAD_PID);
    const nodeId = Atomics.load(words, entry + THREAD_NODE_ID);
    if (state > 0 && process === pid && nodeId === threadId) return thread;
  }
  return -1;
}

function requestOf(
  { words, geometry }: SpaceMemory,
  thread: number,
  index: number,
): BlockedThread['request'] {
  const record = recordAt(geometry, thread, index);
  const wait = Atomics.load(words, record + RECORD_WAIT);
  const isAsync = Atomics.load(words, record + RECORD_ASYNC) === 1;
  if (wait === 0 || isAsync) return undefined;
  return { ticket: words[record + RECORD_TICKET] as number, weight: words[record + RECORD_WEIGHT] as number };
}

/** Of the async requests of a thread: the ticket of the one that stands in the queue. */
export function ticketOf(
  { words, geometry }: SpaceMemory,
  thread: number,
  index: number,
): number | undefined {
  const record = recordAt(geometry, thread, index);
  const wait = Atomics.load(words, record + RECORD_WAIT);
  return wait === 0 ? undefined : words[record + RECORD_TICKET];
}

/** How a cell is asked for with this weight. */
export function modeOf(kind: number, weight: number): 'lock' | 'read' | 'write' | 'semaphore' {
  if (kind === KIND_SEMAPHORE) return 'semaphore';
  if (kind !== KIND_READ_WRITE_LOCK) return 'lock';
  return weight === WRITE_WEIGHT ? 'write' : 'read';
}

/** A moment, in milliseconds, for another thread to take its next step. */
export function pauseFor(memory: SpaceMemory, thread: number, milliseconds: number): void {
  const word = threadAt(thread) + THREAD_BLOCKED;
  const seen = Atomics.load(memory.words, word);
  sleep(memory.words, word, seen, milliseconds);
}
