/** The process in which requests wait, and files are read. */
import { openSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { FileLock } from 'mortise/file';
import { serve } from './child.mjs';
import { fsExt, properLockfile } from './peers.mjs';

let abort;
let waiting = [];

const wait = {
  file: (path) => new FileLock(path).acquire({ signal: abort.signal }),
  'proper-lockfile': (path) =>
    properLockfile.lock(path, { retries: { forever: true, factor: 1, minTimeout: 10, maxTimeout: 10 } }),
  'fs-ext': (path) => new Promise((resolve) => fsExt.flock(openSync(path, 'r+'), 'ex', resolve)),
};

serve(async (request) => {
  if (request.wait !== undefined) {
    abort = new AbortController();
    waiting = Array.from({ length: request.count }, (_, index) =>
      wait[request.wait](request.locks[index % request.locks.length]),
    );
    return;
  }
  if (request.giveUp) {
    abort.abort();
    const settled = await Promise.allSettled(waiting);
    if (settled.some(({ status }) => status === 'fulfilled'))
      throw new Error('a lock that is held was acquired');
    return;
  }
  return timed(request);
});

/** Milliseconds for each file; null if the first one is not read within the limit. */
async function timed({ read, reads, limit }) {
  const start = performance.now();
  if (limit !== undefined) {
    const late = new Promise((resolve) => setTimeout(resolve, limit, null));
    if ((await Promise.race([readFile(read), late])) === null) return null;
  }
  for (let i = 0; i < reads; i++) await readFile(read);
  return (performance.now() - start) / reads;
}
