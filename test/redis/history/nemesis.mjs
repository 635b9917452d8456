/** What goes wrong: each fault is made, kept up for a while, and taken back. */
import { setTimeout as sleep } from 'node:timers/promises';

/**
 * @typedef {object} World
 * @property {{ servers?: import('../server.mjs').RedisServer[], faults: object }} site
 * @property {import('../../stress/random.mjs').Random} random
 * @property {number} ttl
 * @property {boolean} forgets may a server lose what it knows?
 * @property {string[]} [faults] what goes wrong, if not everything
 * @property {() => any} anyWorker one with `proxies`, `pause()`, `resume()` and `replace()`
 * @property {(type: string, values?: object) => void} record
 */

/** Of the lines between a worker and the server, and of workers. */
const nearby = {
  async 'a slow line'(world) {
    const proxy = anyLine(world);
    proxy.delay = 20 + world.random.below(2 * world.ttl);
    await some(world, 1);
    proxy.delay = 0;
  },
  async 'requests that are lost'(world) {
    const proxy = anyLine(world);
    proxy.dropsRequests = true;
    await some(world, 0.7);
    proxy.dropsRequests = false;
    proxy.cut();
  },
  async 'answers that are lost'(world) {
    const proxy = anyLine(world);
    proxy.swallowsReplies = true;
    await some(world, 0.7);
    proxy.swallowsReplies = false;
    proxy.cut();
  },
  async 'a line that is cut'(world) {
    anyLine(world).cut();
  },
  async 'a line that is down'(world) {
    const proxy = anyLine(world);
    proxy.refuses = true;
    proxy.cut();
    await some(world, 1);
    proxy.refuses = false;
  },
  async 'a worker that is stopped'(world) {
    const worker = world.anyWorker();
    worker.pause();
    await some(world, 2);
    worker.resume();
  },
  async 'a worker that is killed'(world) {
    await world.anyWorker().replace();
  },
};

/** Of the server. */
export const central = {
  async 'a server that is stopped'(world) {
    const server = anyServer(world);
    server.pause();
    await some(world, 1);
    server.resume();
  },
  async 'a server that is restarted'(world) {
    const server = anyServer(world);
    await forgetting(world, async () => {
      await server.kill();
      await server.run();
    });
  },
  async 'scripts that are forgotten'(world) {
    await anyServer(world).send('SCRIPT FLUSH');
  },
};
export const amnesia = {
  async 'everything that is forgotten'(world) {
    await forgetting(world, () => anyServer(world).send('FLUSHALL'));
  },
};

/** Makes faults, nearby and at the server at the same time, until the time is up. */
export async function trouble(world, seconds) {
  const end = performance.now() + seconds * 1000;
  await Promise.all([loop(world, nearby, 100, end), loop(world, world.site.faults, 1000, end)]);
}

async function loop(world, known, pause, end) {
  const { random, faults = Object.keys(known) } = world;
  const possible = faults.filter((what) => what in known);
  if (possible.length === 0) return;
  for (;;) {
    await sleep(pause * (0.5 + random.next()));
    if (performance.now() >= end) return;
    const what = random.pick(possible);
    world.record('fault', { what });
    await known[what](world);
  }
}

function anyLine({ random, anyWorker }) {
  return random.pick(anyWorker().proxies);
}

function anyServer({ random, site }) {
  return random.pick(site.servers);
}

/** For so many ttls at the most. */
function some({ random, ttl }, most) {
  return sleep(ttl * most * random.next());
}

async function forgetting({ forgets, record }, act) {
  const from = process.hrtime.bigint();
  await act();
  if (forgets) record('amnesia', { from: Number(from) / 1e6, to: Number(process.hrtime.bigint()) / 1e6 });
}
