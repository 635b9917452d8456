import { createClient } from 'redis';
import { RedisLock } from 'mortise/redis';
import { atLeast, missing, unbounded } from '../figures/figure.mjs';
import { median } from '../figures/median.mjs';
import { duration } from '../units.mjs';
import { connect, kindOf, notInstalled, peers } from './kinds.mjs';

const ROUNDS = 15;
/** Pairs in a batch. */
const PAIRS = 1024;

/**
 * Acquire and release of a lock that nobody else wants, against the raw pair `SET NX PX` and `EVALSHA`, one at a time and
 * 64 at once: batches that alternate, and the median of the ratios of neighbours.
 * @param {{ server: { port: number, url: string } }} places @param {(share: number) => void} onProgress @param {AbortSignal} signal
 * @returns {Promise<import('../figures/figure.mjs').Figure[]>}
 */
export async function uncontended({ server }, onProgress, signal) {
  const client = connect(server);
  const nodeRedis = await createClient({ url: server.url }).connect();
  const figures = [];
  try {
    const own = (name) => {
      const lock = new RedisLock(name, { client: nodeRedis, ttl: 10_000 });
      return async () => {
        const lease = await lock.acquire();
        return () => lease.release();
      };
    };
    const contests = [
      ['mortise, ioredis', await kindOf('raw', [client]), await kindOf('mortise', [client])],
      ['mortise, node-redis', await rawOf(nodeRedis), own],
    ];
    for (const peer of peers)
      contests.push([peer, await kindOf('raw', [client]), await kindOf(peer, [client])]);
    for (const [index, [what, raw, maker]] of contests.entries()) {
      for (const [place, [atOnce, bound]] of [
        [1, 0.9],
        [64, 0.75],
      ].entries()) {
        onProgress((index * 2 + place) / (contests.length * 2));
        signal.throwIfAborted();
        const name = `uncontended ${what}, ${atOnce === 1 ? 'one at a time' : `${atOnce} at once`}: rate against the raw pair`;
        if (maker === null) {
          figures.push(missing(name, notInstalled));
          continue;
        }
        const { ratio, detail } = await compare(raw, maker, atOnce);
        figures.push(
          what.startsWith('mortise')
            ? atLeast(name, ratio, bound, { detail })
            : unbounded(name, ratio, detail),
        );
      }
    }
  } finally {
    client.disconnect();
    nodeRedis.destroy();
  }
  return figures;
}

async function rawOf(client) {
  const sha = await client.scriptLoad(
    "if redis.call('GET',KEYS[1])==ARGV[1] then return redis.call('DEL',KEYS[1]) end return 0",
  );
  let count = 0;
  return (name) => async () => {
    const token = `${process.pid}-${++count}`;
    await client.set(name, token, { condition: 'NX', expiration: { type: 'PX', value: 10_000 } });
    return () => client.evalSha(sha, { keys: [name], arguments: [token] });
  };
}

async function compare(raw, maker, atOnce) {
  const sides = [raw, maker].map((side, place) =>
    Array.from({ length: atOnce }, (_, index) => side(`uncontended-${place}-${index}`)),
  );
  const times = [[], []];
  for (let round = -2; round < ROUNDS; round++)
    for (const [place, acquires] of sides.entries()) {
      const begin = performance.now();
      await Promise.all(acquires.map((acquire) => repeat(acquire, PAIRS / atOnce)));
      if (round >= 0) times[place].push((performance.now() - begin) / PAIRS);
    }
  const ratio = median(times[0].map((time, round) => time / times[1][round]));
  return { ratio, detail: `${duration(median(times[1]))} a pair against ${duration(median(times[0]))}` };
}

async function repeat(acquire, times) {
  for (let count = 0; count < times; count++) await (await acquire())();
}
