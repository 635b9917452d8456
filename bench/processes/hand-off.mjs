import { join } from 'node:path';
import { Space } from 'mortise';
import { atLeast, atMost, missing, unbounded } from '../figures/figure.mjs';
import { median } from '../figures/median.mjs';
import { duration } from '../units.mjs';
import { Child } from './child.mjs';
import { HOW_TO_GET_FS_EXT, fsExt } from './peers.mjs';

const program = new URL('./hand-off-process.mjs', import.meta.url);
const rounds = 7;
/** Waits for each process and round. */
const turns = 60;

/**
 * How long it takes from a release in one process until another one that waits has the lock.
 * @param {string} folder @param {(share: number) => void} onProgress @param {AbortSignal} signal
 * @returns {Promise<import('../figures/figure.mjs').Figure[]>}
 */
export async function handOff(folder, onProgress, signal) {
  const kinds = ['file', 'file-sync', ...(fsExt ? ['fs-ext', 'fs-ext-sync'] : []), 'proper-lockfile'];
  const measured = await measure(kinds, { rounds, turns, hold: 'sleep' }, folder, onProgress, signal);
  const peer = quantiles(measured.get('proper-lockfile'));
  const all = [];
  for (const [kind, what] of [
    ['file', 'FileLock'],
    ['file-sync', 'FileLock, blocking'],
  ]) {
    const own = quantiles(measured.get(kind));
    const detail = `${shown(own)}; release in one process to acquired in another, ${own.count} times`;
    const unit = 'ms';
    all.push(
      atMost(`hand-off of ${what}, p50`, rounded(own.p50), 0.3, { unit, detail }),
      atMost(`hand-off of ${what}, p99`, rounded(own.p99), 3, { unit, detail }),
      atLeast(`hand-off of ${what}: times faster than proper-lockfile`, peer.p50 / own.p50, 20, {
        detail: `${duration(own.p50)} against ${shown(peer)}, which looks every 10 ms`,
      }),
    );
    if (fsExt) {
      const blocking = quantiles(measured.get(kind === 'file' ? 'fs-ext' : 'fs-ext-sync'));
      const against = `fs-ext, whose flock blocks ${kind === 'file' ? "a thread of libuv's pool" : 'too'}`;
      const figures = `${shown(own)} against ${shown(blocking)}`;
      all.push(unbounded(`hand-off of ${what}, against ${against}`, own.p50 / blocking.p50, figures));
    }
  }
  if (!fsExt) all.push(missing('hand-off of fs-ext', HOW_TO_GET_FS_EXT));
  return all;
}

/**
 * The same for a mutex in a file, against a raw ping-pong on a futex between the same two processes.
 * @param {string} folder @param {(share: number) => void} onProgress @param {AbortSignal} signal
 * @returns {Promise<import('../figures/figure.mjs').Figure[]>}
 */
export async function mutexHandOff(folder, onProgress, signal) {
  if (!('open' in Space)) return [];
  const options = { rounds: 15, turns: 1000, hold: 'spin' };
  const measured = await measure(['futex', 'mutex'], options, folder, onProgress, signal);
  const [raw, own] = ['futex', 'mutex'].map((kind) => measured.get(kind));
  const ratio = median(own.map((times, round) => median(times) / median(raw[round])));
  const detail = `${shown(quantiles(own))} against ${shown(quantiles(raw))}`;
  return [atMost('hand-off of a mutex of Space.open, against a raw futex ping-pong', ratio, 2, { detail })];
}

/** @returns {Promise<Map<string, number[][]>>} milliseconds of each hand-off, by kind and round */
async function measure(kinds, { rounds, turns, hold }, folder, onProgress, signal) {
  const measured = new Map(kinds.map((kind) => [kind, []]));
  const sides = [0, 1].map((side) => new Child(program, [String(side)], { signal }));
  const both = (request) => Promise.all(sides.map((side) => side.ask(request)));
  try {
    for (let round = -1; round < rounds; round++) {
      for (const [index, kind] of kinds.entries()) {
        onProgress(((round + 1) * kinds.length + index) / ((rounds + 1) * kinds.length));
        await both({ prepare: kind, path: join(folder, kind) });
        const [first, second] = await both({ turns: round < 0 ? Math.ceil(turns / 10) : turns, hold });
        // The n-th wait of the one is ended by the n-th release of the other.
        const times = [
          ...first.acquired.map((moment, turn) => moment - second.released[turn]),
          ...second.acquired.map((moment, turn) => moment - first.released[turn]),
        ];
        if (round >= 0) measured.get(kind).push(times);
      }
    }
  } finally {
    await Promise.all(sides.map((side) => side.kill()));
  }
  return measured;
}

/**
 * Medians of the rounds, so that what else the machine did for a moment does not count.
 * @param {number[][]} byRound
 */
function quantiles(byRound) {
  const sorted = byRound.map((times) => [...times].sort((a, b) => a - b));
  const at = (share) => median(sorted.map((times) => times[Math.floor(share * times.length)]));
  const worst = Math.max(...sorted.map((times) => times.at(-1)));
  return { p50: at(0.5), p99: at(0.99), worst, count: byRound.flat().length };
}

function shown({ p50, p99, worst }) {
  return `p50 ${duration(p50)}, p99 ${duration(p99)}, worst ${duration(worst)}`;
}

function rounded(milliseconds) {
  return Number(milliseconds.toPrecision(3));
}
