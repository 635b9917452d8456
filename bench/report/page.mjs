import { bytes, count, countOf } from '../units.mjs';
import { barsPlot } from './bars-plot.mjs';
import { fairnessPlot } from './fairness-plot.mjs';
import { figuresTable } from './figures-table.mjs';
import { linesPlot } from './lines-plot.mjs';
import { style } from './style.mjs';
import { escape } from './svg.mjs';
import { tiles } from './tiles.mjs';
import { waitsPlot } from './waits-plot.mjs';

/**
 * @typedef {import('../start.mjs').Surroundings & {
 *   seconds: number,
 *   quick: boolean,
 *   index: import('../start/index-part.mjs').IndexResult,
 *   contention: import('../start/contention-part.mjs').ContentionResult | null,
 * }} Results
 */

/** The report: one page that needs nothing else. @param {Results} results */
export function reportPage(results) {
  const { index, contention } = results;
  const where = `mortise ${results.mortise}, Node.js ${results.node}, ${results.processors} processors (${results.processor}), ${results.system}, ${results.date.slice(0, 16).replace('T', ' ')} UTC`;
  return `<!doctype html>
<html lang="en">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>mortise: locks under contention</title>
<style>${style}</style>
<main>
<h1>Locks under contention</h1>
<p>${escape(where)}.${results.quick ? ' A quick run: the figures are rough.' : ''}</p>
${tiles(results)}
<h2>Word index</h2>
<p>Threads index ${countOf(index.files, 'text file')} (${bytes(index.bytes)}, ${countOf(index.occurrences, 'word')}) into one
hash table in shared memory. Mutexes guard its parts, a semaphore limits the bytes in flight, and a read-write lock
guards the table while it grows.</p>
<div class="pair">${indexTimes(index)}${indexWords(index)}</div>
${contention === null ? '' : contentionSections(contention)}
</main>
</html>
`;
}

/** @param {import('../start/contention-part.mjs').ContentionResult} contention */
function contentionSections(contention) {
  const measured = contention.locks.filter(({ rows }) => rows.length > 0);
  return `<h2>Throughput</h2>
<p>All threads use one lock, with ${contention.microsecondsInside} µs of work inside and
${contention.microsecondsOutside} µs outside; then with no work at all, which is the cost of the lock itself.
Higher is better.</p>
${throughput(measured, contention)}
<h2>Waiting</h2>
<p>From asking to having the lock, every wait of the runs with work inside. Further left is better; the axis is
logarithmic.</p>
${waits(measured, contention.threads)}
<h2>Fairness</h2>
<p>Jain's index of how often each thread got the lock: 1 when all got it equally often, 1/n when one of n threads got
it every time.</p>
${fairnessPlot(measured, contention.threads)}
<h2>All figures</h2>
${notes(contention.locks)}
${figuresTable(measured)}`;
}

function indexTimes({ alone, together }) {
  const rows = [alone, ...together].map((run) => ({
    name: run.locked ? `${countOf(run.threads, 'thread')}` : '1 thread, no locks',
    value: run.seconds,
    figure: `${run.seconds.toFixed(3)} s${run.locked ? `, ${run.speedUp.toFixed(2)} × as fast` : ''}`,
    hue: run.locked ? 'blue' : 'grey',
  }));
  return barsPlot('Time to index everything', rows, 130);
}

function indexWords({ topWords }) {
  const rows = topWords.slice(0, 12).map((entry) => ({
    name: entry.word,
    value: entry.count,
    figure: `${count(entry.count)} in ${countOf(entry.files, 'file')}`,
    hue: 'blue',
  }));
  return barsPlot('Most frequent words', rows, 130);
}

function throughput(locks, { threads }) {
  const plots = [];
  for (const [figure, scale, label] of [
    ['perSecond', 'linear', 'with work, per second'],
    ['emptyPerSecond', 'logarithmic', 'empty sections, per second, logarithmic'],
  ]) {
    const values = locks.flatMap(({ rows }) => rows.map((row) => row[figure]));
    const least = scale === 'linear' ? undefined : Math.min(...values);
    for (const [own, whose] of [
      [true, 'mortise'],
      [false, 'beside it'],
    ]) {
      const lines = locks
        .filter((lock) => lock.own === own)
        .map(({ name, title, rows }) => ({
          name,
          title,
          values: threads.map((n) => rows.find((row) => row.threads === n)?.[figure]),
        }));
      plots.push(
        linesPlot({ title: `${whose}, ${label}`, threads, lines, most: Math.max(...values), least }),
      );
    }
  }
  return `<div class="pair">${plots.join('')}</div>`;
}

function waits(locks, threads) {
  const all = locks.flatMap(({ rows }) => rows.map(({ wait }) => wait));
  const nanosecond = 1e-6; // a wait can be too short for the clock
  const least = Math.max(nanosecond, Math.min(...all.map(({ p50 }) => p50)));
  const range = [least, Math.max(...all.map(({ worst }) => worst))];
  return threads
    .filter((count) => count === 2 || count === Math.max(...threads))
    .map((count) => {
      const rows = locks.flatMap(({ name, title, rows: measured }) => {
        const row = measured.find((one) => one.threads === count);
        return row ? [{ name, title, wait: row.wait }] : [];
      });
      return waitsPlot(rows, `${count} threads`, range);
    })
    .join('');
}

function notes(locks) {
  return locks
    .flatMap(({ title, rows, missing, stuck }) => [
      ...[missing, stuck].filter((reason) => reason !== null).map((reason) => `${title}: ${reason}.`),
      ...rows
        .filter(({ broken }) => broken !== null)
        .map(({ broken, threads }) => `${title} does not exclude, with ${threads} threads: ${broken}.`),
    ])
    .map((words) => `<p class="note">${escape(words)}</p>`)
    .join('\n');
}
