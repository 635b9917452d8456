import { relative } from 'node:path';
import { Failure, reasonOf } from '../failure.mjs';
import { difference, topWords } from '../index-words/compare.mjs';
import { indexWords } from '../index-words/run.mjs';
import { findTextFiles, textExtensions } from '../index-words/text-files.mjs';
import { bytes, count, countOf } from '../units.mjs';

/** When the first run takes longer than this, in seconds, all are repeated only once: it had to read from disk. */
const longRun = 3;
const repetitions = 3;
const topCount = 20;

/** @typedef {Omit<import('../index-words/run.mjs').IndexRun, 'table'>} Run */

/**
 * @typedef {object} IndexResult
 * @property {string} folder
 * @property {number} files
 * @property {number} bytes
 * @property {number} occurrences of words
 * @property {number} distinct words
 * @property {boolean} equal every run with locks gave the same as the one without
 * @property {Run} alone one thread, no locks
 * @property {(Run & { speedUp: number })[]} together with locks, by number of threads
 * @property {{ word: string, count: number, files: number }[]} topWords
 */

/**
 * The word index: one thread without locks, then more and more threads with them. The fastest of a few
 * repetitions counts, and every single one must give the same words.
 * @param {import('./options.mjs').StartOptions} options
 * @param {import('../progress.mjs').Progress} progress
 * @param {AbortSignal} signal
 * @returns {Promise<IndexResult>}
 */
export async function runIndex(options, progress, signal) {
  const files = await textFilesIn(options.folder);
  const folder = options.isDefaultFolder ? relative(process.cwd(), options.folder) : options.folder;
  const size = files.reduce((sum, file) => sum + file.bytes, 0);
  progress.line(`Word index: ${countOf(files.length, 'text file')}, ${bytes(size)}, in ${folder}`);

  const settings = [{ threads: 1, locked: false }];
  for (const threads of threadCounts(options.threads)) settings.push({ threads, locked: true });
  /** @type {Run[]} */
  const fastest = [];
  let rounds = options.quick ? 1 : repetitions;
  let reference;
  for (let round = 0; round < rounds; round++) {
    for (const [index, setting] of settings.entries()) {
      const onProgress = (share) => {
        const done = (round * settings.length + index + share) / (rounds * settings.length);
        progress.show(`words, ${describe(setting)}`, done);
      };
      const { table, ...run } = await readable(
        indexWords(files, { ...setting, inFlight: options.inFlight, signal, onProgress }),
      );
      reference ??= { table, run };
      if (table !== reference.table) check(reference, table, run, options.inFlight);
      if (!(fastest[index]?.seconds <= run.seconds)) fastest[index] = run;
    }
    if (reference.run.seconds > longRun) rounds = Math.min(rounds, 2);
  }

  const [alone, ...together] = fastest;
  return {
    folder,
    files: files.length,
    bytes: size,
    occurrences: alone.occurrences,
    distinct: reference.table.distinct,
    equal: true,
    alone,
    together: together.map((run) => ({ ...run, speedUp: alone.seconds / run.seconds })),
    topWords: topWords(reference.table, topCount),
  };
}

/** @param {string} folder */
async function textFilesIn(folder) {
  const files = await readable(findTextFiles(folder));
  if (files.length > 0) return files;
  throw new Failure(`there are no text files (${textExtensions.join(' ')}) in ${folder}`);
}

/** @template T @param {Promise<T>} promise of something that reads files */
async function readable(promise) {
  try {
    return await promise;
  } catch (error) {
    if (error.syscall === undefined || error.path === undefined) throw error;
    throw new Failure(`cannot read ${error.path}: ${reasonOf(error)}`);
  }
}

function check(reference, table, run, inFlight) {
  const different = difference(reference.table, table);
  if (different !== null) {
    throw new Failure(`the index made with locks is wrong, ${describe(run)}: ${different}`);
  }
  if (run.peakBytes > inFlight) {
    throw new Failure(`${run.peakBytes} bytes were in flight where the semaphore has ${inFlight} permits`);
  }
}

/** 1, 2, 4 ... and the number itself. @param {number} most */
function threadCounts(most) {
  const counts = [];
  for (let threads = 1; threads < most; threads *= 2) counts.push(threads);
  return [...counts, most];
}

/** @param {{ threads: number, locked: boolean }} setting */
export function describe({ threads, locked }) {
  return `${countOf(threads, 'thread')}, ${locked ? 'with locks' : 'no locks'}`;
}

/** @param {IndexResult} result @param {import('../progress.mjs').Progress} progress */
export function printIndex({ alone, together, occurrences, distinct, topWords: words }, progress) {
  for (const run of [alone, ...together]) {
    const speed = run.locked
      ? `${(alone.seconds / run.seconds).toFixed(2)} x as fast, equal`
      : 'the reference';
    progress.line(`  ${describe(run).padEnd(22)} ${run.seconds.toFixed(3)} s   ${speed}`);
  }
  progress.line(
    `  ${count(occurrences)} words, ${count(distinct)} of them distinct; the table grew ${countOf(alone.growths, 'time')}`,
  );
  const { locks, peakBytes } = together.at(-1);
  const use = ({ acquisitions, contended }) =>
    `${count(acquisitions)} acquired, ${count(contended)} contended`;
  progress.line(`  Mutex stripes: ${use(locks.stripes)}`);
  progress.line(`  Read-write lock: ${use(locks.growth)}`);
  progress.line(`  Semaphore: ${use(locks.budget)}; at most ${bytes(peakBytes)} in flight`);
  progress.line(
    `  Most frequent: ${words
      .slice(0, 8)
      .map(({ word, count: n }) => `${word} ${count(n)}`)
      .join(' · ')}`,
  );
}
