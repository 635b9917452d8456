/**
 * One line of `npm run bench`: a figure and its bound.
 * @typedef {object} Figure
 * @property {string} name
 * @property {number} value a ratio, unless `unit` says otherwise
 * @property {string} unit
 * @property {'at most' | 'at least' | 'exactly' | null} relation null: for comparison, without a bound
 * @property {number | null} bound
 * @property {number | null} aim
 * @property {boolean | null} met null: there is no bound
 * @property {string} detail what was measured, in absolute figures
 */

/**
 * @param {string} name @param {number} value @param {number} bound
 * @param {{ aim?: number, unit?: string, detail: string }} more
 */
export function atMost(name, value, bound, { aim = null, unit = 'x', detail }) {
  return { name, value, unit, relation: 'at most', bound, aim, met: value <= bound, detail };
}

/** @param {string} name @param {number} value @param {number} bound @param {{ aim?: number, detail: string }} more */
export function atLeast(name, value, bound, { aim = null, detail }) {
  return { name, value, unit: 'x', relation: 'at least', bound, aim, met: value >= bound, detail };
}

/** @param {string} name @param {number} value @param {number} bound @param {string} unit @param {string} detail */
export function exactly(name, value, bound, unit, detail) {
  return { name, value, unit, relation: 'exactly', bound, aim: null, met: value === bound, detail };
}

/** @param {string} name @param {number} value @param {string} detail */
export function unbounded(name, value, detail) {
  return { name, value, unit: 'x', relation: null, bound: null, aim: null, met: null, detail };
}

/** What could not be measured. @param {string} name @param {string} detail why, and what helps */
export function missing(name, detail) {
  return { ...unbounded(name, NaN, detail), unit: '-' };
}
