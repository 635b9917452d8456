// A process that contends for a lock and does what its test tells it: node peer.mjs URL NAME TTL
import { once } from 'node:events';
import { createClient } from 'redis';
import { RedisLock } from 'mortise/redis';

const [url, name, ttl] = process.argv.slice(2);
const client = createClient({ url });
client.on('error', () => {});
await client.connect();
const lock = new RedisLock(name, { client, ttl: Number(ttl) });
let lease;

const orders = {
  async acquire() {
    lease = await lock.acquire();
    lease.signal.addEventListener('abort', () => process.send({ event: 'lost' }));
    return { fence: String(lease.fence), abandoned: lease.abandoned };
  },
  /** What comes of an acquire that waits for 300 ms at the most. */
  async acquireWithin() {
    const begin = performance.now();
    const { code } = await lock.acquire({ timeout: 300 }).catch((error) => error);
    return { code, waited: performance.now() - begin };
  },
  clock: () => Date.now(),
  state: () => ({ held: lease.held, remaining: lease.remaining, aborted: lease.signal.aborted }),
  release: () => lease.release(),
  /** Loses the lease, and tells what Node.js has to say about that. */
  async forget() {
    const warned = once(process, 'warning');
    lease = undefined;
    const collecting = setInterval(globalThis.gc, 10);
    const [{ code, message }] = await warned;
    clearInterval(collecting);
    return { code, message };
  },
  /** Leaves it to itself to end. */
  async finish() {
    await client.close();
    process.disconnect();
  },
};

process.on('message', async (order) => {
  const value = await orders[order]();
  if (process.connected) process.send({ order, value });
});
process.send({ event: 'ready' });
