import { setTimeout as sleep } from 'node:timers/promises';
import { atMost, missing, unbounded } from '../figures/figure.mjs';
import { median } from '../figures/median.mjs';
import { duration } from '../units.mjs';
import { connect, kindOf, notInstalled } from './kinds.mjs';

const TURNS = 20;
/** Milliseconds for a turn at the most: a peer may wait for the server that stands still. */
const PATIENCE = 10_000;
const TTL = 1000;

/**
 * Acquire and release on three servers, one of which stands still.
 * @param {{ servers: { port: number, pause(): void, resume(): void }[] }} places
 * @param {(share: number) => void} onProgress @param {AbortSignal} signal
 * @returns {Promise<import('../figures/figure.mjs').Figure[]>}
 */
export async function stopped({ servers }, onProgress, signal) {
  const figures = [];
  const kinds = ['mortise', 'redlock'];
  for (const [index, kind] of kinds.entries()) {
    onProgress(index / kinds.length);
    const clients = servers.map(connect);
    const maker = await kindOf(kind, clients, TTL);
    const name = `one of three servers stopped: acquire and release of ${kind}`;
    if (maker === null) figures.push(missing(name, notInstalled));
    else {
      const acquire = maker(`stopped-${kind}`);
      await turn(acquire);
      servers[1].pause();
      try {
        const times = await measure(acquire, signal);
        const worst = Math.max(...times);
        const detail = `median ${duration(median(times))}, worst ${duration(worst)}, ${times.length} times, ttl 1 s`;
        const value = Number(worst.toFixed(1));
        figures.push(
          kind === 'mortise'
            ? atMost(`${name}, worst`, value, 50, { unit: 'ms', detail })
            : { ...unbounded(`${name}, worst`, value, detail), unit: 'ms' },
        );
      } catch (error) {
        figures.push(missing(name, `it failed: ${error.message}`));
      } finally {
        servers[1].resume();
      }
    }
    for (const client of clients) client.disconnect();
  }
  return figures;
}

async function turn(acquire) {
  const release = await acquire();
  await release();
}

async function tooLate() {
  await sleep(PATIENCE, undefined, { ref: false });
  throw new Error(`it had not answered after ${PATIENCE} ms`);
}

async function measure(acquire, signal) {
  const times = [];
  for (let count = 0; count < TURNS; count++) {
    signal.throwIfAborted();
    const begin = performance.now();
    await Promise.race([turn(acquire), tooLate()]);
    times.push(performance.now() - begin);
  }
  return times;
}
