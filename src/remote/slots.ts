/**
 * A set of what comes and goes with every request. A `Set` would do, but each time its table is full V8 makes another one,
 * and the old one keeps what was in it alive until the next collection of old objects: here that was every request, and
 * a third of the time of a pair. Each member knows its place in the array, so it can be in one of these at a time.
 */
export interface Slotted {
  /** -1 while it is in none. */
  place: number;
}

/** Places that are kept while nothing is in them. */
const MOST_EMPTY = 64;

export class Slots<T extends Slotted> implements Iterable<T> {
  readonly #items: (T | undefined)[] = [];
  readonly #free: number[] = [];

  get size(): number {
    return this.#items.length - this.#free.length;
  }

  /** It must be in none. */
  add(item: T): void {
    item.place = this.#free.pop() ?? this.#items.length;
    this.#items[item.place] = item;
  }

  /** Nothing happens if it is in none. */
  delete(item: T): void {
    if (item.place === -1) return;
    this.#items[item.place] = undefined;
    this.#free.push(item.place);
    item.place = -1;
    // What many were in once would be gone through for ever.
    if (this.#free.length === this.#items.length && this.#items.length > MOST_EMPTY)
      this.#items.length = this.#free.length = 0;
  }

  find(is: (item: T) => boolean): T | undefined {
    return this.#items.find((item) => item !== undefined && is(item));
  }

  *[Symbol.iterator](): Iterator<T> {
    for (const item of this.#items) if (item !== undefined) yield item;
  }
}
