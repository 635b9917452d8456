/** Checks the path of a file, and its permissions, once, at the door. */
import { resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { checkInteger, show } from './deadline.js';
import { BackendUnavailableError } from './errors.js';

/**
 * A path, or a `file:` URL, as an absolute path.
 * @throws TypeError or RangeError that says what a path must be; BackendUnavailableError if there is no working folder.
 */
export function absolutePath(path: unknown): string {
  const given = path instanceof URL ? fileURLToPath(path) : path;
  if (typeof given !== 'string')
    throw new TypeError(`path must be a string or a file: URL, not ${show(path)}`);
  if (given === '' || given.includes('\0'))
    throw new RangeError(`path must be a path, not empty and without null characters, not ${show(path)}`);
  try {
    return resolve(given);
  } catch (cause) {
    throw new BackendUnavailableError(`${show(given)} is relative to a working folder that is gone`, {
      cause,
    });
  }
}

/**
 * Permissions of a file that is made.
 * @throws TypeError or RangeError, also if its owner could not use it.
 */
export function checkMode(mode: unknown): asserts mode is number {
  checkInteger(mode, 'options.mode', 0, 0o777);
  if ((mode & 0o600) !== 0o600)
    throw new RangeError(
      `options.mode must let its owner read and write, which 0o${mode.toString(8)} does not`,
    );
}
