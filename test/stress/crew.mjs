/**
 * The workers of the kill stress: one in each slot, and spares that have started already. When one has died, a spare
 * takes over its slot at once, and another spare is started.
 */
import { Worker } from 'node:worker_threads';
import { LIVE, LIVES, SUBJECTS } from './board.mjs';

export class Crew {
  /** Per slot: who is in it, or undefined while nobody is. */
  slots;
  errors = [];
  #board;
  #handles;
  #seed;
  #onDeath;
  #spares = [];
  #all = new Set();
  #lives = 0;
  #stopping = false;
  #filled;

  /** `onDeath` is called with a slot and who was in it, before the slot is given to another. */
  constructor({ board, handles, seed, size, onDeath }) {
    this.#board = board;
    this.#handles = handles;
    this.#seed = seed;
    this.#onDeath = onDeath;
    this.slots = Array.from({ length: size });
  }

  /** Starts them, and so many spares; settles when every slot has a worker. */
  start(spares) {
    for (let i = 0; i < this.slots.length + spares; i++) this.#hire();
    return new Promise((resolve) => (this.#filled = resolve));
  }

  /** The slots with a worker that has not been killed. */
  living() {
    return this.slots.flatMap((it, slot) => (it === undefined || it.dying ? [] : [slot]));
  }

  /** From now on the dead are not replaced. Settles when all in the slots have ended by themselves. */
  async dismiss() {
    this.#stopping = true;
    await Promise.all(this.slots.map((it) => it?.exited));
  }

  async terminate() {
    this.#stopping = true;
    await Promise.all([...this.#all].map((worker) => worker.terminate()));
  }

  #hire() {
    const worker = new Worker(new URL('./worker.mjs', import.meta.url), {
      workerData: { board: this.#board, handles: this.#handles },
    });
    const it = { worker, threadId: worker.threadId, life: 0, slot: -1, dying: false, exited: undefined };
    this.#all.add(worker);
    worker.on('message', (message) => {
      if (message.unexpected) this.errors.push(message.unexpected);
      if (!message.ready) return;
      this.#spares.push(it);
      this.#fill();
    });
    worker.on('error', (error) => {
      if (error.message !== 'mortise stress: told to die') this.errors.push(error.stack ?? String(error));
    });
    it.exited = new Promise((resolve) => {
      // First of all, to see what it left before the library clears it away.
      worker.prependListener('exit', () => {
        this.#all.delete(worker);
        this.#bury(it);
        resolve();
      });
    });
  }

  #bury(it) {
    if (it.slot < 0) {
      if (!this.#stopping) this.errors.push('A spare ended by itself');
      return;
    }
    this.#onDeath(it.slot, it);
    this.slots[it.slot] = undefined;
    if (this.#stopping) return;
    this.#fill();
    this.#hire();
  }

  #fill() {
    for (let slot = 0; slot < this.slots.length && this.#spares.length > 0; slot++) {
      if (this.slots[slot] === undefined && !this.#stopping) this.#place(this.#spares.shift(), slot);
    }
    if (this.slots.every((it) => it !== undefined)) this.#filled();
  }

  #place(it, slot) {
    const life = ++this.#lives;
    if (life >= LIVES) throw new Error(`More than ${LIVES} workers`);
    it.slot = slot;
    it.life = life;
    this.#board.order[slot] = LIVE;
    this.#board.waits.fill(0, slot * SUBJECTS.length, (slot + 1) * SUBJECTS.length);
    this.slots[slot] = it;
    it.worker.postMessage({ slot, life, seed: this.#seed + life * 7919 });
  }
}
