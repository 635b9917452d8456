/** Looks for mutants in a worker that is ended and started anew when one of them does not come to an end. */
import { once } from 'node:events';
import { Worker } from 'node:worker_threads';

/** Milliseconds in which no execution has begun, loading included: one takes less than ten. */
const PATIENCE = 3000;
/** How much longer a second attempt may take: the first was maybe kept from a processor. */
const MORE = 4;
const GLANCE = 500;
const FAVOURITES = 6;

/**
 * @typedef {object} Found
 * @property {string} message what did not hold
 * @property {'claim' | 'exception' | 'endless'} kind
 * @property {string} [name] of the case
 */

export class MutantRunner {
  #counter = new Int32Array(new SharedArrayBuffer(4));
  #worker = null;
  /** How many mutants each case has found, by module. */
  #finds = new Map();

  /** @returns {Promise<Found | null>} null: every claim holds; `mutant` undefined: of the library as it is */
  async look(file, mutant) {
    const finds = this.#finds.get(file) ?? this.#finds.set(file, new Map()).get(file);
    const favourites = [...finds]
      .sort(([, a], [, b]) => b - a)
      .slice(0, FAVOURITES)
      .map(([name]) => name);
    let found = await this.#ask({ file, mutant, favourites }, PATIENCE);
    if (found?.kind === 'endless') found = await this.#ask({ file, mutant, favourites }, PATIENCE * MORE);
    if (found?.name !== undefined) finds.set(found.name, (finds.get(found.name) ?? 0) + 1);
    return found;
  }

  async #start() {
    const worker = new Worker(new URL('mutant-task.mjs', import.meta.url), {
      workerData: this.#counter.buffer,
      resourceLimits: { maxOldGenerationSizeMb: 2048 },
    });
    await once(worker, 'message');
    return worker;
  }

  async #ask(task, patience) {
    const worker = (this.#worker ??= await this.#start());
    return new Promise((resolve) => {
      let seen = -1;
      let since = performance.now();
      const end = (found) => {
        clearInterval(watchdog);
        worker.off('message', end);
        worker.off('error', die);
        resolve(found);
      };
      const giveUp = (message) => {
        this.#worker = null;
        end({ kind: 'endless', message });
        void worker.terminate();
      };
      const die = (error) => giveUp(`the worker has died: ${error.message}`);
      const watchdog = setInterval(() => {
        const count = Atomics.load(this.#counter, 0);
        if (count !== seen) since = performance.now();
        else if (performance.now() - since > patience) giveUp('it does not come to an end');
        seen = count;
      }, GLANCE);
      worker.once('message', end);
      worker.once('error', die);
      worker.postMessage(task);
    });
  }

  async close() {
    await this.#worker?.terminate();
  }
}
