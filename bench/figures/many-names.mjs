import { LockManager } from 'mortise';

/**
 * A million names, made, used and cleaned up, a thousand at a time, and counted if the argument is `statistics`. Run with
 * --expose-gc; sends bytes and milliseconds.
 */
const names = 1_000_000;
const batch = 1_000;

const locks = new LockManager({ statistics: process.argv[2] === 'statistics' });

async function use(first) {
  for (let i = first; i < first + batch; i++) locks.lock(`user:${i}`).acquireSync().release();
  const closed = await locks.cleanup();
  if (closed !== batch) throw new Error(`${closed} of ${batch} names were closed`);
}

/** What finalizers still hold is free after some turns of the event loop. */
async function memory() {
  for (let turn = 0; turn < 5; turn++) {
    globalThis.gc();
    await new Promise((resolve) => setImmediate(resolve));
  }
  const { heapUsed, external, rss } = process.memoryUsage();
  return { used: heapUsed + external, rss };
}

for (let first = 0; first < 20 * batch; first += batch) await use(first);
const before = await memory();
const start = performance.now();
for (let first = 0; first < names; first += batch) await use(first);
const elapsed = performance.now() - start;
const after = await memory();
process.send({ names, used: after.used - before.used, rss: after.rss - before.rss, elapsed });
