/** `npm run model`: random and PCT schedules of every subject, and the small ones completely. Prints a table. */
import { parseArgs } from 'node:util';
import { Failure, exhaustive, pct, random } from './explore.mjs';
import { bounded, small } from './plan.mjs';
import { explain, shrink } from './report.mjs';

const { values } = parseArgs({
  options: {
    executions: { type: 'string', default: '2000' },
    seed: { type: 'string', default: String((Math.random() * 2 ** 30) | 0) },
  },
});
const executions = Number(values.executions);
const seed = Number(values.seed);
const table = [];

function run(strategy, { subject, budget }, options) {
  const start = performance.now();
  if (process.stdout.isTTY) process.stdout.write(`\r\x1b[K${strategy.name} ${subject.name}`);
  const result = strategy(subject, { budget, ...options });
  const seconds = (performance.now() - start) / 1000;
  table.push({
    strategy: strategy.name,
    subject: subject.name,
    deaths: budget.deaths ?? 0,
    'clock moves': budget.clock ?? 0,
    executions: result.executions,
    states: result.states ?? '',
    complete: result.complete ?? '',
    'k steps/s': Math.round(result.steps / seconds / 1000),
  });
}

try {
  for (const one of small) run(exhaustive, one, { limit: 300_000 });
  for (const one of bounded) for (const strategy of [random, pct]) run(strategy, one, { executions, seed });
} catch (error) {
  if (!(error instanceof Failure)) throw error;
  const shrunk = shrink(error);
  shrunk.seed = error.seed;
  console.log(`\n${explain(shrunk)}`);
  process.exitCode = 1;
}
if (process.stdout.isTTY) process.stdout.write('\r\x1b[K');
console.table(table);
console.log(`--seed ${seed} --executions ${executions}`);
