/**
 * Counts the words of one text in one thread's own memory. A word is kept as the place of its first occurrence
 * in the text; the memory is used again for the next text, without clearing it.
 */
const TEXT = 0; // the number of the text that the slot belongs to; another one: the slot is free
const HASH = 1;
const START = 2;
const LENGTH = 3;
const COUNT = 4;
const SLOT_SHIFT = 3; // 8 words a slot

export class WordCounter {
  constructor() {
    this.text = 0;
    this.#allocate(1024);
  }

  #allocate(capacity) {
    this.capacity = capacity;
    this.slots = new Int32Array(capacity << SLOT_SHIFT);
    /** The slots in use, in the order of the words' first occurrence; `distinct` of them. */
    this.used = new Int32Array(capacity);
    this.distinct = 0;
  }

  /**
   * Counts a text, whose words can then be had by their index. Returns the number of occurrences.
   * @param {import('./words.mjs').WordScanner} words
   */
  count(words) {
    this.text++;
    this.distinct = 0;
    let occurrences = 0;
    for (; words.next(); occurrences++) {
      if (this.distinct * 2 >= this.capacity) this.#grow(words.bytes);
      this.#add(words.bytes, words.hash, words.start, words.end - words.start, 1);
    }
    return occurrences;
  }

  #add(bytes, hash, start, length, count) {
    const { slots, capacity, text } = this;
    for (let probe = hash; ; probe++) {
      const slot = (probe & (capacity - 1)) << SLOT_SHIFT;
      if (slots[slot + TEXT] !== text) {
        slots[slot + TEXT] = text;
        slots[slot + HASH] = hash;
        slots[slot + START] = start;
        slots[slot + LENGTH] = length;
        slots[slot + COUNT] = count;
        this.used[this.distinct++] = slot;
        return;
      }
      if (slots[slot + HASH] !== hash || slots[slot + LENGTH] !== length) continue;
      const first = slots[slot + START];
      let same = 0;
      while (same < length && bytes[first + same] === bytes[start + same]) same++;
      if (same < length) continue;
      slots[slot + COUNT] += count;
      return;
    }
  }

  #grow(bytes) {
    const { slots, used, distinct } = this;
    this.#allocate(this.capacity * 2);
    for (let i = 0; i < distinct; i++) {
      const slot = used[i];
      this.#add(bytes, slots[slot + HASH], slots[slot + START], slots[slot + LENGTH], slots[slot + COUNT]);
    }
  }

  /**
   * Puts what was counted about the word at `index`, below `distinct`, into a table; false if it has no room.
   * @param {import('./table.mjs').WordTable} table @param {Uint8Array} bytes of the text
   */
  addTo(table, bytes, index) {
    const { slots } = this;
    const slot = this.used[index];
    return table.add(
      slots[slot + HASH],
      slots[slot + COUNT],
      bytes,
      slots[slot + START],
      slots[slot + LENGTH],
    );
  }

  /** @param {number} index below `distinct` */
  hashAt(index) {
    return this.slots[this.used[index] + HASH];
  }
}
