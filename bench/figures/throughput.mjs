import { Team } from '../contention/team.mjs';
import { stepsPerMicrosecond } from '../contention/work.mjs';
import { rate } from '../units.mjs';
import { atLeast } from './figure.mjs';
import { median } from './median.mjs';

const threadCounts = [2, 4, 8];
const rounds = 9;
const seconds = 0.25;
const microseconds = 2;

/**
 * Throughput of `Mutex` against the plain futex mutex, in rounds that alternate.
 * @param {(share: number) => void} onProgress @param {AbortSignal} signal
 * @returns {Promise<import('./figure.mjs').Figure[]>}
 */
export async function throughput(onProgress, signal) {
  const steps = Math.round(microseconds * stepsPerMicrosecond());
  const loads = [
    { name: `${microseconds} µs inside and outside`, steps, bound: 0.9 },
    { name: 'empty sections', steps: 0, bound: 0.25, aim: 0.5 },
  ];
  const threads = Math.max(...threadCounts);
  const own = await Team.start('mutex', threads, signal);
  const futex = await Team.start('futex-mutex', threads, signal);
  const figures = [];
  try {
    for (const { name, steps: work, bound, aim } of loads) {
      for (const count of threadCounts) {
        const round = { threads: count, seconds, load: { inside: work, outside: work, timed: false } };
        const pairs = [];
        for (let i = 0; i < rounds; i++) {
          pairs.push([await perSecond(own, round), await perSecond(futex, round)]);
          onProgress((figures.length + i / rounds) / (loads.length * threadCounts.length));
        }
        const ratio = median(pairs.map(([mine, plain]) => mine / plain));
        const [mine, plain] = [0, 1].map((side) => rate(median(pairs.map((pair) => pair[side]))));
        const what = `throughput at ${count} threads, ${name}, against a plain futex mutex`;
        figures.push(atLeast(what, ratio, bound, { aim, detail: `${mine}/s against ${plain}/s` }));
      }
    }
  } finally {
    await own.close();
    await futex.close();
  }
  return figures;
}

async function perSecond(team, round) {
  const result = await team.run(round);
  if (result.broken !== null) throw new Error(`exclusion is broken: ${result.broken}`);
  return result.perSecond;
}
