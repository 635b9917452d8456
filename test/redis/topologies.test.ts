// What is not one server: a cluster, and a server with a replica and a sentinel that promotes it.
import { Cluster, Redis } from 'ioredis';
import { Cluster as Cluster5, Redis as Redis5 } from 'ioredis-5';
import { createCluster, createSentinel } from 'redis';
import { createCluster as createCluster5, createSentinel as createSentinel5 } from 'redis-5';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { redisBackend, RedisLock, RedisReadWriteLock, RedisSemaphore, type RedisClient } from 'mortise/redis';
import { until } from '../fixtures/until.ts';
import { RedisServer } from './server.mjs';

const ends: (() => unknown)[] = [];
let cluster: Awaited<ReturnType<typeof RedisServer.startCluster>>;
let watched: Awaited<ReturnType<typeof RedisServer.startSentinel>>;

beforeAll(async () => {
  [cluster, watched] = await Promise.all([RedisServer.startCluster(), RedisServer.startSentinel()]);
}, 120_000);
afterAll(async () => {
  for (const end of ends) end();
  await Promise.all([...cluster, watched.main, watched.replica, watched.sentinel].map((it) => it.end()));
});

function used<C extends { on(event: 'error', listener: () => void): unknown }>(
  client: C,
  end: () => unknown,
): C {
  client.on('error', () => {});
  ends.push(end);
  return client;
}

const clusters: Record<string, () => Promise<RedisClient>> = {
  'node-redis 6': async () => {
    const client = createCluster({ rootNodes: cluster.map(({ url }) => ({ url })) });
    await used(client, () => client.destroy()).connect();
    return client;
  },
  'node-redis 5': async () => {
    const client = createCluster5({ rootNodes: cluster.map(({ url }) => ({ url })) });
    await used(client, () => client.destroy()).connect();
    return client;
  },
  'ioredis 6': async () => {
    const client = new Cluster(cluster.map(({ port }) => ({ host: '127.0.0.1', port })));
    return used(client, () => client.disconnect());
  },
  'ioredis 5': async () => {
    const client = new Cluster5(cluster.map(({ port }) => ({ host: '127.0.0.1', port })));
    return used(client, () => client.disconnect());
  },
};

const sentinels: Record<string, () => Promise<RedisClient>> = {
  'node-redis 6': async () => {
    const sentinelRootNodes = [{ host: '127.0.0.1', port: watched.sentinel.port }];
    const client = createSentinel({ name: 'main', sentinelRootNodes, scanInterval: 200 });
    await used(client, () => client.destroy()).connect();
    return client;
  },
  'node-redis 5': async () => {
    const sentinelRootNodes = [{ host: '127.0.0.1', port: watched.sentinel.port }];
    const client = createSentinel5({ name: 'main', sentinelRootNodes, scanInterval: 200 });
    await used(client, () => client.destroy()).connect();
    return client;
  },
  'ioredis 6': async () => {
    const client = new Redis({
      name: 'main',
      sentinels: [{ host: '127.0.0.1', port: watched.sentinel.port }],
    });
    return used(client, () => client.disconnect());
  },
  'ioredis 5': async () => {
    const client = new Redis5({
      name: 'main',
      sentinels: [{ host: '127.0.0.1', port: watched.sentinel.port }],
    });
    return used(client, () => client.disconnect());
  },
};

/** That two clients exclude and wake each other, in every way that touches keys. */
async function workTogether(one: RedisClient, other: RedisClient, name: string): Promise<void> {
  const locks = [one, other].map((client) => [
    new RedisLock(name, { client, ttl: 2000 }),
    new RedisSemaphore(name, { client, permits: 1, ttl: 2000 }),
    new RedisReadWriteLock(name, { client, ttl: 2000 }).writer,
  ]) as [RedisLock[], RedisLock[]];
  for (const [place, lock] of locks[0].entries()) {
    const rival = locks[1][place]!;
    const lease = await lock.acquire();
    await lease.extend();
    expect(await rival.tryAcquire()).toBeNull();
    const waiting = rival.acquire();
    await until(async () => (await lock.info()).waiters === 1, 'it waits');
    expect(await lease.release()).toBe(true);
    const next = await waiting;
    expect(next.held).toBe(true);
    expect(await next.release()).toBe(true);
    expect(await lock.isLocked()).toBe(false);
  }
}

describe('a cluster', () => {
  test.each(Object.keys(clusters))('keeps the keys of a lock together (%s)', async (kind) => {
    const [one, other] = [await clusters[kind]!(), await clusters[kind]!()];
    // Names of all three shards.
    for (const name of ['a', 'b', 'c', '}', '{x}']) await workTogether(one, other, `${kind}-${name}`);
  });

  test.each(Object.keys(clusters))('is told by what it is (%s)', async (kind) => {
    expect(redisBackend({ client: await clusters[kind]!() }).id).toBe('redis-cluster');
  });

  test('closes the connection for messages when nobody waits any more', async () => {
    const client = await clusters['node-redis 6']!();
    const lock = new RedisLock('quiet', { client });
    const lease = await lock.acquire();
    const waiting = lock.acquire();
    await until(async () => (await lock.info()).waiters === 1, 'it waits');
    await until(async () => (await subscribers()) > 0, 'it listens');
    await lease.release();
    await (await waiting).release();
    await until(async () => (await subscribers()) === 0, 'it listens no more');
  });

  async function subscribers(): Promise<number> {
    const lists = await Promise.all(cluster.map((node) => node.send('CLIENT LIST TYPE pubsub')));
    return lists.join('').split('id=').length - 1;
  }
});

describe('a server with a replica and a sentinel', () => {
  test.each(Object.keys(sentinels))('works like one server (%s)', async (kind) => {
    await workTogether(await sentinels[kind]!(), await sentinels[kind]!(), kind);
  });

  test.each(Object.keys(sentinels))('is told by what it is (%s)', async (kind) => {
    expect(redisBackend({ client: await sentinels[kind]!() }).id).toMatch(/^redis-sentinel(:main)?$/);
  });

  test('goes on with the replica after a failover, and fences grow', async () => {
    const client = await sentinels['ioredis 6']!();
    const lock = new RedisLock('failover', { client, ttl: 60_000 });
    const lease = await lock.acquire();
    expect(await lease.release()).toBe(true);
    await watched.main.kill();
    const next = await lock.acquire({ timeout: 25_000 });
    expect(next.fence > lease.fence).toBe(true);
    expect(await next.release()).toBe(true);
  });
});
