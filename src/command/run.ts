/** Runs a command while a lock file is held. */
import { spawn, type ChildProcess, type StdioOptions } from 'node:child_process';
import { once } from 'node:events';
import { constants } from 'node:os';
import { BackendUnavailableError, LockTimeoutError, NativeAddonError } from '../errors.js';
import { FileLock } from '../file/file-lock.js';
import { descriptorOf, type FileGuard } from '../file/guard.js';
import type { Job } from './arguments.js';
import {
  CANNOT_LOCK,
  CANNOT_RUN,
  Failure,
  NOT_FOUND,
  SIGNALLED,
  TIMED_OUT,
  UNAVAILABLE,
} from './exit-codes.js';
import { warn } from './output.js';
import { hasReachedAll, listen } from './signals.js';

/**
 * Ends as the command did.
 * @returns the exit code.
 * @throws Failure if the command could not be run.
 */
export async function run(job: Job): Promise<number> {
  const waiting = new AbortController();
  const tell = listen((signal) => waiting.abort(new Failure(`ended by ${signal}`, codeOf(signal))));
  const { lock, guard } = await acquire(job, waiting.signal);
  try {
    if (guard.abandoned) warn(`the last holder of ${lock.path} died while it held it: check what it guards`);
    const child = start(job, lock, guard);
    tell((signal) => {
      if (!hasReachedAll(signal)) child.kill(signal);
    });
    return await ended(child, job.command);
  } finally {
    // Unlocks what the command has inherited too: a daemon that it left behind does not keep the lock.
    guard.release();
  }
}

async function acquire(
  { path, shared, remove, timeout }: Job,
  signal: AbortSignal,
): Promise<{ lock: FileLock; guard: FileGuard }> {
  try {
    const lock = new FileLock(path, { shared, removeOnRelease: remove });
    return { lock, guard: await lock.acquire({ timeout, signal }) };
  } catch (error) {
    if (error instanceof LockTimeoutError) throw new Failure(withoutCode(error), TIMED_OUT);
    if (error instanceof BackendUnavailableError) throw new Failure(withoutCode(error), CANNOT_LOCK);
    if (error instanceof NativeAddonError) throw new Failure(withoutCode(error), UNAVAILABLE);
    throw error;
  }
}

function withoutCode({ message, code }: { message: string; code: string }): string {
  return message.slice(`${code}: `.length);
}

function start({ command, args, inherit }: Job, { path }: FileLock, guard: FileGuard): ChildProcess {
  const env = {
    ...process.env,
    MORTISE_LOCK: path,
    MORTISE_FENCE: String(guard.fence),
    MORTISE_ABANDONED: guard.abandoned ? '1' : '0',
  };
  // One open file for both: if this process is killed, its flock lasts as long as the command has it open.
  const stdio: StdioOptions = ['inherit', 'inherit', 'inherit', ...(inherit ? [descriptorOf(guard)] : [])];
  try {
    return spawn(command, args, { env, stdio });
  } catch (error) {
    throw cannotRun(command, error);
  }
}

async function ended(child: ChildProcess, command: string): Promise<number> {
  // Before it runs, an error is why it does not; afterwards, that a signal could not be sent.
  if (child.pid === undefined) {
    const [error] = (await once(child, 'error')) as [Error];
    throw cannotRun(command, error);
  }
  child.on('error', (error) => warn(`cannot pass a signal on to ${command}: ${error.message}`));
  return new Promise((resolve) => {
    child.once('exit', (code, signal) => resolve(code ?? codeOf(signal as NodeJS.Signals)));
  });
}

function cannotRun(command: string, error: unknown): Failure {
  const { code, message } = error as NodeJS.ErrnoException;
  if (code === 'ENOENT') return new Failure(`${command}: command not found`, NOT_FOUND);
  const reason = code === 'EACCES' ? 'permission denied' : message;
  return new Failure(`${command} cannot be run: ${reason}`, CANNOT_RUN);
}

function codeOf(signal: NodeJS.Signals): number {
  return SIGNALLED + constants.signals[signal];
}
