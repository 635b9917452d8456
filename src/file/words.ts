/**
 * What is in a lock file, read as Int32 words (and, where a name ends in `_F64`, as Float64 at half the index).
 *
 * | word | says | written by |
 * |---|---|---|
 * | FILE_MAGIC, FILE_VERSION | that it is a lock file | the first one to hold it, while it is empty, in one write |
 * | FILE_REMOVED | 1: its holder removes it, so nobody may take its lock any more | the exclusive holder |
 * | FILE_HELD | 1: taken exclusively and not released, so if the lock is free, its holder has died | the exclusive holder |
 * | FILE_RELEASES | eventcount: one more with each release that somebody may wait for | whoever releases, by add |
 * | FILE_WAITED | until when somebody waits, as `until()` has it; 0: nobody. A waiter that is killed needs no clean-up | waiters |
 * | FILE_WRITER_WAITED | the same, of those who want it exclusively | waiters |
 * | FILE_FENCE_F64 | fence of the last exclusive hold | the exclusive holder |
 * | FILE_SINCE_F64 | when that began, in milliseconds since the epoch | the exclusive holder |
 * | FILE_OWNER | bytes: its pid, its thread, the length of its host's name, and that name | the exclusive holder |
 */
export const FILE_MAGIC = 0;
export const FILE_VERSION = 1;
export const FILE_REMOVED = 2;
export const FILE_HELD = 3;
export const FILE_RELEASES = 4;
export const FILE_WAITED = 5;
export const FILE_WRITER_WAITED = 6;
export const FILE_FENCE_F64 = 8;
export const FILE_SINCE_F64 = 10;
/** Of 4 + 4 + 4 + 244 bytes. */
export const FILE_OWNER = 16;
export const OWNER_WORDS = 3;
export const HOST_BYTES = 244;
export const FILE_BYTES = 512;

/** "mlok", little endian. */
export const MAGIC = 0x6b6f6c6d;
export const VERSION = 1;

/** No waiter says that it waits for longer than this: a word that says so is damaged, or of another machine's clock. */
const LONGEST = 1000;

/** A moment of the monotonic clock, in whole milliseconds, wrapped and never 0. */
export function until(milliseconds: number): number {
  return Math.ceil(milliseconds) | 0 || 1;
}

/** Is that moment still to come? */
export function isToCome(word: number, milliseconds: number): boolean {
  const left = (word - Math.floor(milliseconds)) | 0;
  return word !== 0 && left > 0 && left <= LONGEST;
}
