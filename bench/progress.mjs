/**
 * What is going on now. On a terminal it is one line that is written over; elsewhere a plain line when something
 * new begins.
 */
export class Progress {
  #stream;
  #shown = '';
  #begun = new Set();

  /** @param {NodeJS.WriteStream} stream */
  constructor(stream) {
    this.#stream = stream;
  }

  /** Shows how far something is. @param {string} what @param {number} share from 0 to 1 */
  show(what, share) {
    const percent = String(Math.floor(share * 100)).padStart(3);
    if (!this.#stream.isTTY) {
      if (this.#begun.has(what)) return;
      this.#begun.add(what);
      this.#stream.write(`${percent} %  ${what}\n`);
      return;
    }
    const width = 24;
    const full = Math.round(Math.min(1, share) * width);
    const bar = '#'.repeat(full) + '.'.repeat(width - full);
    const text = `${bar} ${percent} %  ${what}`.slice(0, Math.max(0, (this.#stream.columns || 80) - 1));
    if (text === this.#shown) return;
    this.#shown = text;
    this.#stream.write(`\r${text}\x1b[K`);
  }

  /** Prints a line for good. @param {string} text */
  line(text = '') {
    this.clear();
    this.#stream.write(`${text}\n`);
  }

  clear() {
    if (this.#shown !== '') this.#stream.write('\r\x1b[K');
    this.#shown = '';
  }
}
