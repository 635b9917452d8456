/** What fails between a client and one member of etcd, and in processes that hold or wait. */
import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { BackendUnavailableError, LockLostError, LockTimeoutError } from 'mortise';
import { EtcdClient, EtcdLock } from 'mortise/etcd';
import { rejection } from '../fixtures/rejection.ts';
import { until } from '../fixtures/until.ts';
import { Peer } from '../redis/peer.ts';
import { FaultProxy } from '../redis/proxy.mjs';
import { EtcdCluster } from './cluster.mjs';

let cluster: EtcdCluster;
let client: EtcdClient;
let names = 0;
let name: string;

beforeAll(async () => {
  cluster = await EtcdCluster.start(1, ['--heartbeat-interval', '20', '--election-timeout', '200']);
  client = new EtcdClient({ endpoints: cluster.endpoints });
});
beforeEach(() => {
  name = `lock-${++names}`;
});
afterAll(async () => {
  await Peer.endAll();
  await client.close();
  await cluster.end();
});

const wait = (milliseconds: number): Promise<void> =>
  new Promise((resolve) => setTimeout(resolve, milliseconds));
const waiters = async (lock: EtcdLock, count: number): Promise<void> =>
  until(async () => (await lock.info()).waiters === count, `${count} wait`);

describe('a bad line to a member', () => {
  let proxy: FaultProxy;
  let far: EtcdClient;
  /** The same lock by a line that does not fail. */
  let near: EtcdLock;

  beforeEach(async () => {
    proxy = await FaultProxy.start(cluster.members[0]!.port);
    far = new EtcdClient({ endpoints: `http://127.0.0.1:${proxy.port}` });
    near = new EtcdLock(name, { client });
    await (await new EtcdLock(name, { client: far, ttl: 3000 }).acquire()).release();
  });
  afterEach(async () => {
    proxy.heal();
    await far.close();
    await proxy.end();
  });

  test('an acquire whose answer was lost is recognised, not doubled', async () => {
    const lock = new EtcdLock(name, { client: far, ttl: 3000 });
    proxy.swallowsReplies = true;
    const waiting = lock.acquire();
    await until(() => near.isLocked(), 'the request arrives');
    proxy.heal();
    proxy.cut();
    const lease = await waiting;
    expect(lease.held).toBe(true);
    expect(await near.info()).toMatchObject({ holders: 1, waiters: 0 });
    expect(await lease.release()).toBe(true);
    expect(await near.info()).toMatchObject({ holders: 0, waiters: 0 });
  });

  test('an acquire whose answer was lost and that nobody waits for any more is taken back', async () => {
    const lock = new EtcdLock(name, { client: far, ttl: 3000 });
    proxy.swallowsReplies = true;
    const error = rejection(lock.acquire({ timeout: 200 }));
    await until(() => near.isLocked(), 'the request arrives');
    expect(await error).toBeInstanceOf(LockTimeoutError);
    proxy.heal();
    proxy.cut();
    await (await near.acquire({ timeout: 15_000 })).release();
  });

  test.each([
    ['within its time limit', { timeout: 500 }, LockTimeoutError],
    ['at all', {}, BackendUnavailableError],
  ])('an acquire that gets no session %s makes no place when it has one', async (_, options, failure) => {
    const lock = new EtcdLock(name, { client: far, ttl: 1000 });
    proxy.swallowsReplies = true;
    expect(await rejection(lock.acquire(options))).toBeInstanceOf(failure);
    proxy.heal();
    proxy.cut();
    // With the same session, which goes on.
    const other = await new EtcdLock(`${name}-other`, { client: far, ttl: 1000 }).acquire();
    await (await near.acquire({ timeout: 5000 })).release();
    expect(await other.release()).toBe(true);
  });

  test('a request that is carried out long after it was given up makes no place', async () => {
    const member = cluster.members[0]!;
    // As a member does that stood still: nobody waits for its answer any more when it reads what was sent to it.
    const late: string[] = [];
    const standing = createServer((request, response) => {
      let body = '';
      request.on('data', (part) => (body += part));
      const passOn = async (): Promise<void> => {
        const answer = await fetch(member.url + request.url!, { method: 'POST', body });
        response.writeHead(answer.status).end(await answer.text());
      };
      request.on('end', () => {
        if (request.url !== '/v3/kv/txn') return void passOn();
        late.push(body);
        response.destroy();
      });
    }).listen(0, '127.0.0.1');
    await once(standing, 'listening');
    const { port } = standing.address() as AddressInfo;
    const both = new EtcdClient({ endpoints: [`http://127.0.0.1:${port}`, member.url] });
    const lock = new EtcdLock(name, { client: both, ttl: 3000 });
    const lease = await lock.acquire();
    expect(late.length).toBeGreaterThan(0);
    const expectRefused = async (): Promise<void> => {
      for (const body of late) {
        const answer = await fetch(`${member.url}/v3/kv/txn`, { method: 'POST', body });
        expect(await answer.json()).not.toHaveProperty('succeeded');
      }
    };
    await expectRefused();
    expect(await lease.release()).toBe(true);
    await expectRefused();
    expect(await near.isLocked()).toBe(false);
    // Another seat is as good as the one that may not be taken any more.
    await (await lock.acquire()).release();
    standing.close();
    await both.close();
  });

  test('a line that is cut is no loss, as long as it comes back in time', async () => {
    const lease = await new EtcdLock(name, { client: far, ttl: 3000 }).acquire();
    for (const since = performance.now(); performance.now() - since < 3500; await wait(300)) proxy.cut();
    expect(lease.held).toBe(true);
    expect(await near.isLocked()).toBe(true);
    expect(await lease.release()).toBe(true);
  });

  test('a keep-alive that is not answered is tried again until the time is up, and the loss is known before etcd lets go', async () => {
    const lease = await new EtcdLock(name, { client: far, ttl: 2000 }).acquire();
    const { signal } = lease;
    const lostAt = new Promise<number>((resolve) =>
      signal.addEventListener('abort', () => resolve(performance.now())),
    );
    proxy.dropsRequests = true;
    const next = near.acquire().then((lease) => ({ lease, at: performance.now() }));
    const [lost, { lease: other, at }] = await Promise.all([lostAt, next]);
    expect(lost).toBeLessThan(at);
    expect(signal.reason).toBeInstanceOf(LockLostError);
    expect((signal.reason as Error).message).toContain(`127.0.0.1:${proxy.port}`);
    expect(other.abandoned).toBe(true);
    expect(await lease.release()).toBe(false);
    await other.release();
  });

  test('a keep-alive that is answered too late proves nothing', async () => {
    const lease = await new EtcdLock(name, { client: far, ttl: 1000 }).acquire();
    proxy.delay = 1500;
    await until(() => lease.signal.aborted, 'it is lost');
    expect(lease.remaining).toBe(0);
    await wait(1600);
    expect(lease.held).toBe(false);
  });

  test('a release that is not answered says so, and happens as soon as it can', async () => {
    const lease = await new EtcdLock(name, { client: far, ttl: 20_000 }).acquire();
    proxy.dropsRequests = true;
    const error = (await rejection(lease.release())) as Error;
    expect(error).toBeInstanceOf(BackendUnavailableError);
    expect(await lease.release()).toBe(false);
    expect(await near.isLocked()).toBe(true);
    proxy.heal();
    proxy.cut();
    await (await near.acquire({ timeout: 15_000 })).release();
  });

  test('a watch that is cut off is taken up again where it was', async () => {
    const held = await near.acquire();
    const lock = new EtcdLock(name, { client: far, ttl: 20_000 });
    const waiting = lock.acquire();
    await waiters(near, 1);
    await until(() => proxy.connections > 0, 'it watches');
    proxy.refuses = true;
    proxy.cut();
    // What happens while nobody listens is told afterwards.
    expect(await held.release()).toBe(true);
    proxy.heal();
    const lease = await waiting;
    expect(lease.held).toBe(true);
    expect(lease.abandoned).toBe(false);
    await lease.release();
  });

  test('a watch whose past was compacted meanwhile ends with a look', async () => {
    const held = await near.acquire();
    const waiting = new EtcdLock(name, { client: far, ttl: 20_000 }).acquire();
    await waiters(near, 1);
    proxy.refuses = true;
    proxy.cut();
    await held.release();
    const { header } = await cluster.members[0]!.ask('kv/put', { key: 'eA==', value: 'eA==' });
    await cluster.members[0]!.ask('kv/compaction', { revision: header.revision });
    proxy.heal();
    await (await waiting).release();
  });
});

describe('a watch', () => {
  const key = Buffer.from('watched').toString('base64');

  test('that asks for what was compacted says so once, and ends', async () => {
    const member = cluster.members[0]!;
    await member.ask('kv/put', { key, value: 'eA==' });
    const { header } = await member.ask('kv/put', { key, value: 'eA==' });
    await member.ask('kv/compaction', { revision: header.revision });
    let gaps = 0;
    await new Promise<void>((resolve) => {
      client.watch({
        keys: [{ key }],
        from: 1n,
        onDelete: () => {},
        onGap: () => {
          gaps++;
          resolve();
        },
      });
    });
    await wait(100);
    expect(gaps).toBe(1);
  });
});

describe('a process', () => {
  const startPeer = (ttl: number): Promise<Peer> =>
    Peer.start(cluster.endpoints.join(','), name, ttl, {}, new URL('./peer.mjs', import.meta.url));

  test('that is stopped while it holds loses it, and finds out when it goes on', async () => {
    const holder = await startPeer(1000);
    const { fence } = await holder.tell<{ fence: string }>('acquire');
    holder.signal('SIGSTOP');
    const lease = await new EtcdLock(name, { client }).acquire();
    expect(lease.abandoned).toBe(true);
    expect(lease.fence > BigInt(fence)).toBe(true);
    const lost = holder.hears((message) => message.event === 'lost');
    holder.signal('SIGCONT');
    await lost;
    expect(await holder.tell('state')).toEqual({ held: false, remaining: 0, aborted: true });
    expect(await holder.tell('release')).toBe(false);
    expect(lease.held).toBe(true);
    expect(await lease.release()).toBe(true);
  });

  test('that is killed while it holds loses it when its time is up', async () => {
    const holder = await startPeer(1000);
    await holder.tell('acquire');
    const waiting = new EtcdLock(name, { client }).acquire();
    await holder.kill('SIGKILL');
    const lease = await waiting;
    expect(lease.abandoned).toBe(true);
    await lease.release();
  });

  test('that is killed while it waits delays those behind it until its lease expires, and is no holder who died', async () => {
    const lock = new EtcdLock(name, { client });
    const lease = await lock.acquire();
    const peer = await startPeer(1000);
    peer.send('acquire');
    await waiters(lock, 1);
    const waiting = lock.acquire();
    await waiters(lock, 2);
    await peer.kill('SIGKILL');
    await waiters(lock, 1);
    await until(
      async () =>
        (await cluster.keys('mortise/lock-entered/')).filter((key) => key.includes(name)).length === 2,
      'it is forgotten',
    );
    await lease.release();
    const next = await waiting;
    expect(next.abandoned).toBe(false);
    await next.release();
  });

  test('that is stopped while it waits has lost its place when it goes on, and gets another one', async () => {
    const lock = new EtcdLock(name, { client });
    const held = await lock.acquire();
    const peer = await startPeer(1000);
    const acquired = peer.tell<{ fence: string }>('acquire');
    await waiters(lock, 1);
    peer.signal('SIGSTOP');
    const waiting = lock.acquire();
    await waiters(lock, 1);
    await held.release();
    const lease = await waiting;
    peer.signal('SIGCONT');
    await waiters(lock, 1);
    await lease.release();
    const { fence } = await acquired;
    expect(BigInt(fence) > lease.fence).toBe(true);
    expect(await peer.tell('release')).toBe(true);
  });

  test('that has released everything ends by itself', async () => {
    const peer = await startPeer(30_000);
    await peer.tell('acquire');
    expect(await peer.tell('release')).toBe(true);
    peer.send('finish');
    expect(await peer.exited).toBe(0);
  });
});
