/** Makes the folder of a file. */
import { existsSync, mkdirSync } from 'node:fs';
import { dirname } from 'node:path';

/** Makes the folder of the file at `path`, and those above it, if need be. Whoever may use the file may get to it. */
export function makeFolderFor(path: string, mode: number): void {
  const read = mode & 0o444;
  makeFolder(dirname(path), 0o700 | read | (read >> 2));
}

/** Not `recursive`: that says ENOENT of a read-only file system, and never ends in /proc, where nothing can be made. */
function makeFolder(path: string, mode: number): void {
  const parent = dirname(path);
  if (!existsSync(parent) && parent !== path) makeFolder(parent, mode);
  try {
    mkdirSync(path, mode);
  } catch (error) {
    // What is there may be no folder. Then the file cannot be opened.
    if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error;
  }
}
