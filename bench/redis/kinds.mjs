import { Redis } from 'ioredis';
import { RedisLock } from 'mortise/redis';

/**
 * What is compared: how each takes one lock through an ioredis client. Every kind is made for one client, or for several
 * servers, and gives a function that acquires and resolves with what releases.
 * @typedef {(name: string) => () => Promise<() => Promise<unknown>>} Maker
 */

const ttl = 10_000;
const RELEASE = "if redis.call('GET',KEYS[1])==ARGV[1] then return redis.call('DEL',KEYS[1]) end return 0";

/** @param {Redis[]} clients @param {number} [time] ms that a lock lasts @returns {Promise<Maker>} */
async function mortise(clients, time = ttl) {
  const options = clients.length === 1 ? { client: clients[0] } : { clients };
  return (name) => {
    const lock = new RedisLock(name, { ...options, ttl: time });
    return async () => {
      const lease = await lock.acquire();
      return () => lease.release();
    };
  };
}

/** The two commands without which there is no lock with an owner. It waits for nobody. */
async function raw([client]) {
  const sha = await client.script('LOAD', RELEASE);
  let count = 0;
  return (name) => async () => {
    const token = `${process.pid}-${++count}`;
    await client.set(name, token, 'PX', ttl, 'NX');
    return () => client.evalsha(sha, 1, name, token);
  };
}

/** A list with one element: the shortest queue there is. Nobody puts the element back for a process that dies. */
async function blpop([client]) {
  return (name) => async () => {
    await client.blpop(name, 0);
    return () => client.rpush(name, 'free');
  };
}

async function redlock(clients, time = ttl) {
  const { default: Redlock } = await import('redlock');
  const redlock = new Redlock(clients, { retryCount: -1 });
  redlock.on('error', () => {});
  return (name) => async () => {
    const lock = await redlock.acquire([name], time);
    return () => lock.release();
  };
}

async function redisSemaphore([client]) {
  const { Mutex } = await import('redis-semaphore');
  return (name) => async () => {
    const mutex = new Mutex(client, name, { lockTimeout: ttl, acquireTimeout: 60_000 });
    await mutex.acquire();
    return () => mutex.release();
  };
}

async function redlockUniversal([client]) {
  const { IoredisAdapter, createLock } = await import('redlock-universal');
  const adapter = new IoredisAdapter(client);
  return (name) => {
    const lock = createLock({ adapter, key: name, ttl, retryAttempts: 10_000 });
    return async () => {
      const handle = await lock.acquire();
      return () => lock.release(handle);
    };
  };
}

const makers = {
  mortise,
  raw,
  blpop,
  redlock,
  'redis-semaphore': redisSemaphore,
  'redlock-universal': redlockUniversal,
};

/** The peers, which are optional: see `bench/peers`. */
export const peers = ['redlock', 'redis-semaphore', 'redlock-universal'];

/** @param {string} kind @param {Redis[]} clients @param {number} [time] @returns {Promise<Maker | null>} null: it is not installed */
export async function kindOf(kind, clients, time) {
  try {
    return await makers[kind](clients, time);
  } catch (error) {
    if (error.code === 'ERR_MODULE_NOT_FOUND') return null;
    throw error;
  }
}

/** @param {{ port: number }} server */
export function connect({ port }) {
  const client = new Redis({ port });
  client.on('error', () => {});
  return client;
}

/** What a kind needs at the server before its first lock. @param {string} kind @param {Redis} client @param {string} name */
export async function prepare(kind, client, name) {
  if (kind === 'blpop') await client.multi().del(name).rpush(name, 'free').exec();
}

export const notInstalled =
  'it is not installed: it needs a newer Node.js, or npm ci without --omit=optional';
