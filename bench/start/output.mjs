import { constants } from 'node:fs';
import { access, rm, stat, writeFile } from 'node:fs/promises';
import { dirname, resolve } from 'node:path';
import { Failure, reasonOf } from '../failure.mjs';

/** Complains before the work is done about a file that could not be written after it. @param {string} path */
export async function checkWritable(path) {
  try {
    const known = await stat(path).catch((error) => {
      if (error.code !== 'ENOENT') throw error;
      return null;
    });
    if (known?.isDirectory()) throw Object.assign(new Error(), { code: 'EISDIR' });
    await access(known ? path : dirname(resolve(path)), constants.W_OK);
  } catch (error) {
    throw cannotWrite(path, error);
  }
}

/** Writes all of a file, or leaves none. @param {string} path @param {string} text */
export async function writeWhole(path, text) {
  try {
    await writeFile(path, text);
  } catch (error) {
    const half = await stat(path).catch(() => null);
    if (half?.isFile()) await rm(path, { force: true });
    throw cannotWrite(path, error);
  }
}

const cannotWrite = (path, error) => new Failure(`cannot write ${path}: ${reasonOf(error)}`);
