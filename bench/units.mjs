/** Numbers for people. */

const grouped = new Intl.NumberFormat('en', { maximumFractionDigits: 0 });

/** 1234567 -> "1,234,567" @param {number} number */
export const count = (number) => grouped.format(number);

/** "1 file", "2 files" @param {number} number @param {string} noun */
export const countOf = (number, noun) => `${count(number)} ${noun}${number === 1 ? '' : 's'}`;

/** Three significant digits, as many decimals as that takes. @param {number} number */
export function threeDigits(number) {
  if (number === 0) return '0';
  const decimals = Math.min(2, Math.max(0, 2 - Math.floor(Math.log10(Math.abs(number)))));
  return number.toFixed(decimals);
}

/** @param {number} number @param {[number, string][]} scale the largest unit first */
function inUnits(number, scale) {
  const [size, unit] = scale.find(([from]) => number >= from * 0.9995) ?? scale[scale.length - 1];
  return `${threeDigits(number / size)} ${unit}`;
}

/** 0.0123 ms -> "12.3 µs" @param {number} milliseconds */
export function duration(milliseconds) {
  return inUnits(milliseconds, [
    [1e3, 's'],
    [1, 'ms'],
    [1e-3, 'µs'],
    [1e-6, 'ns'],
  ]);
}

/** 1234567 -> "1.23 M" @param {number} number of things a second */
export function rate(number) {
  if (number < 1000) return threeDigits(number);
  return inUnits(number, [
    [1e9, 'G'],
    [1e6, 'M'],
    [1e3, 'k'],
  ]);
}

/** @param {number} number of bytes */
export function bytes(number) {
  if (number < 2 ** 10) return countOf(number, 'byte');
  return inUnits(number, [
    [2 ** 30, 'GiB'],
    [2 ** 20, 'MiB'],
    [2 ** 10, 'KiB'],
  ]);
}
