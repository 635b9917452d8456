import { Team } from '../contention/team.mjs';
import { stepsPerMicrosecond } from '../contention/work.mjs';
import { duration } from '../units.mjs';
import { atMost } from './figure.mjs';
import { median } from './median.mjs';

const threads = 8;
const runs = 5;
const seconds = 2;
const microseconds = 2;

/**
 * The longest that any of 8 threads ever waits for `Mutex`, against the plain futex mutex.
 * @param {(share: number) => void} onProgress @param {AbortSignal} signal
 * @returns {Promise<import('./figure.mjs').Figure[]>}
 */
export async function worstWait(onProgress, signal) {
  const steps = Math.round(microseconds * stepsPerMicrosecond());
  const round = { threads, seconds, load: { inside: steps, outside: steps, timed: true } };
  const own = await Team.start('mutex', threads, signal);
  const futex = await Team.start('futex-mutex', threads, signal);
  const worst = { own: [], futex: [] };
  try {
    for (let run = 0; run < runs; run++) {
      worst.own.push((await own.run(round)).wait.worst);
      onProgress((run + 0.5) / runs);
      worst.futex.push((await futex.run(round)).wait.worst);
      onProgress((run + 1) / runs);
    }
  } finally {
    await own.close();
    await futex.close();
  }
  const [mine, plain] = [median(worst.own), median(worst.futex)];
  const what = `worst wait at ${threads} threads, ${microseconds} µs sections, against a plain futex mutex`;
  return [atMost(what, mine / plain, 0.6, { detail: `${duration(mine)} against ${duration(plain)}` })];
}
