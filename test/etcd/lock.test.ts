import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { LockLostError } from 'mortise';
import { EtcdClient, EtcdLock } from 'mortise/etcd';
import { describeLease } from '../contract/lease.ts';
import { until } from '../fixtures/until.ts';
import { EtcdCluster } from './cluster.mjs';

let cluster: EtcdCluster;
let client: EtcdClient;
let other: EtcdClient;
let names = 0;
let name: string;
const base64 = (text: string): string => Buffer.from(text).toString('base64');

beforeAll(async () => {
  cluster = await EtcdCluster.start();
  client = new EtcdClient({ endpoints: cluster.endpoints });
  other = new EtcdClient({ endpoints: cluster.endpoints });
});
beforeEach(() => {
  name = `lock-${++names}`;
});
afterAll(async () => {
  await Promise.all([client.close(), other.close()]);
  await cluster.end();
});

const waiters = async (lock: EtcdLock, count: number): Promise<void> =>
  until(async () => (await lock.info()).waiters === count, `${count} wait`);

describeLease('an EtcdLock', () => ({
  lock: new EtcdLock(name, { client }),
  rival: new EtcdLock(name, { client: other }),
  expiring: new EtcdLock(name, { client: other, ttl: 1000, autoExtend: false }),
}));

describe('who excludes whom', () => {
  test('all who reach the cluster, by a client or by its endpoints', async () => {
    const [endpoint] = cluster.endpoints as [string];
    const locks = [
      new EtcdLock(name, { client }),
      new EtcdLock(name, { client: other }),
      new EtcdLock(name, { endpoints: endpoint }),
      new EtcdLock(name, { endpoints: new URL(endpoint) }),
      new EtcdLock(name, { endpoints: [endpoint] }),
    ];
    for (const holder of locks) {
      const lease = await holder.acquire();
      for (const lock of locks) expect(await lock.tryAcquire()).toBeNull();
      await lease.release();
    }
  });

  test('locks of other names and prefixes do not, whatever the names are made of', async () => {
    const names = ['a', 'A', 'a/b', 'a%2Fb', '/', '%', 'a/', ' ', 'ü', 'a\0b'];
    const locks = names.map((name) => new EtcdLock(name, { client }));
    locks.push(new EtcdLock('a', { client, prefix: 'other/' }), new EtcdLock('a', { client, prefix: '' }));
    const leases = await Promise.all(locks.map((lock) => lock.tryAcquire()));
    expect(leases.every((lease) => lease?.held)).toBe(true);
    for (const lease of leases) await lease?.release();
  });

  test('first come, first served between clients, even for those who try: by create revision', async () => {
    const clients = Array.from({ length: 4 }, () => new EtcdClient({ endpoints: cluster.endpoints }));
    const watching = new EtcdLock(name, { client });
    const held = await watching.acquire();
    const order: number[] = [];
    const fences: bigint[] = [held.fence];
    const waiting: Promise<unknown>[] = [];
    for (const [index, client] of clients.entries()) {
      waiting.push(
        new EtcdLock(name, { client }).withLock((lease) => {
          order.push(index);
          fences.push(lease.fence);
        }),
      );
      await waiters(watching, index + 1);
    }
    await held.release();
    expect(await watching.tryAcquire()).toBeNull();
    await Promise.all(waiting);
    expect(order).toEqual([0, 1, 2, 3]);
    expect(fences).toEqual([...fences].sort((a, b) => Number(a - b)));
    await Promise.all(clients.map((it) => it.close()));
  });

  test('etcdctl lock stands in the same queue', async () => {
    const lock = new EtcdLock(name, { client });
    const held = await lock.acquire();
    const child = spawn('etcdctl', ['--endpoints', cluster.endpoints[0]!, 'lock', `mortise/lock/${name}`], {
      env: { ...process.env, ETCDCTL_API: '3' },
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    const told = once(child.stdout, 'data');
    const exited = once(child, 'exit');
    await waiters(lock, 1);
    const next = new EtcdLock(name, { client: other }).acquire();
    await waiters(lock, 2);
    await held.release();
    expect(String((await told)[0])).toContain(`mortise/lock/${name}/`);
    expect(await lock.tryAcquire()).toBeNull();
    child.kill('SIGINT');
    await exited;
    await (await next).release();
  });
});

describe('the time it lasts', () => {
  test('it is renewed for as long as it is held, and no longer', async () => {
    const lease = await new EtcdLock(name, { client, ttl: 1000 }).acquire();
    const since = performance.now();
    while (performance.now() - since < 3500) {
      expect(lease.held).toBe(true);
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
    expect(lease.signal.aborted).toBe(false);
    expect(await lease.release()).toBe(true);
  });

  test('maxHold ends the renewals', async () => {
    const lock = new EtcdLock(name, { client, ttl: 1000, maxHold: 500 });
    const lease = await lock.acquire();
    await until(() => lease.signal.aborted, 'it is lost');
    expect((lease.signal.reason as Error).message).toContain('maxHold');
    expect(await lease.release()).toBe(false);
    const next = await lock.acquire();
    expect(next.abandoned).toBe(true);
    await next.release();
  });

  test('an event loop that was blocked for longer than that finds it lost at once', async () => {
    const lock = new EtcdLock(name, { client, ttl: 1000 });
    const lease = await lock.acquire();
    const { remaining } = lease;
    const until = performance.now() + remaining + 50;
    while (performance.now() < until);
    expect(lease.held).toBe(false);
    expect(lease.remaining).toBe(0);
    expect(lease.signal.aborted).toBe(true);
    expect(lease.signal.reason).toBeInstanceOf(LockLostError);
    expect(await lease.release()).toBe(false);
  });

  test('extend() moves one hold to another time, and no other', async () => {
    const lease = await new EtcdLock(name, { client, ttl: 2000 }).acquire();
    const neighbour = await new EtcdLock(`${name}-2`, { client, ttl: 2000 }).acquire();
    const [{ fence, createRevision }, before] = [lease, neighbour.remaining];
    await lease.extend(50_000);
    expect(lease.remaining).toBeGreaterThan(20_000);
    expect(neighbour.remaining).toBeLessThan(before + 2000);
    await lease.extend(3000);
    expect(lease.remaining).toBeLessThan(3000);
    expect([lease.fence, lease.createRevision]).toEqual([fence, createRevision]);
    expect(await lease.release()).toBe(true);
    expect(await neighbour.release()).toBe(true);
  });

  test('a lease that somebody revokes is found lost by the next renewal, and the next holder is told', async () => {
    const own = new EtcdClient({ endpoints: cluster.endpoints });
    const lease = await new EtcdLock(name, { client: own, ttl: 3000 }).acquire();
    const { kvs } = (await cluster.members[0]!.ask('kv/range', { key: base64(lease.key) })) as {
      kvs: { lease: string }[];
    };
    await cluster.members[0]!.ask('lease/revoke', { ID: kvs[0]!.lease });
    const next = await new EtcdLock(name, { client }).acquire();
    expect(next.abandoned).toBe(true);
    await until(() => lease.signal.aborted, 'the holder is told');
    expect((lease.signal.reason as Error).message).toContain('revoked');
    await next.release();
    await own.close();
  });
});

test('a session whose lease somebody revoked is replaced, also for those who only try', async () => {
  const own = new EtcdClient({ endpoints: cluster.endpoints });
  const lease = await new EtcdLock(name, { client: own }).acquire();
  const { kvs } = (await cluster.members[0]!.ask('kv/range', { key: base64(lease.key) })) as {
    kvs: { lease: string }[];
  };
  await cluster.members[0]!.ask('lease/revoke', { ID: kvs[0]!.lease });
  const tried = await new EtcdLock(`${name}-2`, { client: own }).tryAcquire();
  expect(tried?.held).toBe(true);
  await until(() => lease.signal.aborted, 'the holder is told');
  expect(tried?.held).toBe(true);
  expect(await tried?.release()).toBe(true);
  await own.close();
});

describe('isOwner', () => {
  const write = (lease: { isOwner: EtcdCompare }, value: string): Promise<{ succeeded?: boolean }> =>
    client.txn({
      compare: [lease.isOwner],
      success: [{ request_put: { key: base64(`data of ${name}`), value: base64(value) } }],
      failure: [],
    });
  type EtcdCompare = Parameters<EtcdClient['txn']>[0]['compare'][number];

  test('lets writes through while it is held, and not a revision longer, whatever the holder believes', async () => {
    const lock = new EtcdLock(name, { client });
    const lease = await lock.acquire();
    expect((await write(lease, 'mine')).succeeded).toBe(true);
    await lease.extend(5000);
    expect((await write(lease, 'mine after the extension')).succeeded).toBe(true);
    await cluster.members[0]!.ask('kv/deleterange', { key: base64(lease.key) });
    expect(lease.held).toBe(true);
    const next = await new EtcdLock(name, { client: other }).acquire();
    expect((await write(lease, 'stale')).succeeded ?? false).toBe(false);
    expect((await write(next, 'the next one')).succeeded).toBe(true);
    expect(await lease.release()).toBe(false);
    expect(await next.release()).toBe(true);
    expect((await write(next, 'stale')).succeeded ?? false).toBe(false);
  });
});

describe('what is left behind', () => {
  test('nothing, after holders and waiters of all kinds', async () => {
    const lock = new EtcdLock(name, { client });
    const held = await lock.acquire();
    const rival = new EtcdLock(name, { client: other });
    await expect(rival.acquire({ timeout: 30 })).rejects.toThrow('held by process');
    expect(await rival.tryAcquire()).toBeNull();
    await held.release();
    await until(
      async () => (await cluster.keys()).filter((key) => key.includes(name)).length === 0,
      'it is clean',
    );
  });
});

describe('re-entry', () => {
  test('a reentrant lock is had again inside a withLock body, by any object of it', async () => {
    const lock = new EtcdLock(name, { client, reentrant: true });
    const same = new EtcdLock(name, { client, reentrant: true });
    await lock.withLock(async (outer) => {
      const inner = await same.acquire({ timeout: 0 });
      expect([inner.fence, inner.key]).toEqual([outer.fence, outer.key]);
      expect(await inner.release()).toBe(true);
      expect(outer.held).toBe(true);
    });
    expect(await lock.isLocked()).toBe(false);
  });
});

describe('a client', () => {
  test('that is closed gives back what it holds, and those who wait at it fail', async () => {
    const own = new EtcdClient({ endpoints: cluster.endpoints });
    const lease = await new EtcdLock(name, { client: own }).acquire();
    const held = await new EtcdLock(`${name}-2`, { client }).acquire();
    const waiting = new EtcdLock(`${name}-2`, { client: own }).acquire().catch((error: unknown) => error);
    await waiters(new EtcdLock(`${name}-2`, { client }), 1);
    await own.close();
    expect(lease.signal.aborted).toBe(true);
    expect(await waiting).toMatchObject({ code: 'ERR_LOCK_BACKEND' });
    const next = await new EtcdLock(name, { client }).acquire();
    await next.release();
    await held.release();
  });
});

describe('options', () => {
  test.each([
    ['name', '', {}, RangeError],
    ['name', 1, {}, TypeError],
    ['name', '\ud800', {}, RangeError],
    ['options.client', 'a', { client: undefined }, TypeError],
    ['options.client', 'a', { client: {} }, TypeError],
    ['options.client', 'a', { client: { endpoints: [], txn: () => undefined } }, TypeError],
    ['exclude each other', 'a', { endpoints: 'http://a' }, TypeError],
    ['options.endpoints', 'a', { client: undefined, endpoints: [] }, RangeError],
    ['options.endpoints', 'a', { client: undefined, endpoints: 5 }, TypeError],
    ['options.endpoints[1]', 'a', { client: undefined, endpoints: ['http://a', 'etcd://b'] }, RangeError],
    ['options.username', 'a', { client: undefined, endpoints: 'http://me:secret@a' }, RangeError],
    [
      'options.username',
      'a',
      { client: undefined, endpoints: 'http://a', username: 1, password: '' },
      TypeError,
    ],
    ['options.password', 'a', { client: undefined, endpoints: 'http://a', username: 'me' }, TypeError],
    ['options.tls', 'a', { client: undefined, endpoints: 'http://a', tls: {} }, RangeError],
    ['options.tls', 'a', { client: undefined, endpoints: 'https://a', tls: 'yes' }, TypeError],
    ['options.ttl', 'a', { ttl: '1' }, TypeError],
    ['options.ttl', 'a', { ttl: 999 }, RangeError],
    ['options.ttl', 'a', { ttl: Infinity }, RangeError],
    ['options.autoExtend', 'a', { autoExtend: 1 }, TypeError],
    ['options.maxHold', 'a', { maxHold: 0 }, RangeError],
    ['options.maxHold', 'a', { maxHold: '1' }, TypeError],
    ['options.reentrant', 'a', { reentrant: 'yes' }, TypeError],
    ['options.prefix', 'a', { prefix: 1 }, TypeError],
  ])('%s is checked (%j %j)', (what, name, options, kind) => {
    const make = (): unknown => new EtcdLock(name as string, { client, ...options } as never);
    expect(make).toThrow(kind);
    expect(make).toThrow(what);
    expect(make).not.toThrow('secret');
  });

  test('options are an object', () => {
    expect(() => new EtcdLock('a', undefined as never)).toThrow('options must be an object');
  });
});
