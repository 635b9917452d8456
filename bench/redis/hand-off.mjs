import { setTimeout as sleep } from 'node:timers/promises';
import { atMost, missing, unbounded } from '../figures/figure.mjs';
import { duration } from '../units.mjs';
import { connect, kindOf, notInstalled, peers, prepare } from './kinds.mjs';

const TURNS = 200;
const PEER_TURNS = 40;

/**
 * From just before a release until the one who waits has the lock, each with a connection of its own.
 * @param {{ server: { port: number } }} places @param {(share: number) => void} onProgress @param {AbortSignal} signal
 * @returns {Promise<import('../figures/figure.mjs').Figure[]>}
 */
export async function handOff({ server }, onProgress, signal) {
  const figures = [];
  const kinds = ['mortise', 'blpop', ...peers];
  for (const [index, kind] of kinds.entries()) {
    onProgress(index / kinds.length);
    const clients = [connect(server), connect(server)];
    try {
      const makers = await Promise.all(clients.map((client) => kindOf(kind, [client])));
      if (makers[0] === null) {
        figures.push(missing(`hand-off of ${kind}`, notInstalled));
        continue;
      }
      const name = `hand-off-${kind}`;
      await prepare(kind, clients[0], name);
      const sides = makers.map((maker) => maker(name));
      const times = await measure(sides, peers.includes(kind) ? PEER_TURNS : TURNS, signal);
      const [p50, p95] = [0.5, 0.95].map((share) => times[Math.floor(times.length * share)]);
      const detail = `p50 ${duration(p50)}, p95 ${duration(p95)}, ${times.length} times`;
      if (kind !== 'mortise')
        figures.push({ ...unbounded(`hand-off of ${kind}, p50`, ms(p50), detail), unit: 'ms' });
      else
        figures.push(
          atMost('hand-off of mortise, p50', ms(p50), 1, { unit: 'ms', detail }),
          atMost('hand-off of mortise, p95', ms(p95), 2, { unit: 'ms', detail }),
        );
    } finally {
      for (const client of clients) client.disconnect();
    }
  }
  return figures;
}

async function measure([one, other], turns, signal) {
  const times = [];
  for (let turn = -3; turn < turns; turn++) {
    signal.throwIfAborted();
    const release = await one();
    const waiting = other().then((releaseOther) => ({ releaseOther, at: performance.now() }));
    await sleep(5 + Math.random() * 10);
    const begin = performance.now();
    const released = release();
    const { releaseOther, at } = await waiting;
    await Promise.all([released, releaseOther()]);
    if (turn >= 0) times.push(at - begin);
  }
  return times.sort((a, b) => a - b);
}

const ms = (time) => Number(time.toFixed(2));
