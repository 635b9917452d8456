/**
 * Where everything lies in the memory of a space: one SharedArrayBuffer, or one mapped file, read as Int32 words (and,
 * where a name ends in `_F64`, as Float64 at half the index). Change anything here and LAYOUT_VERSION must grow.
 *
 * ```
 * header | thread entries | cells | what they are | statistics | names | records[thread][cell]
 * ```
 *
 * In a file the lives follow, one for each entry (see `region-file.ts`).
 *
 * A *cell* is one lock. A *record* is what one thread has to do with one cell: its holds, its counters and its
 * place in the queue. Since every thread has its own place in every lock's queue, a queue never runs out of
 * room and has no links: it is the set of the records that wait, in the order of their tickets. The bits of the
 * lock words are in `words.ts`.
 *
 * Who may write what, and under which lock:
 *
 * | words | written by | under |
 * |---|---|---|
 * | header, `THREAD_STATE` and identity, `ABOUT_*`, names | any thread | space latch |
 * | `CELL_WORD` | any thread, by CAS | nothing; its flags: the cell's latch (see `words.ts`) |
 * | `CELL_FENCE_*` | the exclusive owner | being the owner |
 * | `CELL_WOKEN_AT` | whoever wakes | nothing: the last one to write is right enough |
 * | `CELL_TICKET`, `CELL_FIRST`, `CELL_WAITING`, `STATS_*` | any thread | the cell's latch |
 * | `RECORD_WAIT`, `_TICKET`, `_WEIGHT`, `_ASYNC` | any thread | the cell's latch |
 * | `RECORD_OPEN`, `_PENDING`, `_HOLD` and counters | its own thread; whoever reaps it, once it is dead | nothing; space latch |
 * | `THREAD_PARK` | any thread, by add | nothing |
 * | `THREAD_BLOCKED` | its own thread | nothing |
 */

export const LAYOUT_VERSION = 1;
/** "mort", little endian. */
export const MAGIC = 0x74726f6d;

// ---- header: 32 words
export const HEADER_MAGIC = 0;
export const HEADER_VERSION = 1;
export const HEADER_LOCKS = 2;
export const HEADER_THREADS = 3;
/** Random, so that a thread which receives the same memory twice knows it. */
export const HEADER_ID = 4; // and 5
/** Thread entries ever used: no higher index needs looking at. */
export const HEADER_THREADS_USED = 6;
/** Cells ever used: no higher index needs looking at. */
export const HEADER_CELLS_USED = 7;
/** No cell that was ever given back had a higher fence than this: low and high half. */
export const HEADER_FENCE_FLOOR = 8; // and 9
/** Anyone may change it at any time: tells whether two buffers are the same memory. */
export const HEADER_ECHO = 10;
/** Of a file: the bytes of a life, and the name of the system it was made on, in ASCII, up to 16 bytes. */
export const HEADER_LIFE_BYTES = 11;
export const HEADER_SYSTEM = 12; // to 15
/**
 * The space latch, on a cache line of its own. Its stamp is the operating system's thread id; in a file, where those of
 * two processes may be equal, the thread's id in the space.
 */
export const HEADER_LATCH = 16;
export const HEADER_WORDS = 32;

// ---- thread entry: 32 words, 128 bytes
/** 0 free | id: attached | id + THREAD_DEAD: being reaped. */
export const THREAD_STATE = 0;
/** Grows each time the entry is given to another thread. Part of the id. */
export const THREAD_INCARNATION = 1;
/** Operating system's thread id and start time; 0 where the system does not tell. */
export const THREAD_TID = 2;
export const THREAD_START = 3;
/** `threadId` of worker_threads, and the process. */
export const THREAD_NODE_ID = 4;
export const THREAD_PID = 5;
/** When somebody last asked the system whether it lives, in milliseconds of `clock.ts`, wrapped. */
export const THREAD_PROBED = 6;
/** Eventcount, see `parker.ts`. With the next word, on a cache line of its own: whoever wakes looks at both. */
export const THREAD_PARK = 16;
/** 0 | index + 1 of the cell whose queue this thread blocks in: its async requests elsewhere are skipped. */
export const THREAD_BLOCKED = 17;
export const THREAD_WORDS = 32;
export const THREAD_DEAD: number = 1 << 31;

/** A thread's id in a space: 10 bits of index + 1, then 14 of incarnation. Never 0, and 24 bits at most. */
export const ID_BITS = 24;
export const ID_MASK: number = (1 << ID_BITS) - 1;
const INDEX_BITS = 10;
const INDEX_MASK: number = (1 << INDEX_BITS) - 1;
/** One entry more than threads is kept for `threads.ts`, and index + 1 must fit in INDEX_BITS. */
export const MAX_THREADS: number = INDEX_MASK - 1;
export const MAX_LOCKS: number = 1 << 20;

export function idOf(index: number, incarnation: number): number {
  return (index + 1) | ((incarnation << INDEX_BITS) & ID_MASK);
}
/** -1 for an id that no thread has. */
export function indexOf(id: number): number {
  return (id & INDEX_MASK) - 1;
}

// ---- cell: one cache line for up to 288 threads, and never a line of another lock's
export const CELL_WORD = 0;
/** Low and high half. */
export const CELL_FENCE = 1; // and 2
/** The queue's latch; its stamp is the holder's id. */
export const CELL_LATCH = 3;
/** The last ticket given. */
export const CELL_TICKET = 4;
/** Mutex: index + 1 of the first thread in the queue, if it is blocked: a release may wake it without the latch. */
export const CELL_FIRST = 5;
/** Mutex: when the wake that is under way was sent, in microseconds of the clock modulo 2^32. */
export const CELL_WOKEN_AT = 6;
/** One bit for each thread that may have a record in this queue. */
export const CELL_WAITING = 7;

// ---- what a cell is: 8 words
/** 0 free, else one of the kinds below. Written last when a cell is made, first when it is freed. */
export const ABOUT_KIND = 0;
/** Grows each time the cell is reused; part of every handle. */
export const ABOUT_GENERATION = 1;
/** Semaphore: all permits. */
export const ABOUT_PERMITS = 2;
/** Length in bytes + 1; 0: no name. */
export const ABOUT_NAME = 3;
export const ABOUT_NAME_HASH = 4;
/** 1: somebody disposed of it; it is freed when no thread has it open. */
export const ABOUT_DISPOSED = 5;
/** The fence when the cell was made: low and high half. */
export const ABOUT_FENCE_BASE = 6; // and 7
export const ABOUT_WORDS = 8;

export const KIND_MUTEX = 1;
export const KIND_REENTRANT_MUTEX = 2;
export const KIND_SEMAPHORE = 3;
export const KIND_READ_WRITE_LOCK = 4;

// ---- cell, statistics: 128 words
export const STATS_TIMEOUTS = 0;
/** Holds that ended by the death of their thread. */
export const STATS_LOST = 1;
/** The low half of the fence that STATS_ACQUIRED_AT_F64 belongs to. */
export const STATS_ACQUIRED_FENCE = 2;
export const STATS_WAITS = 3;
/** Milliseconds. */
export const STATS_WAIT_MIN_F64 = 4;
export const STATS_WAIT_MAX_F64 = 6;
export const STATS_WAIT_SUM_F64 = 8;
/** Milliseconds of `clock.ts`. */
export const STATS_ACQUIRED_AT_F64 = 10;
export const STATS_HISTOGRAM = 16;
export const HISTOGRAM_BUCKETS = 112;
export const STATS_WORDS = 128;

// ---- names
export const NAME_BYTES = 256;

// ---- record: 12 words, 48 bytes
/** (what this thread holds: permits, or read holds) * 2 + in doubt. */
export const RECORD_HOLD = 0;
/** 1: this thread has the cell open. */
export const RECORD_OPEN = 1;
/** Counters of shared holds, ever: they began, they were released. */
export const RECORD_BEGUN_F64 = 2;
export const RECORD_ENDED_F64 = 4;
/** Requests of this thread that wait now. */
export const RECORD_PENDING = 6;
/** Acquisitions of this thread that did not succeed at once; wraps. */
export const RECORD_CONTENDED = 7;
/** 0 not in the queue | WAITING | WOKEN, and for an async request + (when it was woken) * 4. */
export const RECORD_WAIT = 8;
export const RECORD_TICKET = 9;
export const RECORD_WEIGHT = 10;
/** 1: the request is async, so its thread may be busy with something else. */
export const RECORD_ASYNC = 11;
export const RECORD_WORDS = 12;

export const IN_DOUBT = 1;
export const WAITING = 1;
export const WOKEN = 2;

/** Offsets in words, worked out from the two numbers in the header. */
export interface Geometry {
  readonly locks: number;
  readonly threads: number;
  readonly cellsAt: number;
  readonly cellWords: number;
  readonly aboutAt: number;
  readonly statsAt: number;
  readonly namesAt: number;
  readonly recordsAt: number;
  readonly words: number;
}

export function geometryOf(locks: number, threads: number): Geometry {
  const bitmapWords = Math.ceil(threads / 32);
  const cellWords = Math.ceil((CELL_WAITING + bitmapWords) / 16) * 16;
  const cellsAt = HEADER_WORDS + (threads + 1) * THREAD_WORDS;
  const aboutAt = cellsAt + locks * cellWords;
  const statsAt = aboutAt + locks * ABOUT_WORDS;
  const namesAt = statsAt + locks * STATS_WORDS;
  const recordsAt = namesAt + (locks * NAME_BYTES) / 4;
  const words = recordsAt + threads * locks * RECORD_WORDS;
  return { locks, threads, cellsAt, cellWords, aboutAt, statsAt, namesAt, recordsAt, words };
}

export function threadAt(index: number): number {
  return HEADER_WORDS + index * THREAD_WORDS;
}
export function cellAt(geometry: Geometry, cell: number): number {
  return geometry.cellsAt + cell * geometry.cellWords;
}
export function aboutAt(geometry: Geometry, cell: number): number {
  return geometry.aboutAt + cell * ABOUT_WORDS;
}
export function statsAt(geometry: Geometry, cell: number): number {
  return geometry.statsAt + cell * STATS_WORDS;
}
export function recordAt(geometry: Geometry, thread: number, cell: number): number {
  return geometry.recordsAt + (thread * geometry.locks + cell) * RECORD_WORDS;
}
