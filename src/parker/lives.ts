/**
 * Who lives, of those who use a mapped file together. Processes do not see one another's threads (PID namespaces), so
 * each entry has a life: a mutex that its thread holds, of which the kernel says when the thread has ended.
 */
import { native } from '../native.js';

export class Lives {
  readonly #buffer: ArrayBuffer;
  readonly #at: number;

  /** @param at where the first one lies, in bytes */
  constructor(buffer: ArrayBuffer, at: number) {
    this.#buffer = buffer;
    this.#at = at;
  }

  /** Makes the life of an entry anew. Nobody may hold it. */
  make(index: number): void {
    native().lifeInit(this.#buffer, this.#offsetOf(index));
  }

  /** From now on this thread is whose end `hasEnded` tells. Blocks for up to a second while another thread holds it. */
  hold(index: number): void {
    native().lifeHold(this.#buffer, this.#offsetOf(index));
  }

  release(index: number): void {
    native().lifeRelease(this.#buffer, this.#offsetOf(index));
  }

  /** True also while nobody holds it. */
  hasEnded(index: number): boolean {
    return native().lifeEnded(this.#buffer, this.#offsetOf(index));
  }

  #offsetOf(index: number): number {
    return this.#at + index * native().lifeBytes;
  }
}
