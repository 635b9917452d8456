import { Redis } from 'ioredis';
import { Redis as Redis5 } from 'ioredis-5';
import { createClient } from 'redis';
import { createClient as createClient5 } from 'redis-5';
import { afterAll } from 'vitest';
import type { RedisClient } from 'mortise/redis';

/** Every client that is supported, as its user connects it. */
export const kinds: Record<string, (url: string) => Promise<[RedisClient, () => unknown]>> = {
  'node-redis 6': async (url) => {
    const client = createClient({ url });
    client.on('error', () => {});
    await client.connect();
    return [client, () => client.destroy()];
  },
  'node-redis 5': async (url) => {
    const client = createClient5({ url });
    client.on('error', () => {});
    await client.connect();
    return [client, () => client.destroy()];
  },
  'ioredis 6': async (url) => {
    const client = new Redis(url);
    client.on('error', () => {});
    return [client, () => client.disconnect()];
  },
  'ioredis 5': async (url) => {
    const client = new Redis5(url);
    client.on('error', () => {});
    return [client, () => client.disconnect()];
  },
};

const connected = new Set<() => unknown>();

/** A client that is closed with the tests of the file. */
export async function connect(url: string, kind = 'node-redis 6'): Promise<RedisClient> {
  const open = kinds[kind];
  if (open === undefined) throw new Error(`No kind of client: ${kind}`);
  const [client, close] = await open(url);
  connected.add(close);
  return client;
}

afterAll(() => {
  for (const close of connected) close();
});
