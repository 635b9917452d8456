/**
 * @typedef {object} Scale
 * @property {(value: number) => number} at where a value is drawn
 * @property {number[]} ticks
 */

/** From zero, with about `steps` round ticks. @param {number} most @param {number} from @param {number} to */
export function linear(most, from, to, steps = 5) {
  const rough = (most || 1) / steps;
  const power = 10 ** Math.floor(Math.log10(rough));
  const step = [1, 2, 2.5, 5, 10].map((factor) => factor * power).find((size) => size >= rough * 0.999);
  const end = Math.ceil((most || 1) / step - 1e-9) * step;
  const ticks = Array.from({ length: Math.round(end / step) + 1 }, (_, index) => index * step);
  return { at: (value) => from + (value / end) * (to - from), ticks };
}

/** Powers of ten. @param {number} least @param {number} most @param {number} from @param {number} to */
export function logarithmic(least, most, from, to) {
  const low = Math.floor(Math.log10(least));
  const high = Math.max(low + 1, Math.ceil(Math.log10(most)));
  const at = (value) => {
    const exponent = Math.min(high, Math.max(low, Math.log10(value)));
    return from + ((exponent - low) / (high - low)) * (to - from);
  };
  return { at, ticks: Array.from({ length: high - low + 1 }, (_, index) => 10 ** (low + index)) };
}

/**
 * Moves labels apart that would overlap, and keeps their order.
 * @param {number[]} wanted positions @param {number} gap @param {number} least @param {number} most
 */
export function spread(wanted, gap, least, most) {
  const order = wanted.map((_, index) => index).sort((a, b) => wanted[a] - wanted[b]);
  const placed = [...wanted];
  let previous = -Infinity;
  for (const index of order) previous = placed[index] = Math.max(wanted[index], previous + gap, least);
  let next = most + gap;
  for (const index of order.reverse()) next = placed[index] = Math.min(placed[index], next - gap);
  return placed;
}
