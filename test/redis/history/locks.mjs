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
  undefined,
  async (url) => {
    const client = createClient({ url });
    client.on('error', () => {});
    await client.connect();
    return client;
  },
  async (url) => {
    const client = new Redis(url);
    client.on('error', () => {});
    return client;
  },
];

/** The options that say where the servers are. */
async function placeOf(urls, number) {
  const connect = clients[number % clients.length];
  const [url] = urls;
  if (connect === undefined) return urls.length === 1 ? { url } : { urls };
  if (urls.length === 1) return { client: await connect(url) };
  return { clients: await Promise.all(urls.map(connect)) };
}

/** @returns {Promise<Subject[]>} */
export async function subjectsOf({ kind, urls, number, ttl }) {
  if (kind === 'etcd') return etcdSubjects(urls[0], ttl);
  if (kind !== 'mortise') {
    const client = await clients[1](urls[0]);
    const acquire = simpleLock(kind, client, 'lock', ttl);
    return [{ lock: 'lock', weight: 1, capacity: 1, fenced: true, acquire }];
  }
  const place = await placeOf(urls, number);
  // A thread needs a URL.
  const isOurs = clients[number % clients.length] === undefined;
  const options = { ...place, ttl, renewIn: isOurs && number % 2 === 0 ? 'thread' : 'loop' };
  const lock = new RedisLock('lock', options);
  const impatient = new RedisLock('lock', { ...options, autoExtend: false });
  if (urls.length > 1) return oneAtATime(lock, impatient);
  return [
    ...oneAtATime(lock, impatient),
    ...several(
      new RedisReadWriteLock('table', options),
      new RedisSemaphore('permits', { ...options, permits: PERMITS }),
    ),
  ];
}

function etcdSubjects(url, ttl) {
  const options = { client: new EtcdClient({ endpoints: url.split(',') }), ttl };
  return [
    ...oneAtATime(new EtcdLock('lock', options), new EtcdLock('lock', { ...options, autoExtend: false })),
    ...several(
      new EtcdReadWriteLock('table', options),
      new EtcdSemaphore('permits', { ...options, permits: PERMITS }),
    ),
  ];
}

/** @returns {Subject[]} */
function oneAtATime(lock, impatient) {
  const one = { lock: 'lock', weight: 1, capacity: 1, fenced: true };
  return [
    { ...one, acquire: (wanted) => lock.acquire(wanted) },
    { ...one, acquire: (wanted) => lock.acquire(wanted) },
    { ...one, acquire: (wanted) => impatient.acquire(wanted) },
  ];
}

/** @returns {Subject[]} */
function several(table, semaphore) {
  const rows = { lock: 'table', capacity: ALL, fenced: true };
  const permits = { lock: 'permits', capacity: PERMITS, fenced: false };
  return [
    { ...rows, weight: 1, acquire: (wanted) => table.acquireRead(wanted) },
    { ...rows, weight: 1, acquire: (wanted) => table.acquireRead(wanted) },
    { ...rows, weight: ALL, acquire: (wanted) => table.acquireWrite(wanted) },
    { ...permits, weight: 1, acquire: (wanted) => semaphore.acquire({ ...wanted, weight: 1 }) },
    { ...permits, weight: 3, acquire: (wanted) => semaphore.acquire({ ...wanted, weight: 3 }) },
  ];
}
