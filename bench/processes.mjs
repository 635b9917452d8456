/**
 * The figures that this package promises for locks between processes, `npm run bench:processes`: each beside the raw
 * operation or a peer, in one run, with its bound. Ends with 1 if one is not met.
 */
import { mkdtemp, rm } from 'node:fs/promises';
import { availableParallelism, tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { runCommand } from './command.mjs';
import { Failure } from './failure.mjs';
import { describe, summarize } from './figures/report.mjs';
import { handOff, mutexHandOff } from './processes/hand-off.mjs';
import { kills } from './processes/kills.mjs';
import { lockUncontended, mutexUncontended } from './processes/uncontended.mjs';
import { opens } from './processes/opens.mjs';
import { waiters } from './processes/waiters.mjs';

const figures = {
  uncontended: lockUncontended,
  'mutex-uncontended': mutexUncontended,
  'mutex-hand-off': mutexHandOff,
  'hand-off': handOff,
  waiters,
  opens,
  kills,
};
const names = Object.keys(figures);

const help = `Usage: npm run bench:processes -- [options] [FIGURE...]

Measures the figures of locks between processes and prints each with its bound; all of them unless some are named:
  ${names.join(' ')}

  --help        shows this

Takes about five minutes. Ends with 1 if a bound is not met.`;

await runCommand(main);

/** @param {import('./progress.mjs').Progress} progress @param {AbortSignal} signal */
async function main(progress, signal) {
  const { values, positionals } = options();
  if (values.help) return progress.line(help);
  const wanted = positionals.length > 0 ? positionals : names;
  progress.line(`Node.js ${process.version}, ${availableParallelism()} processors`);
  const folder = await mkdtemp(join(tmpdir(), 'mortise-bench-'));
  const measured = [];
  try {
    for (const name of names.filter((one) => wanted.includes(one))) {
      const onProgress = (share) => progress.show(name, share);
      for (const figure of await figures[name](folder, onProgress, signal)) {
        measured.push(figure);
        for (const line of describe(figure)) progress.line(line);
      }
      signal.throwIfAborted();
    }
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
  summarize(measured, progress);
  if (measured.some(({ met }) => met === false)) process.exitCode = 1;
}

function options() {
  try {
    const parsed = parseArgs({ options: { help: { type: 'boolean' } }, allowPositionals: true });
    const unknown = parsed.positionals.find((name) => !names.includes(name));
    if (unknown !== undefined) throw new Error(`there is no figure "${unknown}"`);
    return parsed;
  } catch (error) {
    throw new Failure(`${error.message.split(/\.\s|\n/, 1)[0]} (--help lists what there is)`, 2);
  }
}
