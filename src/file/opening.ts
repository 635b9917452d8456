/** Opening, making and mapping the file at a path, never through a symbolic link, and never inherited by a child. */
import { closeSync, constants, fstatSync, lstatSync, openSync } from 'node:fs';
import { makeFolderFor } from '../folder.js';
import { native } from '../native.js';
import { refusal, unfit } from './refusal.js';
import { FILE_BYTES } from './words.js';

/**
 * By a descriptor of its own: a mapping keeps its open file, and that file its flock, for as long as the mapping is used,
 * even after the descriptor was closed.
 */
export function mapFile(path: string, identity: string): ArrayBuffer | undefined {
  const fd = openExisting(path);
  if (fd === undefined) return undefined;
  try {
    const { dev, ino, size } = fstatSync(fd, { bigint: true });
    if (`${dev}:${ino}` !== identity) return undefined;
    if (size === 0n) return undefined;
    if (size < FILE_BYTES) throw unfit(path, `is a lock file that was cut short, to ${size} bytes`);
    // A shell that says `9>a.lock` cuts the file off, which must kill nobody.
    return native().map(fd, FILE_BYTES, true);
  } catch (error) {
    if (error instanceof RangeError) return undefined; // It was cut off just now.
    throw (error as NodeJS.ErrnoException).syscall === undefined
      ? error
      : refusal(path, 'cannot be mapped', error);
  } finally {
    closeSync(fd);
  }
}

const FLAGS: number = constants.O_RDWR | ((constants.O_NOFOLLOW as number | undefined) ?? 0);

export function openExisting(path: string): number | undefined {
  try {
    return openSync(path, FLAGS);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    throw refusal(path, 'cannot be opened', error);
  }
}

export function openOrMake(path: string, mode: number): number {
  for (let hasFolder = false; ;) {
    // Without O_CREAT: Linux refuses that for a file of another user in a folder such as /tmp.
    const found = openExisting(path);
    if (found !== undefined) return found;
    try {
      return openSync(path, FLAGS | constants.O_CREAT | constants.O_EXCL, mode);
    } catch (error) {
      const { code } = error as NodeJS.ErrnoException;
      if (code === 'EEXIST') continue;
      if (code !== 'ENOENT' || hasFolder) throw refusal(path, 'cannot be created', error);
    }
    try {
      makeFolderFor(path, mode);
      hasFolder = true;
    } catch (error) {
      throw refusal(path, 'cannot be created', error);
    }
  }
}

export function identityOf(path: string): string {
  const { dev, ino } = lstatSync(path, { bigint: true });
  return `${dev}:${ino}`;
}
