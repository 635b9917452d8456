/** Checks a path once, at the door. */
import { resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { show } from './deadline.js';

/**
 * A path, or a `file:` URL, as an absolute path.
 * @throws TypeError or RangeError that says what a path must be.
 */
export function absolutePath(path: unknown): string {
  const given = path instanceof URL ? fileURLToPath(path) : path;
  if (typeof given !== 'string')
    throw new TypeError(`path must be a string or a file: URL, not ${show(path)}`);
  if (given === '' || given.includes('\0'))
    throw new RangeError(`path must be a path, not empty and without null characters, not ${show(path)}`);
  return resolve(given);
}
