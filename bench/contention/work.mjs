/**
 * Arithmetic that takes a while and touches no memory.
 * @param {number} steps
 * @param {number} seed
 */
export function work(steps, seed) {
  let x = seed | 1;
  for (let i = 0; i < steps; i++) {
    x ^= x << 13;
    x ^= x >>> 17;
    x ^= x << 5;
  }
  return x;
}

/** How many steps of `work` this machine does in a microsecond, measured: the fastest of many short runs. */
export function stepsPerMicrosecond() {
  const steps = 20_000;
  let best = Infinity;
  let seed = 1;
  for (let run = 0; run < 200; run++) {
    const start = performance.now();
    seed = work(steps, seed);
    best = Math.min(best, performance.now() - start);
  }
  if (seed === 0) throw new Error('xorshift never gives zero');
  return steps / (best * 1e3);
}
