/** What a thread of the pool runs. The table and the stripes came as workerData, the other locks with the task. */
import { readFileSync } from 'node:fs';
import { workerData } from 'piscina';
import { Mutex, ReadWriteLock, Semaphore, open } from 'mortise';
import { LoneIndexer } from './alone.mjs';
import { Gate } from './gate.mjs';
import { InFlight } from './in-flight.mjs';
import { WordTable } from './table.mjs';
import { SharedIndexer } from './together.mjs';

const table = new WordTable(workerData.table);
const stripes = workerData.stripes.map((handle) => Mutex.from(handle));
const inFlight = new InFlight(workerData.inFlight);

warmUp();
new Gate(workerData.threads, workerData.gate).pass();

/** @type {SharedIndexer | LoneIndexer | undefined} */
let indexer;

/** @param {import('./run.mjs').Task} task */
export async function index({ files, growth, budget }) {
  const start = sinceBoot();
  indexer ??=
    growth === undefined
      ? new LoneIndexer(table)
      : new SharedIndexer(table, stripes, open(growth), open(budget), inFlight);
  try {
    return { occurrences: await indexer.index(files), start, end: sinceBoot() };
  } catch (error) {
    if (error.syscall === undefined) throw error;
    const { message, code, path, syscall } = error; // which would not get across on an error
    return { unreadable: { message, code, path, syscall } };
  }
}

/** Milliseconds on the clock that all threads share; `performance.now()` begins anew in each. */
function sinceBoot() {
  const [seconds, nanoseconds] = process.hrtime();
  return seconds * 1e3 + nanoseconds / 1e6;
}

/** Lets V8 compile the code before the clock starts, on a table and locks of this thread's own. */
function warmUp() {
  const own = WordTable.create(stripes.length || 1);
  const mutexes = stripes.map(() => new Mutex());
  const growth = new ReadWriteLock();
  const budget = new Semaphore(1);
  const indexer =
    stripes.length === 0
      ? new LoneIndexer(own)
      : new SharedIndexer(own, mutexes, growth, budget, new InFlight());
  try {
    for (const { path } of workerData.warmUp) indexer.addText(readFileSync(path));
  } catch {
    // A file cannot be read: the task that has it says so.
  }
  for (const lock of [...mutexes, growth, budget]) lock.dispose();
}
