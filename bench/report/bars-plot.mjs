import { element, hint, picture, text } from './svg.mjs';

const width = 540;
const rowHeight = 27;
const top = 30;

/**
 * Horizontal bars, each with its name and its figure.
 * @param {string} title
 * @param {{ name: string, value: number, figure: string, hue: string }[]} rows
 * @param {number} left room for the names
 */
export function barsPlot(title, rows, left) {
  const right = width - 150;
  const most = Math.max(...rows.map(({ value }) => value));
  const parts = [text(0, 16, title, { class: 'heading' })];
  for (const [index, { name, value, figure, hue }] of rows.entries()) {
    const y = top + index * rowHeight;
    const length = Math.max(1, (value / most) * (right - left));
    parts.push(text(left - 10, y + 17, name, { class: 'label end ink' }));
    const shape = { x: left, y: y + 4, width: length, height: rowHeight - 9, rx: 2, class: `bar ${hue}` };
    parts.push(element('rect', shape, hint(`${name}: ${figure}`)));
    parts.push(text(left + length + 8, y + 17, figure, { class: 'number' }));
  }
  return picture(width, top + rows.length * rowHeight + 4, title, parts.join(''));
}
