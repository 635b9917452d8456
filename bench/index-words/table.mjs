/**
 * A hash table of words in shared memory: open addressing, in as many parts as there are stripes.
 *
 * The table knows nothing of locks. Whoever uses it from several threads holds the stripe's mutex around
 * `add`, is a reader of the table's read-write lock around every use, and its writer around `grow`.
 *
 *   header   | generation, capacity, ... | for each stripe: slots used, its piece of the arena |
 *   the rest | slots of all stripes (one region for each growth) and 4 KiB pieces of word bytes, as they come |
 */
const GENERATION = 0; // changes with each growth: a thread that sees another one makes its views anew
const CAPACITY = 1; // slots of one stripe, a power of two
const SLOTS = 2; // where the slots begin, in words
const TOP = 3; // first free byte, moved with Atomics.add by threads that hold different stripes
const HEADER_WORDS = 16;

const USED = 0;
const ARENA_AT = 1;
const ARENA_END = 2;
const STRIPE_WORDS = 16; // 64 bytes: two stripes never share a cache line

const HASH = 0;
const OFFSET = 1; // of the word's bytes; 0: the slot is free
const LENGTH = 2;
const COUNT = 3;
const FILES = 4;
const SLOT_FIELDS = 5;
const SLOT_SHIFT = 3; // 8 words a slot

const pieceBytes = 4096;
const firstCapacity = 16;
const maxByteLength = 2 ** 29;

/** @typedef {{ word: string, count: number, files: number }} Entry */
/** @typedef {{ memory: SharedArrayBuffer, stripes: number }} TableHandle what a worker is given */

export class WordTable {
  /** @param {TableHandle} handle */
  constructor({ memory, stripes }) {
    this.memory = memory;
    this.stripes = stripes;
    this.stripeBits = Math.log2(stripes);
    this.header = new Int32Array(memory, 0, HEADER_WORDS + stripes * STRIPE_WORDS);
    this.generation = -1;
    this.refresh();
  }

  /** @param {number} stripes a power of two */
  static create(stripes) {
    const slotsAt = HEADER_WORDS + stripes * STRIPE_WORDS;
    const top = 4 * (slotsAt + ((stripes * firstCapacity) << SLOT_SHIFT));
    const memory = new SharedArrayBuffer(top + stripes * pieceBytes, { maxByteLength });
    const header = new Int32Array(memory, 0, HEADER_WORDS);
    header[CAPACITY] = firstCapacity;
    header[SLOTS] = slotsAt;
    header[TOP] = top;
    return new WordTable({ memory, stripes });
  }

  /** @returns {TableHandle} */
  get handle() {
    return { memory: this.memory, stripes: this.stripes };
  }

  /** How many words there are. */
  get distinct() {
    let sum = 0;
    for (let stripe = 0; stripe < this.stripes; stripe++) sum += this.#used(stripe);
    return sum;
  }

  get growths() {
    return this.header[GENERATION];
  }

  /** Takes note of a growth by another thread. Called by every reader when it has got its read lock. */
  refresh() {
    if (this.generation === this.header[GENERATION]) return;
    this.generation = this.header[GENERATION];
    this.capacity = this.header[CAPACITY];
    this.slotsAt = this.header[SLOTS];
    this.words = new Int32Array(this.memory, 0, this.memory.byteLength >> 2);
    this.bytes = new Uint8Array(this.memory, 0, this.memory.byteLength);
  }

  /** @param {number} hash */
  stripeOf(hash) {
    return hash & (this.stripes - 1);
  }

  /**
   * Adds what one file says about a word. False when the stripe, or the memory for word bytes, is full:
   * `grow` and try again.
   * @param {number} hash @param {number} count
   * @param {Uint8Array} text @param {number} start @param {number} length where its bytes are
   */
  add(hash, count, text, start, length) {
    const { words, bytes, capacity } = this;
    const stripe = this.stripeOf(hash);
    const first = this.slotsAt + ((stripe * capacity) << SLOT_SHIFT);
    for (let probe = hash >>> this.stripeBits; ; probe++) {
      const slot = first + ((probe & (capacity - 1)) << SLOT_SHIFT);
      const offset = words[slot + OFFSET];
      if (offset === 0) {
        if (!this.#insert(slot, stripe, text, start, length)) return false;
        words[slot + HASH] = hash;
      } else {
        if (words[slot + HASH] !== hash || words[slot + LENGTH] !== length) continue;
        let same = 0;
        while (same < length && bytes[offset + same] === text[start + same]) same++;
        if (same < length) continue;
      }
      words[slot + COUNT] += count;
      words[slot + FILES]++;
      return true;
    }
  }

  #insert(slot, stripe, text, start, length) {
    const { words, bytes, header } = this;
    if (this.#isCrowded(stripe)) return false;
    const part = HEADER_WORDS + stripe * STRIPE_WORDS;
    if (header[part + ARENA_AT] + length > header[part + ARENA_END]) {
      const piece = Atomics.add(header, TOP, pieceBytes);
      if (piece + pieceBytes > bytes.length) {
        Atomics.sub(header, TOP, pieceBytes);
        return false;
      }
      header[part + ARENA_AT] = piece;
      header[part + ARENA_END] = piece + pieceBytes;
    }
    const offset = header[part + ARENA_AT];
    for (let i = 0; i < length; i++) bytes[offset + i] = text[start + i];
    header[part + ARENA_AT] = offset + length;
    header[part + USED]++;
    words[slot + OFFSET] = offset;
    words[slot + LENGTH] = length;
    return true;
  }

  /** @param {number} stripe */
  #used(stripe) {
    return this.header[HEADER_WORDS + stripe * STRIPE_WORDS + USED];
  }

  /** @param {number} stripe */
  #isCrowded(stripe) {
    return this.#used(stripe) >= this.capacity * 0.75;
  }

  /**
   * Makes room: a region of twice the slots when a stripe is crowded, and memory for more words. Does nothing
   * when another thread has just done it, that is when `generation` is not the newest.
   * @param {number} generation the one in which `add` found no room
   */
  grow(generation) {
    this.refresh();
    if (generation !== this.generation) return;
    const { header, stripes } = this;
    let crowded = false;
    for (let stripe = 0; stripe < stripes; stripe++) crowded ||= this.#isCrowded(stripe);
    const capacity = crowded ? this.capacity * 2 : this.capacity;
    const top = header[TOP];
    const region = crowded ? (stripes * capacity) << (SLOT_SHIFT + 2) : 0;
    const needed = Math.max(this.memory.byteLength, top + region + stripes * pieceBytes);
    if (needed > maxByteLength) throw new Error(`more words than the table can hold (${this.distinct})`);
    this.memory.grow(Math.min(maxByteLength, needed + (needed >> 2)));
    header[GENERATION]++;
    if (crowded) {
      const from = { slotsAt: this.slotsAt, capacity: this.capacity };
      header[TOP] = top + region;
      header[SLOTS] = top >> 2;
      header[CAPACITY] = capacity;
      this.refresh();
      this.#rehash(from);
    } else {
      this.refresh();
    }
  }

  /** @param {{ slotsAt: number, capacity: number }} from */
  #rehash(from) {
    const { words, capacity } = this;
    for (let index = 0; index < this.stripes * from.capacity; index++) {
      const old = from.slotsAt + (index << SLOT_SHIFT);
      if (words[old + OFFSET] === 0) continue;
      const hash = words[old + HASH];
      const first = this.slotsAt + ((this.stripeOf(hash) * capacity) << SLOT_SHIFT);
      let probe = hash >>> this.stripeBits;
      let slot;
      do slot = first + ((probe++ & (capacity - 1)) << SLOT_SHIFT);
      while (words[slot + OFFSET] !== 0);
      for (let field = 0; field < SLOT_FIELDS; field++) words[slot + field] = words[old + field];
    }
  }

  /**
   * All words with their counts, in no particular order.
   * @returns {Generator<Entry>}
   */
  *entries() {
    this.refresh();
    const { words } = this;
    for (let index = 0; index < this.stripes * this.capacity; index++) {
      const slot = this.slotsAt + (index << SLOT_SHIFT);
      const offset = words[slot + OFFSET];
      if (offset === 0) continue;
      const word = Buffer.from(this.memory, offset, words[slot + LENGTH]).toString('latin1');
      yield { word, count: words[slot + COUNT], files: words[slot + FILES] };
    }
  }
}
