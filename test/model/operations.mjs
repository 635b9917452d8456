/** Operations of a schedule by numbers, as threads tell them to each other. */
export const OPERATIONS = [
  ...['load', 'store', 'add', 'or', 'exchange', 'compareExchange'],
  ...['wait', 'notify', 'waitAsync'],
];
export const START = OPERATIONS.length;

const OUTCOMES = ['ok', 'not-equal', 'timed-out'];

/** What operations take and return, as numbers. */
export function encode(value) {
  if (value === undefined) return -(2 ** 40);
  if (typeof value === 'number') return value;
  if (typeof value === 'string') return 2 ** 40 + OUTCOMES.indexOf(value);
  return value.async ? 2 ** 41 : encode(value.value);
}

/** What a thread announces before its program. */
export const STARTING = [START, -1, encode(undefined), encode(undefined)];

export function decode(value) {
  if (value === 2 ** 41) return 'armed';
  if (value === -(2 ** 40)) return 'undefined';
  return value >= 2 ** 40 ? OUTCOMES[value - 2 ** 40] : String(value);
}
