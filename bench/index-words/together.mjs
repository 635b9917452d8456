import { readFileSync } from 'node:fs';
import { WordCounter } from './counter.mjs';
import { WordScanner } from './words.mjs';

/** How many words are added under one read lock: a thread that wants the table to grow waits for that long. */
const wordsPerRead = 512;

/**
 * Indexes files into a table that other threads write to at the same time:
 *   budget    a semaphore of bytes: a file takes its size before it is read, all there are if it is larger
 *   growth    its readers add words, its writer moves the table to a larger region
 *   stripes   one mutex for each part of the table
 */
export class SharedIndexer {
  /**
   * @param {import('./table.mjs').WordTable} table
   * @param {import('mortise').Mutex[]} stripes
   * @param {import('mortise').ReadWriteLock} growth
   * @param {import('mortise').Semaphore} budget
   * @param {import('./in-flight.mjs').InFlight} inFlight
   */
  constructor(table, stripes, growth, budget, inFlight) {
    this.table = table;
    this.stripes = stripes;
    this.growth = growth;
    this.budget = budget;
    this.inFlight = inFlight;
    this.counter = new WordCounter();
  }

  /** @param {import('./text-files.mjs').TextFile[]} files */
  async index(files) {
    let occurrences = 0;
    for (const file of files) {
      const weight = Math.min(Math.max(file.bytes, 1), this.budget.permits);
      const share = await this.budget.acquire({ weight });
      this.inFlight.add(weight);
      try {
        occurrences += this.addText(readFileSync(file.path));
      } finally {
        this.inFlight.subtract(weight);
        share.release();
      }
    }
    return occurrences;
  }

  /** @param {Uint8Array} text @returns {number} occurrences of words in it */
  addText(text) {
    const words = new WordScanner(text);
    const occurrences = this.counter.count(words);
    this.#merge(words.bytes);
    return occurrences;
  }

  #merge(bytes) {
    const { table, counter, growth } = this;
    let reading = growth.acquireReadSync();
    try {
      table.refresh();
      for (let index = 0; index < counter.distinct; index++) {
        while (!this.#add(bytes, index)) {
          const { generation } = table;
          reading.release();
          reading = this.#makeRoom(generation);
        }
        if (index % wordsPerRead === wordsPerRead - 1) {
          reading.release();
          reading = growth.acquireReadSync();
          table.refresh();
        }
      }
    } finally {
      reading.release();
    }
  }

  #add(bytes, index) {
    const guard = this.stripes[this.table.stripeOf(this.counter.hashAt(index))].acquireSync();
    try {
      return this.counter.addTo(this.table, bytes, index);
    } finally {
      guard.release();
    }
  }

  /** Grows the table unless another thread has done so meanwhile, and goes on as a reader without a gap. */
  #makeRoom(generation) {
    const writing = this.growth.acquireWriteSync();
    try {
      this.table.grow(generation);
      return writing.downgrade();
    } catch (error) {
      writing.release();
      throw error;
    }
  }
}
