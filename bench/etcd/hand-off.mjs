import { atMost, unbounded } from '../figures/figure.mjs';
import { median } from '../figures/median.mjs';
import { duration } from '../units.mjs';
import { etcdctlLock } from './etcdctl.mjs';
import { connect, mortise, rest, watched } from './kinds.mjs';

const TURNS = 150;
const PEER_TURNS = 25;

/**
 * From just before a release until the one who waits has the lock, each with a client of its own; beside a write that a watch
 * sees, in turns that alternate, and beside `etcdctl lock`.
 * @param {{ single: object, three: object }} clusters @param {(share: number) => void} onProgress @param {AbortSignal} signal
 * @returns {Promise<import('../figures/figure.mjs').Figure[]>}
 */
export async function handOff({ single, three }, onProgress, signal) {
  const figures = [];
  for (const [index, [what, cluster]] of [
    ['one member', single],
    ['three members', three],
  ].entries()) {
    const [client, other] = [connect(cluster), connect(cluster)];
    const sides = [client, other].map((it) => mortise(it)('hand-off'));
    const bare = await watched(client, 'watched');
    const times = [[], []];
    for (let turn = -5; turn < TURNS; turn++) {
      signal.throwIfAborted();
      onProgress((index + Math.max(0, turn) / TURNS) / 2);
      const pair = [await bare.turn(), await pass(sides)];
      if (turn >= 0) for (const [place, time] of pair.entries()) times[place].push(time);
    }
    bare.stop();
    const [write, pass50] = times.map(median);
    const p95 = times[1].sort((a, b) => a - b)[Math.floor(TURNS * 0.95)];
    const detail = `p50 ${duration(pass50)}, p95 ${duration(p95)}, against ${duration(write)}, ${TURNS} times`;
    figures.push(
      atMost(`hand-off of mortise, ${what}, p50 against a write seen by a watch`, pass50 / write, 1.5, {
        detail,
      }),
    );
    const peer = await etcdctlLock(cluster, PEER_TURNS, signal);
    const peerDetail = `p50 ${duration(median(peer))}, ${peer.length} times`;
    figures.push(
      unbounded(`hand-off of etcdctl lock, ${what}, p50 against the same`, median(peer) / write, peerDetail),
    );
    await Promise.all([client.close(), other.close()]);
  }
  return figures;
}

async function pass([one, other]) {
  const release = await one();
  const waiting = other().then((releaseOther) => ({ releaseOther, at: performance.now() }));
  await rest();
  const begin = performance.now();
  const released = release();
  const { releaseOther, at } = await waiting;
  await Promise.all([released, releaseOther()]);
  return at - begin;
}
