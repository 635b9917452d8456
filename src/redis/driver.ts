/**
 * What the locks need of a Redis client: to run a script, and to hear what is published. The user's client is told
 * by the methods it has, so that no version or package of one is needed to compile or to load this one.
 */
import { checkObject, show } from '../deadline.js';
import { isIoRedis, ioRedisDriver, type IoRedisClient } from './ioredis.js';
import { isNodeRedis, nodeRedisDriver, type NodeRedisClient } from './node-redis.js';
import type { Script } from './script.js';

/** A connected client: node-redis 5 or later (client, cluster or sentinel), or ioredis 5 or later (Redis or Cluster). */
export type RedisClient = NodeRedisClient | IoRedisClient;

export interface Driver {
  /** Runs a script in one round trip, or two if the server does not know it. */
  run(script: Script, keys: string[], args: string[]): Promise<unknown>;
  /** Resolves when messages of the channel arrive from now on; its value ends that. */
  subscribe(channel: string, onMessage: (message: string) => void): Promise<() => Promise<unknown>>;
  /** Has the user closed the client, so that it will never answer again? */
  isClosed(): boolean;
  /** Says that a hold depends on it, if that matters; what it returns ends that. */
  keep?(): () => void;
}

const drivers = new WeakMap<object, Driver>();

/** The driver of a client, always the same one. @throws TypeError if it is no client. */
export function driverOf(client: unknown, what: string): Driver {
  checkObject(client, what);
  let driver = drivers.get(client);
  if (driver === undefined) {
    if (isNodeRedis(client)) driver = nodeRedisDriver(client);
    else if (isIoRedis(client)) driver = ioRedisDriver(client);
    else throw new TypeError(`${what} must be a client of node-redis or ioredis, not ${show(client)}`);
    drivers.set(client, driver);
  }
  return driver;
}
