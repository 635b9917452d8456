/** The process that opens locks. */
import { readFileSync, readdirSync } from 'node:fs';
import { setImmediate } from 'node:timers/promises';
import { FileLock } from 'mortise/file';
import { serve } from './child.mjs';

let opened = 0;

serve(async ({ path, paths, dispose, removeOnRelease = false, times }) => {
  const start = performance.now();
  for (let i = 0; i < times; i++) {
    const number = opened++;
    const lock = new FileLock(`${path}-${number % paths}`, { removeOnRelease });
    lock.acquireSync().release();
    if (dispose) lock.dispose();
  }
  const milliseconds = performance.now() - start;
  // What is collected gives back its mapping a turn later, and its page after that.
  for (let turn = 0; turn < 5; turn++) {
    globalThis.gc();
    await setImmediate();
  }
  return { ...state(path), milliseconds };
});

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
