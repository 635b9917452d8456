/** The process that opens locks. */
import { once } from 'node:events';
import { readFileSync, readdirSync, rmSync } from 'node:fs';
import { setImmediate } from 'node:timers/promises';
import { Worker } from 'node:worker_threads';
import { Space } from 'mortise';
import { FileLock } from 'mortise/file';
import { serve } from './child.mjs';

let opened = 0;

/** Each opens a lock, takes and releases it, and gives it up. */
const kinds = {
  file(path, { dispose, removeOnRelease }) {
    const lock = new FileLock(path, { removeOnRelease });
    lock.acquireSync().release();
    if (dispose) lock.dispose();
  },

  /** A place in a region comes back when nobody refers to it, which is found out between turns of the event loop. */
  region(path, { removes }) {
    openRegion(path);
    if (removes) rmSync(path);
    return setImmediate();
  },

  async thread(path) {
    const worker = new Worker(new URL('./opens-thread.mjs', import.meta.url), { workerData: path });
    const [code] = await once(worker, 'exit');
    if (code !== 0) throw new Error(`a thread ended with code ${code}`);
  },
};

serve(async ({ kind, path, paths, times, ...how }) => {
  const start = performance.now();
  for (let i = 0; i < times; i++) {
    const done = kinds[kind](`${path}-${opened++ % paths}`, how);
    if (done !== undefined) await done;
  }
  const milliseconds = performance.now() - start;
  // What is collected gives back its mapping a turn later, and its page after that.
  for (let turn = 0; turn < 5; turn++) {
    globalThis.gc();
    await setImmediate();
  }
  return { ...state(path), milliseconds };
});

/** There is room for few: whatever is not given back is missing soon. */
function openRegion(path) {
  const mutex = Space.open(path, { locks: 2, threads: 2 }).mutex(`lock ${opened}`);
  mutex.acquireSync().release();
  mutex.dispose();
}

function state(path) {
  const { heapUsed, rss } = process.memoryUsage();
  const maps = readFileSync('/proc/self/maps', 'utf8').split('\n');
  return {
    heap: heapUsed,
    rss,
    descriptors: readdirSync('/proc/self/fd').length,
    threads: readdirSync('/proc/self/task').length,
    mappings: maps.filter((line) => line.includes(path)).length,
  };
}
