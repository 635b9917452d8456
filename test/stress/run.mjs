/**
 * `npm run stress -- [--seconds 60] [--seed N] [--workers 6] [--pause 70] [--max-stall 100] [--json]`
 *
 * Ends with 1 when anything did not hold.
 */
import { parseArgs } from 'node:util';
import { Stress } from './harness.mjs';

const { values } = parseArgs({
  options: {
    seconds: { type: 'string', default: '60' },
    seed: { type: 'string', default: String((Math.random() * 2 ** 31) | 0) },
    workers: { type: 'string', default: '6' },
    pause: { type: 'string', default: '70' },
    'max-stall': { type: 'string', default: '100' },
    json: { type: 'boolean', default: false },
  },
});
const [seconds, seed, workers, pause, maxStall] = ['seconds', 'seed', 'workers', 'pause', 'max-stall'].map(
  (name) => {
    const number = Number(values[name]);
    if (!Number.isFinite(number) || number < 0) {
      console.error(`--${name}: not a number: ${values[name]}`);
      process.exit(2);
    }
    return number;
  },
);

if (!values.json)
  console.log(`kill stress: ${seconds} s, ${workers} workers, --seed ${seed}, Node.js ${process.version}`);
const result = await new Stress({ seed, workers, pause }).run(seconds, ({ elapsed, kills, sections }) => {
  if (process.stdout.isTTY && !values.json) {
    process.stdout.write(`\r${elapsed.toFixed(0)} s, ${kills} kills, ${sections} sections `);
  }
});

const failures = [
  ...result.violations.map(({ kind, times, first }) => `${kind}: ${times}, first ${JSON.stringify(first)}`),
  ...result.errors,
  ...(result.permitsBack === result.permits
    ? []
    : [`${result.permitsBack} of ${result.permits} permits came back`]),
  ...(result.settled ? [] : [`Not everything was free in the end\n${result.leftover ?? ''}`]),
  ...(result.stuck === undefined ? [] : [result.stuck]),
  ...(result.worstStall - result.noise <= maxStall
    ? []
    : [`Worst stall ${result.worstStall.toFixed(1)} ms: more than ${maxStall} ms above the machine's share`]),
  ...(result.kills >= seconds * 5 ? [] : [`Only ${result.kills} kills, fewer than ${seconds * 5}`]),
];

if (values.json) {
  console.log(JSON.stringify({ ...result, failures }, null, 2));
} else {
  if (process.stdout.isTTY) process.stdout.write('\r\x1b[K');
  const exclusion = result.violations.reduce((sum, { times }) => sum + times, 0);
  console.table(
    result.subjects.map((it) => ({
      lock: it.name,
      sections: it.counts.sections,
      'killed holding': it.killedHolding,
      'killed waiting': it.killedWaiting,
      abandoned: it.counts.abandoned,
      timeouts: it.counts.timeouts,
      aborts: it.counts.aborts,
      'worst stall (ms)': Number(it.worstStall.toFixed(1)),
      'worst takeover (ms)': Number(it.worstTakeover.toFixed(1)),
    })),
  );
  console.log(
    `${result.kills} kills (${result.terminate} terminate, ${result.exit} exit, ${result.throw} uncaught; ${result.idle} neither held nor waited)`,
  );
  console.log(`${result.sections} sections, ${exclusion} errors in them, ${result.abandoned} abandoned`);
  console.log(`${result.permitsBack} of ${result.permits} permits back`);
  console.log(
    `worst stall ${result.worstStall.toFixed(1)} ms; a thread that uses no locks was held up for ${result.noise.toFixed(1)} ms`,
  );
  for (const failure of failures) console.error(`FAILED: ${failure}`);
}
process.exitCode = failures.length === 0 ? 0 : 1;
