/** What the command line says. */
import { parseArgs } from 'node:util';
import { Failure, USAGE } from './exit-codes.js';

export const HELP = `Usage: mortise run --lock PATH [options] -- COMMAND [ARGUMENT...]

Waits for the lock file PATH, runs COMMAND while it is held, and ends as COMMAND did.
The file is made if need be. Whoever locks it excludes each other: FileLock of mortise/file, flock(1), this.

  --lock PATH     the lock file; not the file it guards, but one of its own, such as data.json.lock
  --shared        share it with others that say --shared; without, COMMAND runs alone
  --timeout S     wait at most S seconds, such as 30 or 0.5; 0 is one attempt; default: wait for ever
  --remove        remove the file afterwards; a leftover file is harmless
  --no-inherit    COMMAND does not inherit the open lock file. It does by default, as descriptor 3,
                  so that the lock is kept until COMMAND ends even if mortise itself is killed
  --help          shows this
  --version       shows the version

Other open descriptors of the caller, and signals that it ignores (nohup), do not reach COMMAND:
put nohup and redirections behind the --. Signals sent to mortise are passed on; those sent to
npx are not: run node_modules/.bin/mortise where that matters.

COMMAND finds in its environment
  MORTISE_LOCK       the absolute path of the lock file
  MORTISE_FENCE      a number that grows each time that somebody holds the lock alone
  MORTISE_ABANDONED  1 if the last who held it alone died: check the data before you trust it; otherwise 0

Exit codes: that of COMMAND, 128 + n if signal n ended it or the wait, or
  64   the command line is wrong
  69   the native addon is missing
  73   the lock file is refused
  75   not acquired in time
  126  COMMAND cannot be run
  127  COMMAND is not found`;

/** What to run, and under which lock. */
export interface Job {
  readonly path: string;
  readonly shared: boolean;
  /** Milliseconds. */
  readonly timeout: number;
  readonly remove: boolean;
  readonly inherit: boolean;
  readonly command: string;
  readonly args: readonly string[];
}

/**
 * The job, or what to print instead.
 * @throws Failure if it says neither.
 */
export function readArguments(all: readonly string[]): Job | 'help' | 'version' {
  const end = all.indexOf('--');
  const { values, positionals } = parse(end === -1 ? all : all.slice(0, end));
  if (values.help === true) return 'help';
  if (values.version === true) return 'version';
  const [verb, stray] = positionals;
  if (verb === undefined) throw wrong('say what to do, such as mortise run');
  if (verb !== 'run') throw wrong(`there is no "mortise ${verb}", only "mortise run"`);
  if (stray !== undefined) throw wrong(`"${stray}" is unexpected: put -- before the command`);
  const [command, ...args] = end === -1 ? [] : all.slice(end + 1);
  if (values.lock === undefined || values.lock === '') throw wrong('--lock PATH is missing');
  if (command === undefined || command === '') throw wrong('the command is missing: put it after --');
  return {
    path: values.lock,
    shared: values.shared === true,
    timeout: milliseconds(values.timeout),
    remove: values.remove === true,
    inherit: values['no-inherit'] !== true,
    command,
    args,
  };
}

const text = { type: 'string' } as const;
const flag = { type: 'boolean' } as const;
const options = {
  lock: text,
  shared: flag,
  timeout: text,
  remove: flag,
  'no-inherit': flag,
  help: { type: 'boolean', short: 'h' },
  version: flag,
} as const;

const syntax = { options, allowPositionals: true } as const;

function parse(args: readonly string[]): ReturnType<typeof parseArgs<typeof syntax>> {
  try {
    return parseArgs({ ...syntax, args: [...args] });
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException;
    const [, option = ''] = /'(?:-\w, )?(-[^ ']*)/.exec(message) ?? [];
    if (code === 'ERR_PARSE_ARGS_UNKNOWN_OPTION')
      throw wrong(`there is no option ${option}; options of the command come after --`);
    const needs = options[option.slice(2) as keyof typeof options]?.type === 'string' ? 'a' : 'no';
    throw wrong(`${option} takes ${needs} value`);
  }
}

function milliseconds(seconds: string | undefined): number {
  if (seconds === undefined) return Infinity;
  if (!/^(\d+\.?\d*|\.\d+)$/.test(seconds))
    throw wrong(`--timeout must be a number of seconds, 0 or more, not "${seconds}"`);
  return Number(seconds) * 1000;
}

function wrong(what: string): Failure {
  return new Failure(`${what} (mortise --help tells more)`, USAGE);
}
