import { rate } from '../units.mjs';
import { linear, logarithmic, spread } from './scale.mjs';
import { lookOf } from './series.mjs';
import { element, hint, line, picture, text } from './svg.mjs';

const width = 540;
const height = 330;
const plot = { left: 58, right: 360, top: 34, bottom: 284 };

/**
 * Throughput by number of threads, one line for each lock, named at its end.
 * @param {object} options
 * @param {string} options.title
 * @param {number[]} options.threads
 * @param {{ name: string, title: string, values: (number | undefined)[] }[]} options.lines
 * @param {number} options.most the largest value of all plots that are to have the same axis
 * @param {number} [options.least] makes the axis logarithmic, from here
 */
export function linesPlot({ title, threads, lines, most, least }) {
  const y =
    least === undefined
      ? linear(most, plot.bottom, plot.top)
      : logarithmic(least, most, plot.bottom, plot.top);
  const x = (index) => plot.left + ((index + 0.25) / (threads.length - 0.5)) * (plot.right - plot.left);
  const parts = [text(plot.left, 16, title, { class: 'heading' })];
  for (const tick of y.ticks) {
    const at = y.at(tick);
    parts.push(line(plot.left, at, plot.right, at, 'grid'));
    parts.push(text(plot.left - 8, at + 4, rate(tick).replace(/\.0+(?= |$)/, ''), { class: 'tick end' }));
  }
  for (const [index, count] of threads.entries()) {
    parts.push(text(x(index), plot.bottom + 18, String(count), { class: 'tick middle' }));
  }
  parts.push(text((plot.left + plot.right) / 2, plot.bottom + 38, 'threads', { class: 'axis middle' }));
  const drawn = lines.filter(({ values }) => values.some((value) => value !== undefined));
  const ends = drawn.map(({ values }) => y.at(values.findLast((value) => value !== undefined)));
  const labels = spread(ends, 16, plot.top, plot.bottom);
  for (const [index, { name, title: lock, values }] of drawn.entries()) {
    const { hue, dashed } = lookOf(name);
    const points = values.flatMap((value, step) =>
      value === undefined ? [] : [[x(step), y.at(value), value, step]],
    );
    const path = points.map(([px, py]) => `${px.toFixed(1)},${py.toFixed(1)}`).join(' ');
    parts.push(element('polyline', { points: path, class: `series ${hue}${dashed ? ' dashed' : ''}` }));
    for (const [cx, cy, value, step] of points) {
      const words = `${lock}, ${threads[step]} threads: ${rate(value)} per second`;
      parts.push(
        element('circle', { cx, cy, r: 4, class: `dot ${hue}${dashed ? ' hollow' : ''}` }, hint(words)),
      );
    }
    const [lastX, lastY] = points.at(-1);
    parts.push(line(lastX + 6, lastY, plot.right + 10, labels[index], 'leader'));
    parts.push(text(plot.right + 14, labels[index] + 4, lock, { class: `label ${hue}` }));
  }
  return picture(width, height, title, parts.join(''));
}
