/** Which package a client is of, told by the methods it has, so that no version of one is needed to compile or to load. */
import { checkObject, show } from '../deadline.js';
import { UnsupportedError } from '../errors.js';
import type { IoRedisClient } from './ioredis.js';
import type { NodeRedisClient } from './node-redis.js';

/** A connected client: node-redis 5 or later (client, cluster or sentinel), or ioredis 5 or later (Redis or Cluster). */
export type RedisClient = NodeRedisClient | IoRedisClient;

export function isNodeRedis(client: object): client is NodeRedisClient {
  return 'evalSha' in client && typeof client.evalSha === 'function';
}

export function isIoRedis(client: object): client is IoRedisClient {
  return 'evalsha' in client && typeof client.evalsha === 'function' && 'status' in client;
}

/**
 * Of node-redis. Its connections are told from one another by nobody: what is asked of it comes in any order, nothing can be
 * heard, and which server it is for it does not say.
 */
function isPool(client: object): boolean {
  return 'execute' in client && !('nodeClient' in client) && !('getSentinelNode' in client);
}

/** @throws TypeError if it is no client; UnsupportedError if it is a pool of them. */
export function checkClient(client: unknown, what: string): asserts client is RedisClient {
  checkObject(client, what);
  if (!isNodeRedis(client) && !isIoRedis(client))
    throw new TypeError(`${what} must be a client of node-redis or ioredis, not ${show(client)}`);
  if (isPool(client))
    throw new UnsupportedError(
      `${what} is a pool: give a client, whose one connection all locks share (createClient, not createClientPool)`,
    );
}
