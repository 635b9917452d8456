/**
 * What a word is: a run of ASCII letters, digits, underscores and bytes above 0x7f (so that every UTF-8
 * script counts), which does not begin with a digit and is at most 64 bytes long. Case is folded for ASCII.
 */
export const longestWord = 64;

const isWordByte = new Uint8Array(256);
const foldCase = new Uint8Array(256);
for (let byte = 0; byte < 256; byte++) {
  const character = String.fromCharCode(byte);
  isWordByte[byte] = /[A-Za-z0-9_]/.test(character) || byte >= 0x80 ? 1 : 0;
  foldCase[byte] = /[A-Z]/.test(character) ? byte + 32 : byte;
}

const digit0 = 0x30;
const digit9 = 0x39;

/** Walks the words of one text, without making an object for each. */
export class WordScanner {
  /** @param {Uint8Array} bytes is folded to lower case in place, word by word */
  constructor(bytes) {
    this.bytes = bytes;
    /** The word's place in the text, and the FNV-1a hash of its bytes. */
    this.start = 0;
    this.end = 0;
    this.hash = 0;
  }

  /** Moves to the next word; false at the end of the text. */
  next() {
    const { bytes } = this;
    const length = bytes.length;
    let at = this.end;
    for (;;) {
      while (at < length && isWordByte[bytes[at]] === 0) at++;
      if (at === length) {
        this.end = at;
        return false;
      }
      const start = at;
      let hash = 0x811c9dc5;
      while (at < length && isWordByte[bytes[at]] === 1) {
        const byte = foldCase[bytes[at]];
        bytes[at++] = byte;
        hash = Math.imul(hash ^ byte, 0x01000193);
      }
      const first = bytes[start];
      if (at - start <= longestWord && !(first >= digit0 && first <= digit9)) {
        this.start = start;
        this.end = at;
        this.hash = hash ^ (hash >>> 15);
        return true;
      }
    }
  }
}
