/**
 * Where everything lies on a board: one growable SharedArrayBuffer of rows of 2 KB, each what one thread has counted of one
 * name in one mode. The first rows are the header.
 *
 * | words | written by | under |
 * |---|---|---|
 * | header, `NEXT`, `SERIAL`, `MODE`, text | any thread | the latch of the board |
 * | `OWNER` | any thread: its own id, or 0 for itself or the dead | the latch of the board |
 * | everything else | the thread that owns the row; any, of a row of nobody | nothing; the latch of the board |
 *
 * So the owner counts with plain stores, and others read numbers that may be a moment old.
 */
export const ROW_BYTES = 2048;
/** Rows that the header takes. */
export const FIRST_ROW = 9;
export const MAX_ROWS: number = 2 ** 18;

// ---- header, words
/** No higher row has ever been used. */
export const ROWS_USED = 0;
/** The first free row below; 0: none. */
export const FREE = 1;
/** The last serial number given. */
export const SERIALS = 2;
/** The time that some thread saw when it last looked, as a double. */
export const TICK_F64 = 2;
/** Heads of the chains: the first row of each hash; 0: none. */
export const CHAINS = 64;
export const CHAIN_COUNT = 4096;

// ---- row, words
/** The next row of its chain, or of the free ones; 0: none. */
export const NEXT = 0;
/** 0 nobody | the id that a thread has in the memory beside the board. */
export const OWNER = 1;
export const THREAD_ID = 2;
/** Rows of the same text have the same; other ones whenever the text comes back after it was forgotten. */
export const SERIAL = 3;
/** 0: the row is free. */
export const TEXT_LENGTH = 4;
export const LABEL_LENGTH = 5;
/** 1: its lock cannot tell whether a request had to wait. */
export const MEASURES_ALL = 6;

// ---- row, doubles
export const ACQUISITIONS = 4;
export const RELEASES = 5;
export const TIMEOUTS = 6;
export const ABANDONED = 7;
export const LOST = 8;
export const CONTENDED = 9;
/** Guards that are held now, and since when any has been, in milliseconds of the clock. */
export const HELD = 10;
export const HELD_SINCE = 11;
export const FENCE = 12;
/** Requests that wait now, and since when the first of them has. */
export const WAITING = 13;
export const WAITING_SINCE = 14;
/** Operations noted so far. */
export const NOTED = 15;
/** Sum, least and most of the waiting times; the least of none is 0. */
export const WAIT = 16;
export const HOLD = 19;
/** The tick in which an acquisition was last measured. */
export const SAMPLED = 22;
export const LABEL = 24;
export const MAX_LABEL_BYTES = 64;
/** The newest operations: what, when, how long. */
export const RECENT = 32;
export const RECENT_COUNT = 16;

// ---- row, words again
export const WAIT_BUCKETS = 160;
export const HOLD_BUCKETS = 272;

// ---- row, bytes
export const TEXT = 1536;
export const MAX_TEXT_BYTES: number = ROW_BYTES - TEXT;

/** What was noted: the index is how. */
export const OPERATIONS = ['acquired', 'released', 'timeout', 'lost'] as const;
export const ACQUIRED = 0;
export const RELEASED = 1;
export const TIMED_OUT = 2;
export const WAS_LOST = 3;
