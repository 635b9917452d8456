/**
 * Sleeping on any shared word, for the short waits behind the locks. `Atomics.wait` takes shared memory of this process;
 * for a mapped file, which other processes share, the addon asks the system itself.
 */
import { types } from 'node:util';
import { native } from '../native.js';

/** Blocks this thread while the word is `value`, no longer than that many milliseconds. */
export function sleep(
  words: Int32Array,
  at: number,
  value: number,
  milliseconds: number,
): 'ok' | 'not-equal' | 'timed-out' {
  if (!types.isSharedArrayBuffer(words.buffer)) return native().futexWait(words, at, value, milliseconds);
  return Atomics.wait(words, at, value, milliseconds);
}

/** Wakes as many as `count` of those who sleep on the word. */
export function rouse(words: Int32Array, at: number, count: number): void {
  if (types.isSharedArrayBuffer(words.buffer)) Atomics.notify(words, at, count);
  else native().futexWake(words, at, count);
}
