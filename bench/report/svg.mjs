/** The little SVG that the plots are made of, as text. Colours come from classes, see style.mjs. */

const entities = { '&': '&amp;', '<': '&lt;', '>': '&gt;', '"': '&quot;' };

/** @param {string} text */
export const escape = (text) => text.replace(/[&<>"]/g, (character) => entities[character]);

/** @param {number} number a coordinate */
const at = (number) => Number(number.toFixed(1));

function attributes(values) {
  return Object.entries(values)
    .filter(([, value]) => value !== undefined)
    .map(([name, value]) => ` ${name}="${typeof value === 'number' ? at(value) : escape(value)}"`)
    .join('');
}

/** @param {string} name @param {object} values @param {string} [content] */
export function element(name, values, content) {
  return content === undefined
    ? `<${name}${attributes(values)}/>`
    : `<${name}${attributes(values)}>${content}</${name}>`;
}

/** @param {number} x @param {number} y @param {string} words @param {object} [values] */
export const text = (x, y, words, values = {}) => element('text', { x, y, ...values }, escape(words));

/** @param {number} x1 @param {number} y1 @param {number} x2 @param {number} y2 @param {string} className */
export const line = (x1, y1, x2, y2, className) => element('line', { x1, y1, x2, y2, class: className });

/** What a reader sees who points at a mark. @param {string} words */
export const hint = (words) => element('title', {}, escape(words));

/** @param {number} width @param {number} height @param {string} label what it shows @param {string} content */
export function picture(width, height, label, content) {
  return element('svg', { viewBox: `0 0 ${width} ${height}`, role: 'img', 'aria-label': label }, content);
}
