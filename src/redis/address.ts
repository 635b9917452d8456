/** What a server is called: the same text in every process that says the same of it, and never a password. */
import type { RedisClient } from './client-kind.js';
import type { RedisPlace } from './place.js';

const PORT = 6379;

/** What clients are made with, as they keep it: node-redis, then ioredis. */
interface ClientOptions {
  socket?: { host?: string; port?: number; path?: string };
  database?: number;
  host?: string;
  port?: number;
  path?: string;
  db?: number;
  name?: string;
  sentinels?: object | null;
}

export function addressOf({ client, url }: RedisPlace): string {
  if (url === undefined) return addressOfClient(client);
  const { hostname, port, pathname } = new URL(url);
  return addressOn(hostname, Number(port || PORT), Number(pathname.slice(1) || 0));
}

function addressOfClient(client: RedisClient): string {
  const { options } = client as { options?: ClientOptions };
  if ('getSentinelNode' in client) return 'redis-sentinel';
  if (options?.sentinels) return `redis-sentinel:${options.name ?? ''}`;
  if ('nodeClient' in client || ('isCluster' in client && client.isCluster)) return 'redis-cluster';
  const { host = 'localhost', port = PORT, path } = options?.socket ?? options ?? {};
  const database = options?.database ?? options?.db ?? 0;
  return path ? `redis:${path}/${database}` : addressOn(host, port, database);
}

function addressOn(host: string, port: number, database: number): string {
  return `redis://${host.toLowerCase()}:${port}/${database}`;
}
