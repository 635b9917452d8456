/** What a worker contends for: the locks of this package, or ones that are broken on purpose. */
import { Redis } from 'ioredis';
import { createClient } from 'redis';
import { RedisLock, RedisReadWriteLock, RedisSemaphore } from 'mortise/redis';
import { EtcdClient, EtcdLock, EtcdReadWriteLock, EtcdSemaphore } from 'mortise/etcd';
import { simpleLock } from './simple-lock.mjs';

const PERMITS = 4;
/** Any number that is larger than that of readers. */
const ALL = 1000;

/**
 * @typedef {object} Subject One way to have a lock
 * @property {string} lock
 * @property {number} weight what it takes of
 * @property {number} capacity all there is
 * @property {boolean} fenced
 * @property {(options: { timeout?: number }) => Promise<any>} acquire
 */

/** The package's own connection, and both kinds of clients. */
const clients = [
  async (url) => ({ url }),
  async (url) => {
    const client = createClient({ url });
    client.on('error', () => {});
    await client.connect();
    return { client };
  },
  async (url) => {
    const client = new Redis(url);
    client.on('error', () => {});
    return { client };
  },
];

/** @returns {Promise<Subject[]>} */
export async function subjectsOf({ kind, url, number, ttl }) {
  if (kind === 'etcd') return etcdSubjects(url, ttl);
  const place = await clients[number % clients.length](url);
  if (kind !== 'mortise') {
    const { client } = await clients[1](url);
    const acquire = simpleLock(kind, client, 'lock', ttl);
    return [{ lock: 'lock', weight: 1, capacity: 1, fenced: true, acquire }];
  }
  // A thread needs a URL.
  const options = { ...place, ttl, renewIn: 'url' in place && number % 2 === 0 ? 'thread' : 'loop' };
  return subjects({
    lock: new RedisLock('lock', options),
    impatient: new RedisLock('lock', { ...options, autoExtend: false }),
    table: new RedisReadWriteLock('table', options),
    semaphore: new RedisSemaphore('permits', { ...options, permits: PERMITS }),
  });
}

function etcdSubjects(url, ttl) {
  const options = { client: new EtcdClient({ endpoints: url.split(',') }), ttl };
  return subjects({
    lock: new EtcdLock('lock', options),
    impatient: new EtcdLock('lock', { ...options, autoExtend: false }),
    table: new EtcdReadWriteLock('table', options),
    semaphore: new EtcdSemaphore('permits', { ...options, permits: PERMITS }),
  });
}

/** @returns {Subject[]} */
function subjects({ lock, impatient, table, semaphore }) {
  const one = { lock: 'lock', weight: 1, capacity: 1, fenced: true };
  const rows = { lock: 'table', capacity: ALL, fenced: true };
  const permits = { lock: 'permits', capacity: PERMITS, fenced: false };
  return [
    { ...one, acquire: (wanted) => lock.acquire(wanted) },
    { ...one, acquire: (wanted) => lock.acquire(wanted) },
    { ...one, acquire: (wanted) => impatient.acquire(wanted) },
    { ...rows, weight: 1, acquire: (wanted) => table.acquireRead(wanted) },
    { ...rows, weight: 1, acquire: (wanted) => table.acquireRead(wanted) },
    { ...rows, weight: ALL, acquire: (wanted) => table.acquireWrite(wanted) },
    { ...permits, weight: 1, acquire: (wanted) => semaphore.acquire({ ...wanted, weight: 1 }) },
    { ...permits, weight: 3, acquire: (wanted) => semaphore.acquire({ ...wanted, weight: 3 }) },
  ];
}
