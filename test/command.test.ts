/** `mortise run`: a command under a lock file, with real processes. */
import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, readFileSync, readlinkSync, writeFileSync } from 'node:fs';
import { constants, hostname } from 'node:os';
import { basename } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterEach, describe, expect, test } from 'vitest';
import { FileLock } from 'mortise/file';
import { expectRefused } from './contract/guards.ts';
import { newFile, newPath } from './fixtures/native/scratch.ts';
import { until } from './fixtures/until.ts';

const program = fileURLToPath(new URL('../dist/command/mortise.js', import.meta.url));
const running = new Set<Run>();
/** Processes that outlive the one that started them. */
const left = new Set<number>();

afterEach(() => {
  for (const run of running) run.child.kill('SIGKILL');
  for (const pid of left) kill(pid);
});

function kill(pid: number): void {
  left.delete(pid);
  process.kill(pid, 'SIGKILL');
}

/** A process of the command line. */
class Run {
  readonly child: ChildProcess;
  stdout = '';
  stderr = '';
  /** Exit code, or the signal that ended it. */
  readonly outcome: Promise<number | string>;

  constructor(file: string, args: readonly string[], env: Record<string, string> = {}) {
    this.child = spawn(file, args, { env: { ...process.env, ...env } });
    this.child.stdout?.setEncoding('utf8').on('data', (text: string) => (this.stdout += text));
    this.child.stderr?.setEncoding('utf8').on('data', (text: string) => (this.stderr += text));
    running.add(this);
    this.outcome = once(this.child, 'exit').then(([code, signal]) => {
      running.delete(this);
      return (code ?? signal) as number | string;
    });
  }

  static under(path: string, ...command: string[]): Run {
    return mortise(['run', '--lock', path, '--', ...command]);
  }

  /** All that it and what it started has written, and how it ended. */
  async end(): Promise<{ outcome: number | string; stdout: string; stderr: string }> {
    await once(this.child, 'close');
    return { outcome: await this.outcome, stdout: this.stdout, stderr: this.stderr };
  }

  /** Waits for the next line on stdout and takes it. */
  async line(): Promise<string> {
    await until(() => this.stdout.includes('\n'), 'a line of output');
    const end = this.stdout.indexOf('\n');
    const line = this.stdout.slice(0, end);
    this.stdout = this.stdout.slice(end + 1);
    return line;
  }

  endInput(): void {
    this.child.stdin?.end();
  }
}

function mortise(args: readonly string[], env?: Record<string, string>): Run {
  return new Run(process.execPath, [program, ...args], env);
}

/** A command that says when it runs, and ends when its input does. */
const UNTIL_INPUT_ENDS = ['sh', '-c', 'echo runs; cat'] as const;

/** A command that says its id, and runs until it is killed: the input of one whose parent has ended would be closed. */
const UNTIL_KILLED = ['sh', '-c', 'echo $$; exec tail -f /dev/null'] as const;

async function pidFrom(run: Run): Promise<number> {
  const pid = Number(await run.line());
  left.add(pid);
  return pid;
}

describe('mortise run passes on', () => {
  test('input, output, arguments and the exit code', async () => {
    const run = Run.under(newPath(), 'sh', '-c', 'cat; echo "$@" >&2; exit 7', 'sh', '--lock', 'a  b');
    run.child.stdin?.end('text');
    expect(await run.end()).toEqual({ outcome: 7, stdout: 'text', stderr: '--lock a  b\n' });
  });

  test('128 + n of the signal that ended the command', async () => {
    expect(await Run.under(newPath(), 'sh', '-c', 'kill -KILL $$').end()).toMatchObject({ outcome: 137 });
  });

  test.each(['SIGINT', 'SIGTERM', 'SIGHUP', 'SIGQUIT', 'SIGUSR1', 'SIGUSR2'] as const)(
    '%s to the command, once, and waits for it',
    async (signal) => {
      const path = newPath();
      const script = `process.on('${signal}', () => console.log('got ${signal}'));
        process.stdin.on('end', () => process.exit(3)).resume();
        console.log('runs');`;
      const run = Run.under(path, process.execPath, '-e', script);
      expect(await run.line()).toBe('runs');
      run.child.kill(signal);
      expect(await run.line()).toBe(`got ${signal}`);
      expect(new FileLock(path).tryAcquireSync()).toBeNull();
      run.endInput();
      expect(await run.end()).toEqual({ outcome: 3, stdout: '', stderr: '' });
    },
  );

  test('not the signal of Ctrl-C, which the terminal has sent to the command as well', async () => {
    const script = `let count = 0;
      process.on('SIGINT', () => console.log('got ' + ++count));
      process.on('SIGUSR2', () => process.exit(count));
      process.stdin.resume();
      console.log('runs ' + process.ppid);`;
    const command = [
      process.execPath,
      program,
      'run',
      '--lock',
      newPath(),
      '--',
      process.execPath,
      '-e',
      script,
    ];
    const quoted = command.map((word) => `'${word.replaceAll("'", `'\\''`)}'`).join(' ');
    const terminal = new Run('script', [
      '--quiet',
      '--flush',
      '--return',
      '--command',
      `exec ${quoted}`,
      '/dev/null',
    ]);
    const [, pid] = (await terminal.line()).trim().split(' ');
    terminal.child.stdin?.write('\x03');
    await until(() => terminal.stdout.includes('got 1'), 'Ctrl-C');
    process.kill(Number(pid), 'SIGUSR2');
    expect(await terminal.outcome).toBe(1);
  });
});

describe('mortise run holds the lock', () => {
  test('while the command runs, and tells it so', async () => {
    const path = newPath();
    const before = new FileLock(path).acquireSync();
    before.release();
    const report = 'echo "$MORTISE_LOCK $MORTISE_FENCE $MORTISE_ABANDONED"';
    const run = Run.under(path, 'sh', '-c', `${report}; cat`);
    const [shown, fence, abandoned] = (await run.line()).split(/ (?=\d+ \d$)| (?=\d$)/) as [
      string,
      string,
      string,
    ];
    expect([shown, abandoned]).toEqual([path, '0']);
    expect(BigInt(fence)).toBeGreaterThan(before.fence);
    const lock = new FileLock(path);
    expect(lock.tryAcquireSync()).toBeNull();
    expect(lock.infoSync()).toMatchObject({ pid: run.child.pid, host: hostname() });
    const waiting = lock.acquire();
    run.endInput();
    (await waiting).release();
    expect(await run.outcome).toBe(0);
  });

  test('shared with others who share it, and alone otherwise', async () => {
    const path = newPath();
    const run = mortise(['run', '--shared', '--lock', path, '--', ...UNTIL_INPUT_ENDS]);
    await run.line();
    const shared = new FileLock(path, { shared: true }).tryAcquireSync();
    expect(shared?.release()).toBe(true);
    expect(new FileLock(path).tryAcquireSync()).toBeNull();
    run.endInput();
    expect(await run.outcome).toBe(0);
  });

  test('against flock(1), which waits', async () => {
    const path = newPath();
    const run = Run.under(path, ...UNTIL_INPUT_ENDS);
    await run.line();
    const other = spawn('flock', ['--nonblock', '--conflict-exit-code', '9', path, 'true']);
    expect((await once(other, 'exit'))[0]).toBe(9);
    run.endInput();
    await run.outcome;
  });

  test('and leaves the file, or removes it when told to', async () => {
    const path = newPath();
    await Run.under(path, 'true').end();
    expect(existsSync(path)).toBe(true);
    await mortise(['run', '--remove', '--lock', path, '--', 'true']).end();
    expect(existsSync(path)).toBe(false);
  });

  test('and lets it go when the command ends, though a process that it left behind has the file open', async () => {
    const path = newPath();
    const run = Run.under(path, 'sh', '-c', 'tail -f /dev/null >/dev/null 2>&1 & echo $!');
    const daemon = await pidFrom(run);
    expect(await run.outcome).toBe(0);
    expect(readlinkSync(`/proc/${daemon}/fd/3`)).toBe(path);
    const guard = new FileLock(path).tryAcquireSync();
    expect(guard?.abandoned).toBe(false);
    guard?.release();
  });

  test('for as long as the command runs, though mortise itself is killed', async () => {
    const path = newPath();
    const run = Run.under(path, ...UNTIL_KILLED);
    const command = await pidFrom(run);
    run.child.kill('SIGKILL');
    expect(await run.outcome).toBe('SIGKILL');
    const lock = new FileLock(path);
    expect(lock.tryAcquireSync()).toBeNull();
    const waiting = lock.acquire();
    kill(command);
    const guard = await waiting;
    expect(guard.abandoned).toBe(true);
    guard.release();
  });

  test('only for as long as mortise runs, with --no-inherit', async () => {
    const path = newPath();
    const run = mortise(['run', '--no-inherit', '--lock', path, '--', ...UNTIL_KILLED]);
    const command = await pidFrom(run);
    run.child.kill('SIGKILL');
    expect(await run.outcome).toBe('SIGKILL');
    const guard = new FileLock(path).tryAcquireSync();
    expect(guard?.abandoned).toBe(true);
    guard?.release();
    process.kill(command, 0);
  });

  test('and says when the last holder died', async () => {
    const path = newPath();
    const killed = Run.under(path, 'sh', '-c', 'kill -KILL $PPID');
    expect(await killed.outcome).toBe('SIGKILL');
    expect(await Run.under(path, 'sh', '-c', 'echo $MORTISE_ABANDONED').end()).toEqual({
      outcome: 0,
      stdout: '1\n',
      stderr: `mortise: the last holder of ${path} died while it held it: check what it guards\n`,
    });
    expect((await Run.under(path, 'sh', '-c', 'echo $MORTISE_ABANDONED').end()).stdout).toBe('0\n');
  });
});

describe('Whoever reads what mortise says may go:', () => {
  test('the command runs on, under the lock', async () => {
    const path = newPath();
    expect(await Run.under(path, 'sh', '-c', 'kill -KILL $PPID').outcome).toBe('SIGKILL');
    // It warns of that, to nobody.
    const run = mortise(['run', '--no-inherit', '--lock', path, '--', ...UNTIL_INPUT_ENDS]);
    run.child.stderr?.destroy();
    expect(await run.line()).toBe('runs');
    expectRefused(new FileLock(path).tryAcquireSync());
    run.endInput();
    expect(await run.outcome).toBe(0);
  });

  test('it ends as it would', async () => {
    const run = mortise(['--help']);
    run.child.stdout?.destroy();
    expect(await run.end()).toEqual({ outcome: 0, stdout: '', stderr: '' });
  });
});

describe('mortise run waits', () => {
  test.each(['0', '0.05', '.05'])('--timeout %s at most, and names the holder', async (timeout) => {
    const path = newPath();
    const guard = new FileLock(path).acquireSync();
    const { outcome, stderr } = await mortise([
      'run',
      '--timeout',
      timeout,
      '--lock',
      path,
      '--',
      'true',
    ]).end();
    expect(outcome).toBe(75);
    expect(stderr).toMatch(new RegExp(`^mortise: the lock file ${path} was not acquired .*\\n$`));
    expect(stderr).toContain(`process ${process.pid} on ${hostname()}`);
    guard.release();
  });

  test('no longer than until the release', async () => {
    const path = newPath();
    const lock = new FileLock(path);
    const guard = lock.acquireSync();
    const run = mortise(['run', '--timeout', '20', '--lock', path, '--', 'echo', 'runs']);
    await until(() => lock.infoSync().waiters > 0, 'mortise waits');
    guard.release();
    expect(await run.end()).toEqual({ outcome: 0, stdout: 'runs\n', stderr: '' });
  });

  test.each(['SIGINT', 'SIGTERM', 'SIGHUP', 'SIGUSR1'] as const)(
    'no longer than until %s, and runs nothing then',
    async (signal) => {
      const path = newPath();
      const lock = new FileLock(path);
      const guard = lock.acquireSync();
      const run = Run.under(path, 'echo', 'runs');
      await until(() => lock.infoSync().waiters > 0, 'mortise waits');
      run.child.kill(signal);
      const outcome = 128 + constants.signals[signal];
      expect(await run.end()).toEqual({ outcome, stdout: '', stderr: `mortise: ended by ${signal}\n` });
      guard.release();
    },
  );
});

describe('mortise run fails', () => {
  test('with 127 for a command that is not there, and holds nothing', async () => {
    const path = newPath();
    const stderr = 'mortise: no-such-command: command not found\n';
    expect(await Run.under(path, 'no-such-command').end()).toEqual({ outcome: 127, stdout: '', stderr });
    expect(new FileLock(path).tryAcquireSync()?.release()).toBe(true);
  });

  test('with 126 for one that cannot be run', async () => {
    const file = newFile();
    const stderr = `mortise: ${file} cannot be run: permission denied\n`;
    expect(await Run.under(newPath(), file).end()).toEqual({ outcome: 126, stdout: '', stderr });
  });

  test('with 73 for a file that is no lock file, which it leaves as it is', async () => {
    const path = newPath();
    writeFileSync(path, 'data');
    const { outcome, stderr } = await Run.under(path, 'true').end();
    expect(outcome).toBe(73);
    expect(stderr).toBe(
      `mortise: ${path} is not a lock file: it has other contents, which stay as they are\n`,
    );
    expect(readFileSync(path, 'utf8')).toBe('data');
  });

  test('with 73 where the working folder is gone, but not for an absolute path', async () => {
    const within = (path: string): Run => {
      const script = 'mkdir "$1" && cd "$1" && rmdir "$1" && shift && exec "$@"';
      const command = [process.execPath, program, 'run', '--lock', path, '--', 'echo', 'runs'];
      return new Run('sh', ['-c', script, 'sh', newPath(), ...command]);
    };
    expect(await within('a.lock').end()).toEqual({
      outcome: 73,
      stdout: '',
      stderr: "mortise: 'a.lock' is relative to a working folder that is gone\n",
    });
    expect(await within(newPath()).end()).toEqual({ outcome: 0, stdout: 'runs\n', stderr: '' });
  });

  test('with 69 without the addon', async () => {
    const env = { MORTISE_ADDON: newPath() };
    const { outcome, stderr } = await mortise(['run', '--lock', newPath(), '--', 'true'], env).end();
    expect(outcome).toBe(69);
    expect(stderr).toContain(`${basename(env.MORTISE_ADDON)}: no such file`);
  });

  test.each([
    [[], 'say what to do, such as mortise run'],
    [['walk'], 'there is no "mortise walk", only "mortise run"'],
    [['run'], '--lock PATH is missing'],
    [['run', '--lock'], '--lock takes a value'],
    [['run', '--lock', '', '--', 'true'], '--lock PATH is missing'],
    [['run', '--lock', 'PATH'], 'the command is missing: put it after --'],
    [['run', '--lock', 'PATH', '--'], 'the command is missing: put it after --'],
    [['run', '--lock', 'PATH', 'make'], '"make" is unexpected: put -- before the command'],
    [['run', '--lock', 'PATH', '-j'], 'there is no option -j; options of the command come after --'],
    [['run', '--shared=no', '--lock', 'PATH', '--', 'true'], '--shared takes no value'],
    [['run', '--timeout', '-1', '--lock', 'PATH', '--', 'true'], '--timeout takes a value'],
    ...['x', '1e3', '', '.', '-1'].map((seconds): [string[], string] => [
      ['run', `--timeout=${seconds}`, '--lock', 'PATH', '--', 'true'],
      `--timeout must be a number of seconds, 0 or more, not "${seconds}"`,
    ]),
  ])('with 64 and one line for %j', async (args, message) => {
    const path = newPath();
    const outcome = await mortise(args.map((word) => (word === 'PATH' ? path : word))).end();
    const stderr = `mortise: ${message} (mortise --help tells more)\n`;
    expect(outcome).toEqual({ outcome: 64, stdout: '', stderr });
    expect(existsSync(path)).toBe(false);
  });
});

test('mortise --help and --version print to stdout and touch nothing', async () => {
  const manifest = readFileSync(new URL('../package.json', import.meta.url), 'utf8');
  const { version } = JSON.parse(manifest) as { version: string };
  expect(await mortise(['--version']).end()).toEqual({ outcome: 0, stdout: `${version}\n`, stderr: '' });
  for (const args of [['--help'], ['-h'], ['run', '--help'], ['run', '--help', '--', 'true']]) {
    const { outcome, stdout, stderr } = await mortise(args).end();
    expect([outcome, stderr]).toEqual([0, '']);
    for (const option of ['--lock', '--shared', '--timeout', '--remove', '--no-inherit'])
      expect(stdout).toContain(`\n  ${option}`);
  }
});
