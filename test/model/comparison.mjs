/** The command line of a comparison with V8: how much, from which seed, and how long it took. */
import { parseArgs } from 'node:util';
import { countWaiters } from './gate.mjs';

/** Undefined: real threads can be compared. */
export const obstacle =
  countWaiters === undefined ? 'this V8 does not tell how many threads wait on a word' : undefined;

function read(what, amount) {
  const usage = `options: --${what} N (default ${amount}) --seed N (default random)`;
  try {
    const { values } = parseArgs({
      options: {
        [what]: { type: 'string', default: String(amount) },
        seed: { type: 'string', default: String((Math.random() * 2 ** 30) | 0) },
        help: { type: 'boolean', default: false },
      },
    });
    if (values.help) {
      console.log(usage);
      return process.exit(0);
    }
    if (!/^[0-9]*[1-9][0-9]*$/.test(values[what]))
      throw new RangeError(`--${what} must be a positive integer, not ${values[what]}`);
    if (!/^[0-9]+$/.test(values.seed)) throw new RangeError(`--seed must be a number, not ${values.seed}`);
    return { values };
  } catch (error) {
    console.error(`${error.message}\n\n${usage}`);
    return process.exit(2);
  }
}

/** @param {string} what is counted: the name of the option, and of the argument of `compare` */
export async function runComparison(what, amount, compare) {
  const { values } = read(what, amount);
  const start = performance.now();
  console.log(`--${what} ${values[what]} --seed ${values.seed}`);
  if (obstacle !== undefined) throw new Error(obstacle);
  console.log(await compare({ [what]: Number(values[what]), seed: Number(values.seed) }));
  console.log(`${((performance.now() - start) / 1000).toFixed(1)} s`);
}
