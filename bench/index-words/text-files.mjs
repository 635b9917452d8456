import { readdir, stat } from 'node:fs/promises';
import { extname, join } from 'node:path';

/** The names that are taken for text. */
export const textExtensions = ['.md', '.mdx', '.markdown', '.txt', '.rst', '.ts', '.mts', '.cts', '.tsx'];

/** @typedef {{ path: string, bytes: number }} TextFile */

/**
 * All text files in a folder and the folders in it, in the order of their paths. Links are not followed.
 * @param {string} folder
 * @returns {Promise<TextFile[]>}
 */
export async function findTextFiles(folder) {
  /** @type {TextFile[]} */
  const files = [];
  /** @type {string[]} */
  const folders = [folder];
  for (let next = folders.pop(); next !== undefined; next = folders.pop()) {
    const paths = [];
    for (const entry of await readdir(next, { withFileTypes: true })) {
      const path = join(next, entry.name);
      if (entry.isDirectory()) folders.push(path);
      else if (entry.isFile() && textExtensions.includes(extname(entry.name).toLowerCase())) paths.push(path);
    }
    const sizes = await Promise.all(paths.map((path) => stat(path)));
    files.push(...sizes.map(({ size }, index) => ({ path: paths[index] ?? '', bytes: size })));
  }
  return files.sort((a, b) => (a.path < b.path ? -1 : 1));
}

/**
 * The work as tasks of about `bytes` each, the largest first: the last one to finish is then a small one.
 * @template {TextFile} T
 * @param {T[]} files
 * @param {number} bytes
 * @returns {T[][]}
 */
export function toTasks(files, bytes) {
  const tasks = [];
  let task = [];
  let size = 0;
  for (const file of [...files].sort((a, b) => b.bytes - a.bytes)) {
    task.push(file);
    size += file.bytes;
    if (size < bytes) continue;
    tasks.push(task);
    task = [];
    size = 0;
  }
  if (task.length > 0) tasks.push(task);
  return tasks;
}
