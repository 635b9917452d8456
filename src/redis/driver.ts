/**
 * What the locks need of a Redis client: to run a script, and to hear what is published.
 */
import { checkClient, isNodeRedis } from './client-kind.js';
import { ioRedisDriver } from './ioredis.js';
import { nodeRedisDriver } from './node-redis.js';
import type { Script } from './script.js';

export interface Driver {
  /** Runs a script, in one round trip unless the server has forgotten it; `read` makes sense of its reply. Never throws. */
  run<T>(script: Script, keys: string[], args: string[], read: (reply: unknown) => T): Promise<T>;
  /** Resolves when messages of the channel arrive from now on; its value ends that. */
  subscribe(channel: string, onMessage: (message: string) => void): Promise<() => Promise<unknown>>;
  /** Has the user closed the client, so that it will never answer again? */
  isClosed(): boolean;
  /** How many replicas have all that was asked for before, after `timeout` ms at the most; not every client can tell. */
  replicas?(count: number, timeout: number): Promise<number>;
  /** Says that a hold depends on it, if that matters; what it returns ends that. */
  keep?(): () => void;
}

const drivers = new WeakMap<object, Driver>();

/** The driver of a client, always the same one. @throws TypeError if it is no client. */
export function driverOf(client: unknown, what: string): Driver {
  checkClient(client, what);
  let driver = drivers.get(client);
  if (driver === undefined) {
    driver = isNodeRedis(client) ? nodeRedisDriver(client) : ioRedisDriver(client);
    drivers.set(client, driver);
  }
  return driver;
}
