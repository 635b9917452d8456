import { columns } from '../columns.mjs';

/**
 * One figure, with its promise, and what was measured.
 * @param {import('./figure.mjs').Figure} figure
 */
export function describe({ name, value, unit, relation, bound, aim, met, detail }) {
  const promise =
    relation === null
      ? ''
      : `, ${relation} ${bound}${aim === null ? '' : ` (aim ${aim})`}: ${met ? 'met' : 'NOT met'}`;
  return [`${shown(value, unit).padStart(8)}  ${name}${promise}`, `          ${detail}`];
}

/**
 * All figures that have a bound, as a table.
 * @param {import('./figure.mjs').Figure[]} measured @param {import('../progress.mjs').Progress} progress
 */
export function summarize(measured, progress) {
  const rows = measured
    .filter(({ relation }) => relation !== null)
    .map(({ name, value, unit, relation, bound, met }) => [
      name,
      unit === 'x' ? value.toFixed(2) : shown(value, unit),
      `${relation} ${bound}${unit === 'x' ? '' : ` ${unit}`}`.trimEnd(),
      met ? 'met' : 'NOT met',
    ]);
  progress.line();
  for (const line of columns(['figure', 'measured', 'must be', ''], rows)) progress.line(line);
}

function shown(value, unit) {
  if (unit === '-') return unit;
  return unit === 'x' ? `${value.toFixed(2)} x` : `${value} ${unit}`.trimEnd();
}
