/**
 * The figures that this package promises, `npm run bench`: each as a ratio to a peer or to the raw operation
 * measured beside it in the same run, with its bound. A bound that is not met is no failure of the command.
 */
import { spawnSync } from 'node:child_process';
import { availableParallelism } from 'node:os';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { runCommand } from './command.mjs';
import { Failure, reasonOf } from './failure.mjs';
import { handOff } from './figures/hand-off.mjs';
import { managed } from './figures/managed.mjs';
import { describe, summarize } from './figures/report.mjs';
import { throughput } from './figures/throughput.mjs';
import { uncontended, uncontendedAsync } from './figures/uncontended.mjs';
import { weightedTurn } from './figures/weighted-turn.mjs';
import { worstWait } from './figures/worst-wait.mjs';
import { measureOperations, operationsTable } from './operations.mjs';
import { checkWritable, writeWhole } from './start/output.mjs';

/** In this order: the uncontended ones want code that has not seen contention. */
const figures = {
  uncontended,
  'uncontended-async': uncontendedAsync,
  managed,
  throughput,
  'worst-wait': worstWait,
  'hand-off': handOff,
  'weighted-turn': weightedTurn,
};
const names = [...Object.keys(figures), 'operations'];

const help = `Usage: npm run bench -- [options] [FIGURE...]

Measures the figures and prints each with its bound; all of them unless some are named:
  ${names.join(' ')}

  --node PATH   runs with another Node.js, the same as: PATH bench/bench.mjs
  --json FILE   writes the figures to FILE
  --help        shows this`;

await runCommand(main);

/** @param {import('./progress.mjs').Progress} progress @param {AbortSignal} signal */
async function main(progress, signal) {
  const { values, positionals } = options();
  if (values.help) return progress.line(help);
  if (values.node !== undefined) return runWith(values.node, values.json, positionals);
  if (values.json !== undefined) await checkWritable(values.json);
  const wanted = positionals.length > 0 ? positionals : names;
  progress.line(`Node.js ${process.version}, ${availableParallelism()} processors`);
  const measured = [];
  for (const [name, measure] of Object.entries(figures)) {
    if (!wanted.includes(name)) continue;
    const onProgress = (share) => progress.show(name, share);
    for (const figure of await measure(onProgress, signal)) {
      measured.push(figure);
      for (const line of describe(figure)) progress.line(line);
    }
    signal.throwIfAborted();
  }
  let operations = [];
  if (wanted.includes('operations')) {
    operations = await measureOperations({ onProgress: (share) => progress.show('operations', share) });
    progress.line();
    for (const line of operationsTable(operations)) progress.line(line);
  }
  if (measured.length > 0) summarize(measured, progress);
  if (values.json !== undefined) {
    const results = { node: process.version, date: new Date().toISOString(), figures: measured, operations };
    await writeWhole(values.json, `${JSON.stringify(results, null, 2)}\n`);
  }
}

function options() {
  const text = { type: /** @type {const} */ ('string') };
  const flag = { type: /** @type {const} */ ('boolean') };
  try {
    const parsed = parseArgs({ options: { node: text, json: text, help: flag }, allowPositionals: true });
    const unknown = parsed.positionals.find((name) => !names.includes(name));
    if (unknown !== undefined) throw new Error(`there is no figure "${unknown}"`);
    return parsed;
  } catch (error) {
    throw new Failure(`${error.message.split(/\.\s|\n/, 1)[0]} (--help lists what there is)`, 2);
  }
}

function runWith(node, json, wanted) {
  const args = [fileURLToPath(import.meta.url), ...(json === undefined ? [] : ['--json', json]), ...wanted];
  const { error, status } = spawnSync(node, args, { stdio: 'inherit' });
  if (error) throw new Failure(`cannot run ${node}: ${reasonOf(error)}`);
  process.exitCode = status ?? 1;
}
