/** Batches of the raw operation and of the lock alternate, as in figures/blocking-batches.mjs, and in one process. */
import { ftruncateSync, openSync } from 'node:fs';
import { Space } from 'mortise';
import { FileLock } from 'mortise/file';
import { native } from '../../dist/native.js';
import { median } from '../figures/median.mjs';

const [kind, path] = process.argv.slice(2);
const rounds = 150;
const warmUp = 20;
const addon = native();
const fd = openSync(`${path}.raw`, 'a+');
ftruncateSync(fd, 4096);

const subjects = {
  file() {
    const { exclusive, unlock } = addon.flockModes;
    const lock = new FileLock(path);
    return {
      pairs: 1000,
      raw(pairs) {
        for (let i = 0; i < pairs; i++) {
          addon.flock(fd, exclusive);
          addon.flock(fd, unlock);
        }
      },
      own(pairs) {
        for (let i = 0; i < pairs; i++) {
          const guard = lock.acquireSync();
          guard.release();
        }
      },
    };
  },
  mutex() {
    const words = new Int32Array(addon.map(fd, 4096));
    const mutex = Space.open(path).mutex('bench');
    return {
      pairs: 20_000,
      raw(pairs) {
        for (let i = 0; i < pairs; i++) {
          Atomics.compareExchange(words, 0, 0, 1);
          Atomics.compareExchange(words, 0, 1, 0);
        }
      },
      own(pairs) {
        for (let i = 0; i < pairs; i++) {
          const guard = mutex.acquireSync();
          guard.release();
        }
      },
    };
  },
};

const { pairs, raw, own } = subjects[kind]();

/** Nanoseconds a pair. */
function timed(batch) {
  const start = performance.now();
  batch(pairs);
  return ((performance.now() - start) * 1e6) / pairs;
}

const bases = [];
const ratios = [];
const times = [];
for (let round = -warmUp; round < rounds; round++) {
  const before = timed(raw);
  const time = timed(own);
  const after = timed(raw);
  if (round < 0) continue;
  ratios.push((2 * time) / (before + after));
  times.push(time);
  bases.push(before, after);
}
process.send({ base: median(bases), cases: [{ ratio: median(ratios), time: median(times) }] });
