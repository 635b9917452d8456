import { addAbortListener } from 'node:events';
import { Piscina } from 'piscina';
import { Mutex, ReadWriteLock, Semaphore } from 'mortise';
import { Gate } from './gate.mjs';
import { InFlight } from './in-flight.mjs';
import { WordTable } from './table.mjs';
import { toTasks } from './text-files.mjs';

const stripeCount = 64;
const taskBytes = 2 ** 16;
const warmUpBytes = 2 ** 21;

/** @typedef {import('./text-files.mjs').TextFile} TextFile */
/** @typedef {{ files: TextFile[], growth?: object, budget?: object }} Task without locks: alone */
/** @typedef {{ acquisitions: number, contended: number }} Use of a lock */

/**
 * @typedef {object} IndexRun
 * @property {number} threads
 * @property {boolean} locked
 * @property {number} seconds from the first task's beginning to the last one's end
 * @property {number} occurrences
 * @property {number} growths
 * @property {number} peakBytes the most bytes in flight at once
 * @property {{ stripes: Use, growth: { read: Use, write: Use }, budget: Use } | null} locks
 * @property {WordTable} table
 */

/**
 * Indexes the words of the files on a pool of threads.
 * @param {TextFile[]} files
 * @param {object} options
 * @param {number} options.threads
 * @param {boolean} options.locked false: one thread, no locks at all
 * @param {number} options.inFlight bytes that may be in flight
 * @param {AbortSignal} [options.signal]
 * @param {(share: number) => void} [options.onProgress]
 * @returns {Promise<IndexRun>}
 */
export async function indexWords(files, { threads, locked, inFlight, signal, onProgress }) {
  const table = WordTable.create(stripeCount);
  const stripes = locked ? Array.from({ length: stripeCount }, () => new Mutex()) : [];
  const growth = new ReadWriteLock();
  const budget = new Semaphore(inFlight);
  const peak = new InFlight();
  const pool = new Piscina({
    filename: new URL('./entry.cjs', import.meta.url).href,
    minThreads: threads,
    maxThreads: threads,
    workerData: {
      table: table.handle,
      stripes: stripes.map((mutex) => mutex.handle),
      inFlight: peak.memory,
      warmUp: upTo(warmUpBytes, files),
      gate: new Gate(threads).memory,
      threads,
    },
  });
  const aborted = signal && addAbortListener(signal, () => void pool.destroy());
  try {
    const tasks = toTasks(files, taskBytes);
    const handles = locked ? { growth: growth.handle, budget: budget.handle } : {};
    let done = 0;
    const parts = await Promise.all(
      tasks.map(async (task) => {
        const part = await pool.run({ files: task, ...handles });
        if (part.unreadable) throw Object.assign(new Error(part.unreadable.message), part.unreadable);
        onProgress?.(++done / tasks.length);
        return part;
      }),
    );
    return {
      threads,
      locked,
      seconds:
        (Math.max(...parts.map(({ end }) => end)) - Math.min(...parts.map(({ start }) => start))) / 1e3,
      occurrences: parts.reduce((sum, part) => sum + part.occurrences, 0),
      growths: table.growths,
      peakBytes: peak.peak,
      locks: locked ? usesOf(stripes, growth, budget) : null,
      table,
    };
  } finally {
    aborted?.[Symbol.dispose]();
    await pool.destroy();
  }
}

/** The first files, of so many bytes together. */
function upTo(bytes, files) {
  let sum = 0;
  return files.filter((file) => (sum += file.bytes) <= bytes);
}

function usesOf(stripes, growth, budget) {
  const stripe = { acquisitions: 0, contended: 0 };
  for (const mutex of stripes) {
    const { acquisitions, contended } = mutex.stats();
    stripe.acquisitions += acquisitions;
    stripe.contended += contended;
  }
  return { stripes: stripe, growth: useOf(growth.stats()), budget: useOf(budget.stats()) };
}

const useOf = ({ acquisitions, contended }) => ({ acquisitions, contended });
