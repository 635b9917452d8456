/** ioredis, from version 5 on: a Redis, which may be behind Sentinel, or a Cluster. */
import type { Driver } from './driver.js';
import { retryDelay, type OwnClient } from './own-client.js';
import { runner } from './script.js';

/** What the locks use of it. */
export interface IoRedisClient {
  eval(script: string, numberOfKeys: number, ...keysAndArguments: string[]): Promise<unknown>;
  evalsha(sha: string, numberOfKeys: number, ...keysAndArguments: string[]): Promise<unknown>;
  readonly status: string;
}

interface Waiting {
  wait(replicas: number, timeout: number): Promise<number>;
}

/** A connection that messages arrive on. */
interface Listening {
  subscribe(channel: string): Promise<unknown>;
  unsubscribe(channel: string): Promise<unknown>;
  on(event: string, listener: (...values: never[]) => void): unknown;
  off(event: string, listener: (...values: never[]) => void): unknown;
  disconnect(): void;
}

/** `another` makes a client for messages. */
export function ioRedisDriver(
  client: IoRedisClient,
  another: () => Listening = () => duplicate(client),
): Driver {
  return {
    run: runner(
      ({ sha }, keys, args) => client.evalsha(sha, keys.length, ...keys, ...args),
      ({ text }, keys, args) => client.eval(text, keys.length, ...keys, ...args),
    ),

    async subscribe(channel, onMessage) {
      // A cluster has a connection of its own for messages; it needs no second set of connections to all nodes.
      const isOne = !isCluster(client);
      const connection = !isOne ? (client as unknown as Listening) : another();
      const listener = (from: string, message: string): void => {
        if (from === channel) onMessage(message);
      };
      // It connects again by itself.
      if (isOne) connection.on('error', () => {});
      connection.on('message', listener);
      const close = async (): Promise<void> => {
        connection.off('message', listener);
        if (isOne) connection.disconnect();
        else await connection.unsubscribe(channel);
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

    // Of a cluster nobody knows which connection it was that wrote.
    ...(!isCluster(client) && {
      replicas: (count: number, timeout: number) => (client as unknown as Waiting).wait(count, timeout),
    }),
  };
}

function isCluster(client: IoRedisClient): boolean {
  return 'isCluster' in client && client.isCluster === true;
}

/** What it subscribes to is asked before it is connected, which a client without a queue would refuse. */
function duplicate(client: IoRedisClient): Listening {
  const origin = client as unknown as { duplicate(options: object): Listening };
  return origin.duplicate({ enableOfflineQueue: true });
}

interface Referable {
  ref(): void;
  unref(): void;
}

/** What clients of our own are made with. */
export interface IoRedisPackage {
  Redis: new (
    url: string,
    options: object,
  ) => IoRedisClient & Listening & { connect(): Promise<unknown>; readonly stream?: Referable };
}

export function ioRedisMaker({ Redis }: IoRedisPackage): (url: string) => OwnClient {
  const make = (url: string, isReferenced: () => boolean): InstanceType<typeof Redis> => {
    let wasReady = false;
    const retryStrategy = (retries: number): number | null => (wasReady ? retryDelay(retries) : null);
    const client = new Redis(url, { lazyConnect: true, maxRetriesPerRequest: null, retryStrategy });
    client.on('error', () => {});
    client.on('ready', () => (wasReady = true));
    // Each time it connects, that is another stream.
    client.on('connect', () => setReferenced(client.stream, isReferenced()));
    return client;
  };
  return (url) => {
    let isReferenced = true;
    const client = make(url, () => isReferenced);
    return {
      driver: ioRedisDriver(client, () => make(url, () => false)),
      connected: connect(client),
      setReferenced(itIs) {
        isReferenced = itIs;
        setReferenced(client.stream, itIs);
      },
      close: () => client.disconnect(),
    };
  };
}

function setReferenced(stream: Referable | undefined, isReferenced: boolean): void {
  if (isReferenced) stream?.ref();
  else stream?.unref();
}

/** It rejects by itself too, and does not say why. */
async function connect(client: InstanceType<IoRedisPackage['Redis']>): Promise<void> {
  let reason: unknown;
  const note = (error: unknown): void => void (reason ??= error);
  client.on('error', note);
  try {
    await client.connect();
  } catch (error) {
    throw reason ?? error;
  } finally {
    client.off('error', note);
  }
}
