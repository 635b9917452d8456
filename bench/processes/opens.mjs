import { join } from 'node:path';
import { atMost } from '../figures/figure.mjs';
import { bytes, count, duration } from '../units.mjs';
import { Child } from './child.mjs';

const program = new URL('./opens-process.mjs', import.meta.url);
const cases = [
  ['FileLocks on one file', 100_000, { kind: 'file', paths: 1, dispose: true }],
  ['FileLocks on 1,000 files in turn', 100_000, { kind: 'file', paths: 1000 }],
  [
    'FileLocks on a new file each time, which is removed',
    20_000,
    { kind: 'file', paths: Infinity, removeOnRelease: true },
  ],
  ['Space.open of one region', 100_000, { kind: 'region', paths: 1 }],
  [
    'Space.open of a new region each time, which is removed',
    10_000,
    { kind: 'region', paths: Infinity, removes: true },
  ],
  ['threads that open one region', 200, { kind: 'thread', paths: 1 }],
];
/** With a room for young objects that does not grow: V8 makes it larger by and by, up to 48 MiB, and keeps it. */
const execArgv = ['--expose-gc', '--max-semi-space-size=1'];
const MiB = 2 ** 20;

/**
 * What thousands of opens and releases of locks leave in the process.
 * @param {string} folder @param {(share: number) => void} onProgress @param {AbortSignal} signal
 * @returns {Promise<import('../figures/figure.mjs').Figure[]>}
 */
export async function opens(folder, onProgress, signal) {
  const figures = [];
  for (const [index, [what, amount, how]] of cases.entries()) {
    const child = new Child(program, [], { signal, execArgv });
    const path = join(folder, `opened-${index}`);
    try {
      const before = await child.ask({ ...how, path, times: amount / 5 });
      let after = before;
      let milliseconds = 0;
      const parts = 10;
      for (let part = 0; part < parts; part++) {
        after = await child.ask({ ...how, path, times: amount / parts });
        milliseconds += after.milliseconds;
        onProgress((index + (part + 1) / parts) / cases.length);
      }
      const grown = (name) => after[name] - before[name];
      const inMiB = (name) => Number((grown(name) / MiB).toFixed(2));
      const name = `${count(amount)} ${what}:`;
      const each = `${duration(milliseconds / amount)} each`;
      const detail = (of, show = String) => `${show(before[of])} before, ${show(after[of])} after; ${each}`;
      figures.push(
        atMost(`${name} growth of the heap`, inMiB('heap'), 1, {
          unit: 'MiB',
          detail: detail('heap', bytes),
        }),
        atMost(`${name} growth of resident memory`, inMiB('rss'), 8, {
          unit: 'MiB',
          detail: detail('rss', bytes),
        }),
        atMost(`${name} descriptors more`, grown('descriptors'), 0, {
          unit: '',
          detail: detail('descriptors'),
        }),
        atMost(`${name} threads more`, grown('threads'), 0, { unit: '', detail: detail('threads') }),
        atMost(`${name} mappings of its files more`, grown('mappings'), 0, {
          unit: '',
          detail: detail('mappings'),
        }),
      );
    } finally {
      await child.kill();
    }
  }
  return figures;
}
