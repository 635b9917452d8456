/** ioredis, from version 5 on: a Redis, which may be behind Sentinel, or a Cluster. */
import type { Driver } from './driver.js';
import { isUnknownScript, type Script } from './script.js';

/** What the locks use of it. */
export interface IoRedisClient {
  eval(script: string, numberOfKeys: number, ...keysAndArguments: string[]): Promise<unknown>;
  evalsha(sha: string, numberOfKeys: number, ...keysAndArguments: string[]): Promise<unknown>;
  readonly status: string;
}

/** A connection that messages arrive on. */
interface Listening {
  subscribe(channel: string): Promise<unknown>;
  unsubscribe(channel: string): Promise<unknown>;
  on(event: string, listener: (...values: string[]) => void): unknown;
  off(event: string, listener: (...values: string[]) => void): unknown;
  disconnect(): void;
}

export function isIoRedis(client: object): client is IoRedisClient {
  return 'evalsha' in client && typeof client.evalsha === 'function' && 'status' in client;
}

export function ioRedisDriver(client: IoRedisClient): Driver {
  return {
    run({ sha, text }: Script, keys: string[], args: string[]) {
      return client.evalsha(sha, keys.length, ...keys, ...args).catch((error: unknown) => {
        if (!isUnknownScript(error)) throw error;
        return client.eval(text, keys.length, ...keys, ...args);
      });
    },

    async subscribe(channel, onMessage) {
      // A cluster has a connection of its own for messages; it needs no second set of connections to all nodes.
      const isCluster = (client as { isCluster?: unknown }).isCluster === true;
      const connection = (isCluster ? client : duplicate(client)) as unknown as Listening;
      const listener = (from: string, message: string): void => {
        if (from === channel) onMessage(message);
      };
      // It connects again by itself.
      if (!isCluster) connection.on('error', () => {});
      connection.on('message', listener);
      const close = async (): Promise<void> => {
        connection.off('message', listener);
        if (isCluster) await connection.unsubscribe(channel);
        else connection.disconnect();
      };
      try {
        await connection.subscribe(channel);
      } catch (error) {
        await close().catch(() => {});
        throw error;
      }
      return close;
    },

    isClosed: () => client.status === 'end',
  };
}

function duplicate(client: IoRedisClient): object {
  return (client as unknown as { duplicate(): object }).duplicate();
}
