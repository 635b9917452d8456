/**
 * How fast schedules are: steps a second of each primitive, over all its cases, in one thread. Twice: what comes first is
 * also compiled and optimized meanwhile. Run it alone on the machine, as `node test/model/speed.mjs [executions of a case]`.
 */
import { pct, random } from './explore.mjs';
import { schedules } from './plan.mjs';

const executions = Number(process.argv[2] ?? 1000);
if (!Number.isInteger(executions) || executions < 1)
  throw new RangeError(`executions of a case must be a positive integer, not ${process.argv[2]}`);

/** Millions of steps a second. */
function speedOf(cases, seed) {
  const start = performance.now();
  let steps = 0;
  for (const { subject, budget } of cases)
    for (const strategy of [random, pct]) steps += strategy(subject, { budget, seed, executions }).steps;
  return Number((steps / (performance.now() - start) / 1000).toFixed(2));
}

const rows = {};
for (const { name, ...kinds } of schedules)
  for (const [kind, cases] of Object.entries(kinds)) {
    if (cases.length === 0) continue;
    const first = speedOf(cases, 1);
    const warm = speedOf(cases, 1 + executions);
    rows[`${name}, ${kind}`] = { cases: cases.length, 'first M/s': first, 'warm M/s': warm };
    console.error(`${name}, ${kind}`);
  }
console.table(rows);
