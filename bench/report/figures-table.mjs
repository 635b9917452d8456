import { duration, rate } from '../units.mjs';
import { escape } from './svg.mjs';

const head = [
  'Lock',
  'Threads',
  'Per second',
  'Wait p50',
  'p99',
  'p99.9',
  'Worst',
  'Fairness',
  'CPU s',
  'Empty, per second',
];

/** Every figure of the contention part. @param {import('../start/contention-part.mjs').ContentionResult['locks']} locks */
export function figuresTable(locks) {
  const rows = locks.flatMap(({ title, rows: measured }) =>
    measured.map((row, index) => {
      const { wait } = row;
      const cells = [
        index === 0 ? escape(title) : '',
        row.threads,
        rate(row.perSecond),
        ...[wait.p50, wait.p99, wait.p999, wait.worst].map(duration),
        row.fairness.toFixed(2),
        row.cpuSeconds.toFixed(2),
        rate(row.emptyPerSecond),
      ];
      return `<tr${index === 0 ? ' class="first"' : ''}>${cells.map((cell) => `<td>${cell}</td>`).join('')}</tr>`;
    }),
  );
  const titles = head.map((title) => `<th scope="col">${title}</th>`).join('');
  return `<div class="scroll"><table><thead><tr>${titles}</tr></thead><tbody>${rows.join('\n')}</tbody></table></div>`;
}
