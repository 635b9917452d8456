import { readFileSync } from 'node:fs';
import { WordCounter } from './counter.mjs';
import { WordScanner } from './words.mjs';

/** Indexes files with one thread and no locks: what the run with locks is compared with. */
export class LoneIndexer {
  /** @param {import('./table.mjs').WordTable} table */
  constructor(table) {
    this.table = table;
    this.counter = new WordCounter();
  }

  /** @param {import('./text-files.mjs').TextFile[]} files */
  index(files) {
    let occurrences = 0;
    for (const file of files) occurrences += this.addText(readFileSync(file.path));
    return occurrences;
  }

  /** @param {Uint8Array} text @returns {number} occurrences of words in it */
  addText(text) {
    const { table, counter } = this;
    const words = new WordScanner(text);
    const occurrences = counter.count(words);
    for (let index = 0; index < counter.distinct; index++) {
      while (!counter.addTo(table, words.bytes, index)) table.grow(table.generation);
    }
    return occurrences;
  }
}
