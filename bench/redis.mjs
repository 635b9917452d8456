/**
 * The figures that this package promises for locks on Redis, `npm run bench:redis`: each beside the raw commands or a peer,
 * in one run, on the same servers and with the same clients, with its bound. Ends with 1 if one is not met.
 */
import { availableParallelism } from 'node:os';
import { parseArgs } from 'node:util';
import { RedisServer } from '../test/redis/server.mjs';
import { runCommand } from './command.mjs';
import { Failure } from './failure.mjs';
import { describe, summarize } from './figures/report.mjs';
import { handOff } from './redis/hand-off.mjs';
import { processes } from './redis/processes.mjs';
import { stopped } from './redis/stopped.mjs';
import { uncontended } from './redis/uncontended.mjs';

const figures = { uncontended, 'hand-off': handOff, processes, stopped };
const names = Object.keys(figures);

const help = `Usage: npm run bench:redis -- [options] [FIGURE...]

Measures the figures of locks on Redis and prints each with its bound; all of them unless some are named:
  ${names.join(' ')}

  --help        shows this

Starts servers of its own. Takes about two minutes. Ends with 1 if a bound is not met.`;

await runCommand(main);

/** @param {import('./progress.mjs').Progress} progress @param {AbortSignal} signal */
async function main(progress, signal) {
  const { values, positionals } = options();
  if (values.help) return progress.line(help);
  const wanted = positionals.length > 0 ? positionals : names;
  const servers = await Promise.all([RedisServer.start(), RedisServer.start(), RedisServer.start()]);
  const version = /redis_version:(\S+)/.exec(await servers[0].send('INFO server'))?.[1];
  progress.line(`Node.js ${process.version}, Redis ${version}, ${availableParallelism()} processors`);
  const measured = [];
  try {
    for (const name of names.filter((one) => wanted.includes(one))) {
      const onProgress = (share) => progress.show(name, share);
      for (const figure of await figures[name]({ server: servers[0], servers }, onProgress, signal)) {
        measured.push(figure);
        for (const line of describe(figure)) progress.line(line);
      }
      signal.throwIfAborted();
    }
  } finally {
    await Promise.all(servers.map((server) => server.end()));
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
