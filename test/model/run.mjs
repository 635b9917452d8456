/** `npm run model`: explores the library's own code, shows how far it is, and prints a table. See `--help`. */
import { setMaxListeners } from 'node:events';
import { availableParallelism } from 'node:os';
import { parseArgs } from 'node:util';
import { Piscina } from 'piscina';
import { PREEMPTIONS, bounded, complete, schedules, small } from './plan.mjs';
import { nameOf, replayCase } from './task.mjs';

const LIMIT = 20_000_000;
const BOUNDED_LIMIT = 100_000;

const usage = `npm run model -- [options]        random and PCT schedules, small cases completely
npm run model:full -- [options]   also 2 x 2 and 3 x 1 with faults completely, 3 x 2 and 4 x 1 with ${PREEMPTIONS} preemptions

  --executions N    schedules per primitive, strategy and kind (blocking, async); default 20000
  --seed N          of the first schedule; default random
  --only TEXT       only cases whose name contains this; they share the executions
  --limit N         executions after which an exploration of all is given up, and the run fails; default
                    ${LIMIT}. With ${PREEMPTIONS} preemptions ${BOUNDED_LIMIT}, and it does not fail
  --threads N       default: one per processor
  --json            the table as JSON
  --list            the names of the cases

  --case NAME --strategy random|pct --seed N    one schedule again, in words
  --case NAME --choices LIST                    the same, as a failure prints it
`;

const number = { type: 'string' };
const options = {
  executions: { ...number, default: '20000' },
  seed: { ...number, default: String((Math.random() * 2 ** 30) | 0) },
  limit: number,
  threads: { ...number, default: String(availableParallelism()) },
  only: { type: 'string', default: '' },
  case: { type: 'string' },
  strategy: { type: 'string', default: 'random' },
  choices: { type: 'string' },
  full: { type: 'boolean', default: false },
  json: { type: 'boolean', default: false },
  list: { type: 'boolean', default: false },
  help: { type: 'boolean', default: false },
};

function fail(message) {
  console.error(`${message}\n\n${usage}`);
  process.exit(2);
}

function read() {
  try {
    const { values } = parseArgs({ options });
    for (const name of ['executions', 'seed', 'limit', 'threads']) {
      if (values[name] === undefined) continue;
      const value = Number(values[name]);
      // Seeds are counted up from the first one.
      const [least, most] = name === 'seed' ? [0, 2 ** 50] : [1, 2 ** 32];
      if (!/^\d+$/.test(values[name]) || value < least || value > most)
        fail(`--${name} must be an integer from ${least} to ${most}, not ${values[name]}`);
      values[name] = value;
    }
    if (values.choices !== undefined && !/^\d+(\.\d+)*$/.test(values.choices))
      fail('--choices must be numbers with dots between them');
    values.choices = values.choices?.split('.').map(Number);
    if (values.choices !== undefined && values.case === undefined) fail('--choices are those of a --case');
    if (!['random', 'pct'].includes(values.strategy))
      fail(`--strategy must be random or pct, not ${values.strategy}`);
    return values;
  } catch (error) {
    return fail(error.message);
  }
}

const settings = read();
if (settings.help) console.log(usage);
else if (settings.list) console.log([...new Set(someTasks().map(({ name }) => name))].join('\n'));
else if (settings.case !== undefined) replayOne();
else process.exitCode = await runAll();

function replayOne() {
  const { case: name, strategy, seed, choices } = settings;
  if (choices === undefined) console.log(`--strategy ${strategy} --seed ${seed}`);
  try {
    const { failure, impossible = 0 } = replayCase({ name, strategy, seed, choices });
    const odd = `, but ${impossible} of the choices were not possible: they are of another case, or of other code`;
    console.log(failure ?? `every claim holds${impossible === 0 ? '' : odd}`);
    process.exitCode = failure === undefined && impossible === 0 ? 0 : 1;
  } catch (error) {
    fail(error.message);
  }
}

/** What is to be done, the longest last. */
function tasks() {
  const { executions, seed, limit = LIMIT, full, only } = settings;
  const isWanted = (one) => nameOf(one).includes(only);
  const isNew = (one) => !list.some(({ row, name }) => row === undefined && name === nameOf(one));
  const list = small.filter(isWanted).map((one) => ({ strategy: 'exhaustive', name: nameOf(one), limit }));
  for (const { name: primitive, ...kinds } of schedules)
    for (const [kind, all] of Object.entries(kinds))
      for (const strategy of ['random', 'pct']) {
        const cases = all.filter(isWanted);
        for (const one of cases) {
          const share = Math.ceil(executions / cases.length);
          const row = `${primitive}, ${kind}`;
          list.push({ row, strategy, name: nameOf(one), executions: share, seed });
        }
      }
  if (full) {
    for (const one of complete.filter(isWanted).filter(isNew))
      list.push({ strategy: 'exhaustive', name: nameOf(one), limit });
    for (const one of bounded.filter(isWanted))
      list.push({
        strategy: 'exhaustive',
        name: nameOf(one),
        limit: settings.limit ?? BOUNDED_LIMIT,
        preemptions: PREEMPTIONS,
      });
  }
  return list;
}

function someTasks() {
  const list = tasks();
  return list.length > 0 ? list : fail(`no case contains ${JSON.stringify(settings.only)}`);
}

async function runAll() {
  const list = someTasks();
  const counter = new SharedArrayBuffer(4);
  const pool = new Piscina({
    filename: new URL('task.mjs', import.meta.url).href,
    maxThreads: settings.threads,
    minThreads: 1,
    resourceLimits: { maxOldGenerationSizeMb: 8192 },
  });
  const results = [];
  const failures = [];
  const start = performance.now();
  const stop = new AbortController();
  setMaxListeners(0, stop.signal);
  const progress = showProgress({ list, results, counter });
  await Promise.all(
    list.map(async (task) => {
      try {
        const result = await pool.run({ ...task, counter }, { signal: stop.signal });
        results.push({ ...task, ...result });
        if (result.failure === undefined) return;
        failures.push(result.failure);
        stop.abort();
      } catch (error) {
        if (!stop.signal.aborted) throw error;
      }
    }),
  );
  clearInterval(progress);
  if (process.stdout.isTTY) process.stdout.write('\r\x1b[K');
  await pool.destroy();
  const table = rowsOf(list, results);
  if (settings.json) console.log(JSON.stringify({ seed: settings.seed, table, failures }, null, 2));
  else {
    console.table(table);
    for (const failure of failures) console.log(`\n${failure}`);
    const seconds = (performance.now() - start) / 1000;
    const steps = results.reduce((sum, one) => sum + (one.steps ?? 0), 0) / 1e6;
    console.log(
      `${steps.toFixed(1)} M steps in ${seconds.toFixed(0)} s, ${(steps / seconds).toFixed(2)} M a second`,
    );
    console.log(`--seed ${settings.seed} --executions ${settings.executions}`);
  }
  const isOpen = ({ complete: isComplete, preemptions }) => isComplete === false && preemptions === undefined;
  const open = results.filter(isOpen);
  if (open.length > 0) console.error(`not complete: ${open.map(({ name }) => name).join('; ')}`);
  return failures.length + open.length === 0 ? 0 : 1;
}

function showProgress({ list, results, counter }) {
  if (settings.json) return undefined;
  const isDrawn = process.stdout.isTTY;
  const count = new Int32Array(counter);
  const start = performance.now();
  const show = () => {
    const seconds = Math.round((performance.now() - start) / 1000);
    const executions = Atomics.load(count, 0).toLocaleString('en');
    const soFar = `${results.length} of ${list.length} cases, ${executions} executions, ${seconds} s`;
    if (!isDrawn) return console.error(soFar);
    const width = 30;
    const done = Math.floor((results.length / list.length) * width);
    const bar = '#'.repeat(done).padEnd(width, '.');
    process.stdout.write(`\r\x1b[K[${bar}] ${soFar}`);
  };
  return setInterval(show, isDrawn ? 200 : 30_000);
}

/** A row for each complete exploration, and one for all schedules of a primitive. */
function rowsOf(list, results) {
  const rows = new Map();
  for (const { row, strategy, name, preemptions } of list) {
    const what = preemptions === undefined ? strategy : `${preemptions} preemptions`;
    rows.set(`${what} ${row ?? name}`, { strategy: what, what: row ?? name, cases: 0, executions: 0 });
  }
  for (const result of results) {
    const { row, strategy, name, preemptions } = result;
    const what = preemptions === undefined ? strategy : `${preemptions} preemptions`;
    add(rows.get(`${what} ${row ?? name}`), result);
  }
  return [...rows.values()].map(({ steps, seconds, ...row }) => ({
    ...row,
    'M steps/s': seconds > 0 ? Number((steps / seconds / 1e6).toFixed(2)) : undefined,
  }));
}

function add(row, { failure, executions = 0, states, complete, steps = 0, seconds = 0 }) {
  row.cases++;
  row.executions += executions;
  row.steps = (row.steps ?? 0) + steps;
  row.seconds = (row.seconds ?? 0) + seconds;
  if (states !== undefined) Object.assign(row, { states, complete });
  if (failure !== undefined) row.complete = 'FAILED';
}
