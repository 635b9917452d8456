import { columns } from '../columns.mjs';
import { contend } from '../contention/contend.mjs';
import { loadLock, ownLocks, peerLocks } from '../contention/locks.mjs';
import { stepsPerMicrosecond } from '../contention/work.mjs';
import { Failure } from '../failure.mjs';
import { duration, rate } from '../units.mjs';

const threads = [1, 2, 4, 8];
const microsecondsInside = 2;
const microsecondsOutside = 2;

/**
 * @typedef {object} ContentionResult
 * @property {number[]} threads
 * @property {number} microsecondsInside
 * @property {number} microsecondsOutside
 * @property {number} seconds
 * @property {(import('../contention/contend.mjs').Contention & { own: boolean })[]} locks
 */

/**
 * Every lock at every number of threads, one after the other.
 * @param {import('./options.mjs').StartOptions} options
 * @param {import('../progress.mjs').Progress} progress
 * @param {AbortSignal} signal
 * @returns {Promise<ContentionResult>}
 */
export async function runContention({ seconds }, progress, signal) {
  const steps = stepsPerMicrosecond();
  const plan = {
    threads,
    seconds,
    emptySeconds: seconds * 0.4,
    inside: Math.round(steps * microsecondsInside),
    outside: Math.round(steps * microsecondsOutside),
  };
  progress.line();
  progress.line(
    `Contention: ${microsecondsInside} µs inside the lock and ${microsecondsOutside} µs outside, ${seconds} s each; ` +
      'every wait counts. "Empty" is with nothing in either.',
  );
  const names = [...ownLocks, ...peerLocks];
  const locks = [];
  for (const [index, name] of names.entries()) {
    const { title } = await loadLock(name);
    let rows = 0;
    const show = () =>
      progress.show(`contention, ${title}`, (index + Math.min(1, rows / threads.length)) / names.length);
    show();
    const onRow = () => {
      rows++;
      show();
    };
    const result = await contend(name, plan, { signal, onRow });
    const own = ownLocks.includes(name);
    if (own) check(result);
    locks.push({ ...result, own });
  }
  return { threads, microsecondsInside, microsecondsOutside, seconds, locks };
}

/** @param {import('../contention/contend.mjs').Contention} result */
function check({ title, rows, stuck }) {
  if (stuck !== null) throw new Failure(`${title}: ${stuck}`);
  for (const { broken, threads: n } of rows) {
    if (broken !== null) throw new Failure(`${title} does not exclude, with ${n} threads: ${broken}`);
  }
}

/** @param {ContentionResult} result @param {import('../progress.mjs').Progress} progress */
export function printContention({ locks }, progress) {
  const head = [
    'lock',
    'threads',
    'ops/s',
    'p50 wait',
    'p99',
    'p99.9',
    'worst',
    'fairness',
    'CPU s',
    'empty ops/s',
  ];
  const rows = [];
  const notes = [];
  for (const { title, rows: measured, missing, stuck } of locks) {
    if (missing !== null) notes.push(`${title}: ${missing}`);
    if (stuck !== null) notes.push(`${title}: ${stuck}`);
    for (const [index, row] of measured.entries()) {
      if (row.broken !== null)
        notes.push(`${title}, ${row.threads} threads: does not exclude: ${row.broken}`);
      rows.push([
        index === 0 ? title : '',
        String(row.threads),
        rate(row.perSecond),
        ...[row.wait.p50, row.wait.p99, row.wait.p999, row.wait.worst].map(duration),
        row.fairness.toFixed(2),
        row.cpuSeconds.toFixed(2),
        rate(row.emptyPerSecond),
      ]);
    }
  }
  for (const line of columns(head, rows)) progress.line(line);
  for (const note of notes) progress.line(note);
}
