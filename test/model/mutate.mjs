/** `npm run mutate`: changes the concurrent modules a little, one change at a time, and runs the model on each. See `--help`. */
import { execFileSync } from 'node:child_process';
import { appendFileSync, existsSync, readFileSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import { parseArgs } from 'node:util';
import { MutantProcess } from './mutant-process.mjs';
import { mutantsOf } from './mutants.mjs';
import { sources } from './realm.mjs';
import { survivors } from './survivors.mjs';

const usage = `npm run mutate -- [options]

  --only TEXT    only mutants whose id contains this
  --changed      only mutants of modules that differ from the last commit
  --unjustified  only mutants without a reason to survive
  --threads N    default: one per processor
  --log FILE     notes each result there at once; those it has already are not looked for again
  --list         the ids of the mutants, without running anything
  --killed       also how each mutant was killed
  --json         everything as JSON

Fails if a mutant survives that survivors/ gives no reason for, or a reason is given for one that does not survive.
`;

const flag = { type: 'boolean', default: false };
const options = {
  only: { type: 'string', default: '' },
  changed: flag,
  unjustified: flag,
  log: { type: 'string' },
  threads: { type: 'string', default: String(availableParallelism()) },
  list: flag,
  killed: flag,
  json: flag,
  help: flag,
};

function read() {
  try {
    const { values } = parseArgs({ options });
    values.threads = Number(values.threads);
    if (!Number.isInteger(values.threads) || values.threads < 1)
      throw new RangeError('--threads must be a positive integer');
    return values;
  } catch (error) {
    console.error(`${error.message}\n\n${usage}`);
    return process.exit(2);
  }
}

const settings = read();
const reasons = new Map(survivors.flatMap(({ ids, ...reason }) => ids.map((id) => [id, reason])));

function isWanted() {
  if (!settings.changed) return ({ id }) => id.includes(settings.only);
  const names = execFileSync('git', ['diff', '--name-only', 'HEAD', '--', 'src'], { encoding: 'utf8' });
  const files = new Set(names.split('\n').map((name) => name.replace(/^src\/(.*)\.ts$/, '$1.js')));
  return ({ id, file }) => files.has(file) && id.includes(settings.only);
}

const all = mutantsOf(sources);
const wanted = all.filter(isWanted()).filter(({ id }) => !settings.unjustified || !reasons.has(id));

if (settings.help) console.log(usage);
else if (settings.list) for (const { id } of wanted) console.log(id);
else if (wanted.length === 0) {
  console.error('there is no such mutant');
  process.exitCode = 2;
} else process.exitCode = await run();

/** What a run that was broken off has found. */
function readLog() {
  if (settings.log === undefined || !existsSync(settings.log)) return new Map();
  const lines = readFileSync(settings.log, 'utf8').split('\n').filter(Boolean);
  return new Map(lines.map((line) => JSON.parse(line)).map(({ id, found }) => [id, found]));
}

async function run() {
  const known = readLog();
  const results = wanted
    .filter(({ id }) => known.has(id))
    .map((mutant) => ({ ...mutant, found: known.get(mutant.id), reason: reasons.get(mutant.id) }));
  const progress = showProgress(results);
  const files = [...new Set(wanted.map(({ file }) => file))];
  // A runner learns which cases find the mutants of a module: so each has whole modules, the largest first.
  const queues = files
    .map((file) => wanted.filter((mutant) => mutant.file === file && !known.has(mutant.id)))
    .filter(({ length }) => length > 0)
    .sort((a, b) => b.length - a.length);
  await Promise.all(
    Array.from({ length: settings.threads }, () => runQueues(queues, (result) => results.push(result))),
  );
  clearInterval(progress);
  return report(results);
}

async function runQueues(queues, note) {
  const runner = new MutantProcess();
  try {
    for (let queue = queues.shift(); queue !== undefined; queue = queues.shift()) {
      const found = await runner.look(queue[0].file, undefined);
      if (found !== null) throw new Error(`without a mutant: ${found.name}: ${found.message}`);
      for (const mutant of queue) {
        const found = await runner.look(mutant.file, mutant);
        if (settings.log !== undefined)
          appendFileSync(settings.log, `${JSON.stringify({ id: mutant.id, found })}\n`);
        note({ ...mutant, found, reason: reasons.get(mutant.id) });
      }
    }
  } finally {
    runner.close();
  }
}

function showProgress(results) {
  if (!process.stdout.isTTY || settings.json) return undefined;
  const start = performance.now();
  return setInterval(() => {
    const width = 30;
    const bar = '#'.repeat(Math.floor((results.length / wanted.length) * width)).padEnd(width, '.');
    const open = results.filter(({ found, reason }) => found === null && reason === undefined).length;
    const seconds = Math.round((performance.now() - start) / 1000);
    const counts = `${results.length} of ${wanted.length} mutants, ${open} open`;
    process.stdout.write(`\r\x1b[K[${bar}] ${counts}, ${seconds} s`);
  }, 200);
}

function report(results) {
  if (process.stdout.isTTY && !settings.json) process.stdout.write('\r\x1b[K');
  const isOpen = ({ found, reason }) => found === null && reason === undefined;
  const open = results.filter(isOpen).map(({ id }) => id);
  const needless = results
    .filter(({ found, reason }) => found !== null && reason !== undefined)
    .map(({ id, found }) => `${id}\n    ${found.message}`);
  const known = new Set(all.map(({ id }) => id));
  const unknown = [...reasons.keys()].filter((id) => !known.has(id));
  const table = tableOf(results);
  if (settings.json) console.log(JSON.stringify({ table, open, needless, unknown, results }, null, 2));
  else {
    console.table(table);
    if (settings.killed)
      for (const { id, found } of results) if (found !== null) console.log(`${id}\n    ${found.message}`);
    list('Survives, and has no reason', open);
    list('Has a reason, and does not survive', needless);
    list('Has a reason, and is not there', unknown);
  }
  return open.length + needless.length + unknown.length === 0 ? 0 : 1;
}

function list(title, lines) {
  if (lines.length > 0) console.log(`\n${title}:\n${lines.map((line) => `  ${line}`).join('\n')}`);
}

function tableOf(results) {
  const rows = new Map();
  const total = { file: 'all', mutants: 0, killed: 0, justified: 0, open: 0 };
  for (const { file, found, reason } of results) {
    if (!rows.has(file)) rows.set(file, { ...total, file, mutants: 0, killed: 0, justified: 0, open: 0 });
    const outcome = found !== null ? 'killed' : reason === undefined ? 'open' : 'justified';
    for (const row of [rows.get(file), total]) {
      row.mutants++;
      row[outcome]++;
    }
  }
  return [...rows.values(), total];
}
