import { atLeast, unbounded } from '../figures/figure.mjs';
import { median } from '../figures/median.mjs';
import { duration } from '../units.mjs';
import { connect, mortise, raw } from './kinds.mjs';

const ROUNDS = 15;
/** Pairs in a batch. */
const PAIRS = 128;

/**
 * Acquire and release of a lock that nobody else wants, against a bare put and delete by the same client, one at a time and 64
 * at once: batches that alternate, and the median of the ratios of neighbours.
 * @param {{ single: object, three: object }} clusters @param {(share: number) => void} onProgress @param {AbortSignal} signal
 * @returns {Promise<import('../figures/figure.mjs').Figure[]>}
 */
export async function uncontended({ single, three }, onProgress, signal) {
  const figures = [];
  const contests = [
    ['one member, one at a time', single, 1],
    ['one member, 64 at once', single, 64],
    ['three members, one at a time', three, 1],
    ['three members, 64 at once', three, 64],
  ];
  for (const [index, [what, cluster, atOnce]] of contests.entries()) {
    const client = connect(cluster);
    const sides = [raw(client), mortise(client)].map((side, place) =>
      Array.from({ length: atOnce }, (_, number) => side(`uncontended-${place}-${number}`)),
    );
    const times = [[], []];
    for (let round = -2; round < ROUNDS; round++) {
      signal.throwIfAborted();
      onProgress((index + Math.max(0, round) / ROUNDS) / contests.length);
      for (const [place, acquires] of sides.entries()) {
        const begin = performance.now();
        await Promise.all(acquires.map((acquire) => repeat(acquire, PAIRS / atOnce)));
        if (round >= 0) times[place].push((performance.now() - begin) / PAIRS);
      }
    }
    const ratio = median(times[0].map((time, round) => time / times[1][round]));
    const detail = `${duration(median(times[1]))} a pair against ${duration(median(times[0]))}`;
    const name = `uncontended, ${what}: rate against a bare put and delete`;
    // Many at once show how much more there is to read and write in a transaction: the processors are the limit.
    figures.push(atOnce === 1 ? atLeast(name, ratio, 0.7, { detail }) : unbounded(name, ratio, detail));
    await client.close();
  }
  return figures;
}

async function repeat(acquire, times) {
  for (let count = 0; count < times; count++) await (await acquire())();
}
