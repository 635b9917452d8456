/**
 * The figures that this package promises for locks between processes, `npm run bench:processes`: each beside the raw
 * operation or a peer, in one run, with its bound. Ends with 1 if one is not met.
 */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { measureFigures } from './figures/command.mjs';
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

const help = `Usage: npm run bench:processes -- [options] [FIGURE...]

Measures the figures of locks between processes and prints each with its bound; all of them unless some are named:
  ${Object.keys(figures).join(' ')}

  --help        shows this

Takes about five minutes. Ends with 1 if a bound is not met.`;

await measureFigures({
  figures,
  help,
  async open() {
    const folder = await mkdtemp(join(tmpdir(), 'mortise-bench-'));
    return { subject: folder, close: () => rm(folder, { recursive: true, force: true }) };
  },
});
