import { duration } from '../units.mjs';
import { logarithmic } from './scale.mjs';
import { lookOf } from './series.mjs';
import { element, hint, line, picture, text } from './svg.mjs';

const width = 1100;
const rowHeight = 30;
const plot = { left: 230, right: 1060, top: 58 };
const quantiles = [
  ['p50', 'p50: half are shorter'],
  ['p99', 'p99'],
  ['p999', 'p99.9'],
  ['worst', 'worst'],
];

/** A shape for each quantile, so that colour is free to tell the lock. */
const shapes = {
  p50: (x, y, className, words) => element('circle', { cx: x, cy: y, r: 5.5, class: className }, words),
  p99: (x, y, className, words) =>
    element(
      'path',
      { d: `M${x.toFixed(1)} ${y - 6.5}l6.5 6.5l-6.5 6.5l-6.5 -6.5z`, class: className },
      words,
    ),
  p999: (x, y, className, words) =>
    element('path', { d: `M${x.toFixed(1)} ${y - 6}l6.5 11.5h-13z`, class: className }, words),
  worst: (x, y, className, words) =>
    element('rect', { x: x - 2.5, y: y - 8, width: 5, height: 16, class: className }, words),
};

/**
 * How long it took to get each lock at one number of threads, on a logarithmic axis.
 * @param {{ name: string, title: string, wait: import('../contention/team.mjs').RoundResult['wait'] }[]} rows
 * @param {string} title
 * @param {[number, number]} range milliseconds, the same for all plots
 */
export function waitsPlot(rows, title, [least, most]) {
  const bottom = plot.top + rows.length * rowHeight;
  const x = logarithmic(least, most, plot.left, plot.right);
  const parts = [text(0, 16, title, { class: 'heading' }), legend()];
  for (const tick of x.ticks) {
    parts.push(line(x.at(tick), plot.top - 6, x.at(tick), bottom, 'grid'));
    parts.push(text(x.at(tick), bottom + 18, duration(tick).replace(/\.0+ /, ' '), { class: 'tick middle' }));
  }
  for (const [index, { name, title: lock, wait }] of rows.entries()) {
    const y = plot.top + (index + 0.5) * rowHeight;
    const { hue } = lookOf(name);
    parts.push(text(plot.left - 14, y + 4, lock, { class: `label end ${hue}` }));
    parts.push(line(x.at(wait.p50), y, x.at(wait.worst), y, `range ${hue}`));
    for (const [quantile, words] of quantiles) {
      const [label] = words.split(':');
      const figure = hint(`${lock}, ${label}: ${duration(wait[quantile])}`);
      parts.push(shapes[quantile](x.at(wait[quantile]), y, `mark ${hue}`, figure));
    }
  }
  return picture(width, bottom + 28, title, parts.join(''));
}

function legend() {
  let x = plot.left;
  return quantiles
    .map(([quantile, words]) => {
      const part = shapes[quantile](x + 8, 34, 'mark ink', '') + text(x + 22, 38, words, { class: 'tick' });
      x += 48 + words.length * 6.5;
      return part;
    })
    .join('');
}
