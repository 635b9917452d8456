// A process that contends for a lock and does what its test tells it: node peer.mjs ENDPOINTS NAME TTL
import process from 'node:process';
import { EtcdClient, EtcdLock } from 'mortise/etcd';

const [endpoints, name, ttl] = process.argv.slice(2);
const client = new EtcdClient({ endpoints: endpoints.split(',') });
const lock = new EtcdLock(name, { client, ttl: Number(ttl) });
let lease;

const orders = {
  async acquire() {
    lease = await lock.acquire();
    lease.signal.addEventListener('abort', () => process.send({ event: 'lost' }));
    return { fence: String(lease.fence), abandoned: lease.abandoned };
  },
  state: () => ({ held: lease.held, remaining: lease.remaining, aborted: lease.signal.aborted }),
  release: () => lease.release(),
  /** Leaves it to itself to end: nothing is closed. */
  finish: () => process.disconnect(),
};

process.on('message', async (order) => {
  const value = await orders[order]();
  if (process.connected) process.send({ order, value });
});
process.send({ event: 'ready' });
