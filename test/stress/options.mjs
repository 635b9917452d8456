/** The command line of `npm run stress`. */
import { parseArgs } from 'node:util';
import { WORKERS } from './board.mjs';
import { PRIMITIVES } from './rounds-board.mjs';

const NAMES = PRIMITIVES.map(({ name }) => name);
const SECTIONS = 1e6;
const SECONDS = 30;

export const USAGE = `Usage: npm run stress -- [OPTION]...

Uses the locks on real threads and checks what must hold. Without options it runs both parts, which takes about a
minute; --sections or --primitive asks for the rounds alone, --terminations or --seconds for the kills alone, --processes
for those of processes.
It ends with 0 if all has held, 1 if something did not, 2 if it does not understand its options.

Rounds: 2 to 8 threads begin together and make critical sections on one lock, in a random mix of blocking, async,
try, timeout and abort. Checked: exclusion, permits, readers and writers, fences, statistics, that nobody is left
waiting, and that a lock does not lie idle while it is wanted.
  --sections N       critical sections for each primitive (${SECTIONS}); 1e8 takes hours
  --primitive NAME   only this one, can be repeated: ${NAMES.join(', ')}
  --watchdog S       a round in which nobody gets on for S seconds has failed (10)
  --max-idle P       percent of the time that a lock may lie idle (5)

Kills: threads that use all kinds of locks are terminated holding, waiting and in between, and are replaced.
Checked: as above, that every hold of the dead passes on, and that exclusive ones are reported as abandoned.
  --terminations N   until N workers were terminated
  --seconds S        for S seconds (${SECONDS}); with --terminations: whichever comes first
  --workers N        threads at a time, 1 to ${WORKERS} (6)
  --spares N         threads started in advance (3)
  --pause MS         mean time between two kills (20)
  --max-stall MS     the longest wait for a lock that nobody uses, above what the machine adds (100)

Processes: as kills, of whole processes by SIGKILL that share locks in a file, with two threads each. Only if asked for:
  --processes S      for S seconds; 60 find most of what there is
  --pause, --max-stall as above (150, 100)

  --seed N           repeats the random choices of a run, as far as threads can; printed by every run
  --json             the result as JSON
  --help             this text`;

const text = { type: 'string' };
const flag = { type: 'boolean' };
const config = {
  sections: text,
  primitive: { type: 'string', multiple: true },
  watchdog: text,
  'max-idle': text,
  terminations: text,
  seconds: text,
  workers: text,
  spares: text,
  pause: text,
  'max-stall': text,
  processes: text,
  seed: text,
  json: flag,
  help: flag,
};

/** What is wrong with the command line, in words for whoever wrote it. */
export class OptionError extends Error {}

/** `rounds`, `kills` and `processes` are undefined if they are not asked for. Throws an {@link OptionError}. */
export function parseOptions(args) {
  const values = parse(args);
  const number = (name, fallback, { min = 0, max = Number.MAX_SAFE_INTEGER, integer = true } = {}) => {
    if (values[name] === undefined) return fallback;
    const value = values[name].trim() === '' ? NaN : Number(values[name]);
    const what = `${integer ? 'an integer' : 'a number'} ${max < 1e15 ? `from ${min} to ${max}` : `of at least ${min}`}`;
    if (!(value >= min && value <= max) || (integer && !Number.isInteger(value))) {
      throw new OptionError(`--${name} must be ${what}, not '${values[name]}'`);
    }
    return value;
  };
  const real = { integer: false };
  const rounds = {
    sections: number('sections', SECTIONS, { min: 1 }),
    primitives: [...new Set(values.primitive ?? NAMES)],
    watchdog: number('watchdog', 10, { min: 1, max: 3600, integer: false }),
    maxIdle: number('max-idle', 5, { max: 100, integer: false }),
  };
  for (const name of rounds.primitives) {
    if (!NAMES.includes(name)) {
      throw new OptionError(`--primitive must be one of ${NAMES.join(', ')}, not '${name}'`);
    }
  }
  const terminations = number('terminations', Infinity, { min: 1, max: 100_000 });
  const kills = {
    terminations,
    seconds: number('seconds', terminations === Infinity ? SECONDS : Infinity, real),
    workers: number('workers', 6, { min: 1, max: WORKERS }),
    spares: number('spares', 3, { max: 32 }),
    pause: number('pause', 20, real),
    maxStall: number('max-stall', 100, real),
  };
  const processes = {
    seconds: number('processes', undefined, { min: 0.001, integer: false }),
    pause: number('pause', 150, real),
    maxStall: number('max-stall', 100, real),
  };
  const seed = number('seed', (Math.random() * 2 ** 31) | 0, { max: 2 ** 31 - 1 });
  const asked = (...names) => names.some((name) => values[name] !== undefined);
  const onlyRounds = asked('sections', 'primitive');
  const onlyKills = asked('terminations', 'seconds');
  const onlyProcesses = asked('processes') && !onlyRounds && !onlyKills;
  return {
    seed,
    json: values.json ?? false,
    help: values.help ?? false,
    rounds: onlyProcesses || (onlyKills && !onlyRounds) ? undefined : rounds,
    kills: onlyProcesses || (onlyRounds && !onlyKills) ? undefined : kills,
    processes: asked('processes') ? processes : undefined,
  };
}

function parse(args) {
  try {
    return parseArgs({ args, options: config, strict: true, allowPositionals: false }).values;
  } catch (error) {
    if (!error.code?.startsWith('ERR_PARSE_ARGS')) throw error;
    throw new OptionError(error.message.split(/\.?\s*(?:\n|\. )/)[0]);
  }
}
