/** A set of numbers with open addressing: states by the ten million, for which a `Set` has no room. */
export class StateSet {
  #slots = new Float64Array(1 << 12);
  size = 0;

  /** Has it this number, which is not 0? From now on it has. */
  has(key) {
    if (this.size * 2 >= this.#slots.length) this.#grow();
    const at = this.#find(key);
    if (this.#slots[at] === key) return true;
    this.#slots[at] = key;
    this.size++;
    return false;
  }

  *[Symbol.iterator]() {
    for (const key of this.#slots) if (key !== 0) yield key;
  }

  #find(key) {
    const mask = this.#slots.length - 1;
    // Keys are hashes already: one part of them is as good as another.
    let at = (key % 0x7fffffff) & mask;
    while (this.#slots[at] !== 0 && this.#slots[at] !== key) at = (at + 1) & mask;
    return at;
  }

  #grow() {
    const old = this.#slots;
    this.#slots = new Float64Array(old.length * 2);
    for (const key of old) if (key !== 0) this.#slots[this.#find(key)] = key;
  }
}
