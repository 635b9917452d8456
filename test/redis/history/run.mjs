/** `npm run history`: many trials, and what the checker says of each; `npm run history -- --help` tells the options. */
import { mkdirSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import process from 'node:process';
import { parseArgs } from 'node:util';
import { check } from './checker.mjs';
import { trial } from './trial.mjs';

const USAGE = `Usage: npm run history -- [OPTION]...

Processes contend for locks on Redis servers of their own while lines, processes and servers fail; what they did is
recorded, and checked: see test/redis/history/README.md. Every second trial has servers that may lose what they know, and
every third has three servers, which make one lock together.
It ends with 0 if all promises were kept, 1 if one was not, 2 if it does not understand its options.

  --trials N    how many (20)
  --minutes M   with faults, of all trials together (2); a trial takes 5 to 10 seconds more, to begin and to come to rest
  --etcd        on clusters of etcd with three members, instead of Redis
  --workers N   processes at a time (5)
  --seed N      of the first trial; each has the next one
  --out DIR     where the history of a trial that failed is written (build/history)
  --help        this text`;

const text = (value) => ({ type: 'string', default: String(value) });
const seed = (Math.random() * 2 ** 31) | 0;
const config = {
  trials: text(20),
  minutes: text(2),
  workers: text(5),
  seed: text(seed),
  out: text('build/history'),
  etcd: { type: 'boolean', default: false },
  help: { type: 'boolean' },
};

function refuse(reason) {
  console.error(`${reason}\nnpm run history -- --help tells the options.`);
  process.exit(2);
}

function readOptions() {
  try {
    return parseArgs({ options: config, strict: true }).values;
  } catch (error) {
    if (!error.code?.startsWith('ERR_PARSE_ARGS')) throw error;
    return refuse(error.message);
  }
}

const options = readOptions();
function numberOf(name, isGood, what) {
  const value = Number(options[name]);
  return isGood(value) ? value : refuse(`--${name} must be ${what}, not '${options[name]}'`);
}
if (options.help) {
  console.log(USAGE);
  process.exit();
}
const isCount = (value) => Number.isInteger(value) && value >= 1;
const trials = numberOf('trials', isCount, 'an integer of at least 1');
const minutes = numberOf('minutes', (value) => value > 0, 'a number above 0');
const workers = numberOf('workers', (value) => isCount(value) && value <= 50, 'an integer from 1 to 50');
const firstSeed = numberOf('seed', Number.isInteger, 'an integer');

const seconds = (minutes * 60) / trials;
const totals = {};
const failed = [];
console.log(`${trials} trials of ${seconds.toFixed(1)} s, ${workers} workers, Node.js ${process.version}`);
for (let number = 1; number <= trials; number++) {
  const trialSeed = firstSeed + number - 1;
  const [servers, forgets] = [trialSeed % 3 === 0 ? 3 : 1, trialSeed % 2 === 0];
  const setting = { seed: trialSeed, seconds, workers, servers, forgets };
  if (options.etcd) Object.assign(setting, { kind: 'etcd', ttl: 2000, servers: 1, forgets: false });
  const events = await trial(setting);
  const { violations, counts } = check(events);
  for (const [what, count] of Object.entries(counts)) totals[what] = (totals[what] ?? 0) + count;
  const told = Object.entries(counts).map(([what, count]) => `${count} ${what}`);
  console.log(`${number}/${trials} --seed ${setting.seed}, ${servers} servers: ${told.join(', ')}`);
  if (violations.length === 0) continue;
  mkdirSync(options.out, { recursive: true });
  const file = path.join(options.out, `${setting.seed}.jsonl`);
  writeFileSync(file, events.map((event) => `${JSON.stringify(event)}\n`).join(''));
  failed.push(number);
  for (const violation of violations) console.error(`FAILED: ${violation}`);
  console.error(`The history is in ${file}`);
}
console.table(totals);
if (failed.length === 0) console.log(`All promises were kept in ${trials} trials.`);
else console.error(`Promises were broken in ${failed.length} of ${trials} trials: ${failed.join(', ')}`);
process.exitCode = failed.length === 0 ? 0 : 1;
