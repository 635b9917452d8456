import { lookOf } from './series.mjs';
import { element, hint, line, picture, text } from './svg.mjs';

const width = 1100;
const rowHeight = 26;
const top = 44;
const left = 230;
const cell = 270;
const bar = 190;

/**
 * Jain's index as bars from 0 to 1, a column for each number of threads above one.
 * @param {import('../start/contention-part.mjs').ContentionResult['locks']} locks
 * @param {number[]} threads
 */
export function fairnessPlot(locks, threads) {
  const columns = threads.filter((count) => count > 1);
  const bottom = top + locks.length * rowHeight;
  const parts = [];
  for (const [column, count] of columns.entries()) {
    const x = left + column * cell;
    parts.push(text(x, 16, `${count} threads`, { class: 'heading' }));
    for (const [share, label] of [
      [0, '0'],
      [0.5, '0.5'],
      [1, '1: equal shares'],
    ]) {
      parts.push(line(x + share * bar, top - 6, x + share * bar, bottom, 'grid'));
      parts.push(text(x + share * bar, top - 12, label, { class: 'tick middle' }));
    }
  }
  for (const [index, { name, title, rows }] of locks.entries()) {
    const y = top + index * rowHeight;
    const { hue, dashed } = lookOf(name);
    parts.push(text(left - 14, y + 17, title, { class: `label end ${hue}` }));
    for (const [column, count] of columns.entries()) {
      const row = rows.find((one) => one.threads === count);
      const x = left + column * cell;
      if (row === undefined) {
        parts.push(text(x + 4, y + 17, 'no result', { class: 'tick' }));
        continue;
      }
      const words = hint(`${title}, ${count} threads: ${row.fairness.toFixed(3)}`);
      const shape = { x, y: y + 5, width: row.fairness * bar, height: rowHeight - 10, rx: 2 };
      parts.push(element('rect', { ...shape, class: `bar ${hue}${dashed ? ' pale' : ''}` }, words));
      parts.push(text(x + bar + 8, y + 17, row.fairness.toFixed(2), { class: 'number' }));
    }
  }
  return picture(width, bottom + 8, "Jain's fairness index", parts.join(''));
}
