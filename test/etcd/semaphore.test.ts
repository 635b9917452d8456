import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { LockTimeoutError, NameConflictError } from 'mortise';
import { EtcdClient, EtcdSemaphore, type EtcdLease } from 'mortise/etcd';
import { describeLease } from '../contract/lease.ts';
import { until } from '../fixtures/until.ts';
import { EtcdCluster } from './cluster.mjs';

let cluster: EtcdCluster;
let clients: EtcdClient[];
let client: EtcdClient;
let other: EtcdClient;
let names = 0;
let name: string;

beforeAll(async () => {
  cluster = await EtcdCluster.start();
  clients = Array.from({ length: 5 }, () => new EtcdClient({ endpoints: cluster.endpoints }));
  [client, other] = clients as [EtcdClient, EtcdClient];
});
beforeEach(() => {
  name = `semaphore-${++names}`;
});
afterAll(async () => {
  await Promise.all(clients.map((it) => it.close()));
  await cluster.end();
});

async function rejection(promise: Promise<unknown>): Promise<unknown> {
  return promise.then(
    () => expect.fail('was not rejected'),
    (reason: unknown) => reason,
  );
}

const waiters = async (semaphore: EtcdSemaphore, count: number): Promise<void> =>
  until(async () => (await semaphore.info()).waiters === count, `${count} wait`);

describeLease(
  'an EtcdSemaphore with one permit',
  () => {
    const of = (client: EtcdClient, options = {}): EtcdSemaphore =>
      new EtcdSemaphore(name, { client, permits: 1, ...options });
    return { lock: of(client), rival: of(other), expiring: of(other, { ttl: 1000, autoExtend: false }) };
  },
  { isExclusive: false },
);

test('as many are held as there are permits, whoever holds them', async () => {
  const [a, b] = [client, other].map((it) => new EtcdSemaphore(name, { client: it, permits: 3 })) as [
    EtcdSemaphore,
    EtcdSemaphore,
  ];
  const leases = [await a.acquire(), await b.acquire(), await a.acquire()];
  expect(await a.available()).toBe(0);
  expect(await b.tryAcquire()).toBeNull();
  expect(await a.info()).toMatchObject({ holders: 3, waiters: 0 });
  expect(leases.map((lease) => lease.fence)).toEqual([0n, 0n, 0n]);
  await leases[1]?.release();
  expect(await b.available()).toBe(1);
  const again = await b.tryAcquire();
  expect(again?.held).toBe(true);
  for (const lease of [...leases, again]) await lease?.release();
  expect(await b.available()).toBe(3);
});

test('a large request is served in its turn, and small ones wait behind it', async () => {
  const small = new EtcdSemaphore(name, { client, permits: 4 });
  const large = new EtcdSemaphore(name, { client: other, permits: 4 });
  const first = await small.acquire();
  const order: string[] = [];
  const all = large.withLock(() => void order.push('large'), { weight: 4 });
  await waiters(small, 1);
  expect(await small.tryAcquire()).toBeNull();
  expect(await small.available()).toBe(3);
  const one = small.withLock(() => void order.push('small'));
  await waiters(small, 2);
  await first.release();
  await Promise.all([all, one]);
  expect(order).toEqual(['large', 'small']);
});

test('all who fit at the head of the queue go on at once', async () => {
  const semaphore = new EtcdSemaphore(name, { client, permits: 4 });
  const held = await semaphore.acquire({ weight: 4 });
  const waiting: Promise<EtcdLease>[] = [];
  for (const it of clients.slice(1)) {
    waiting.push(new EtcdSemaphore(name, { client: it, permits: 4 }).acquire());
    await waiters(semaphore, waiting.length);
  }
  await held.release();
  const leases = await Promise.all(waiting);
  expect(await semaphore.available()).toBe(0);
  for (const lease of leases) await lease.release();
});

test('a request that gives up lets those behind it go on', async () => {
  const a = new EtcdSemaphore(name, { client, permits: 2 });
  const b = new EtcdSemaphore(name, { client: other, permits: 2 });
  const held = await a.acquire();
  const tooLarge = rejection(a.acquire({ weight: 2, timeout: 500 }));
  await waiters(b, 1);
  const waiting = b.acquire();
  await waiters(b, 2);
  expect(await tooLarge).toBeInstanceOf(LockTimeoutError);
  const lease = await waiting;
  expect(lease.held).toBe(true);
  await lease.release();
  await held.release();
});

test('tries at the same time take no more than there is, and not less', async () => {
  const semaphores = clients.map((it) => new EtcdSemaphore(name, { client: it, permits: 3 }));
  const tries = await Promise.all(semaphores.map((it) => it.tryAcquire()));
  const held = tries.filter((lease) => lease !== null);
  expect(held).toHaveLength(3);
  for (const lease of held) expect(await lease.release()).toBe(true);
});

test('the same name with other permits is refused while it is used', async () => {
  const lease = await new EtcdSemaphore(name, { client, permits: 2 }).acquire();
  const conflicting = new EtcdSemaphore(name, { client, permits: 3 });
  expect(await rejection(conflicting.acquire())).toBeInstanceOf(NameConflictError);
  expect(await rejection(conflicting.tryAcquire())).toBeInstanceOf(NameConflictError);
  await until(
    async () => (await new EtcdSemaphore(name, { client, permits: 2 }).info()).waiters === 0,
    'it is gone',
  );
  await lease.release();
  await (await conflicting.acquire()).release();
});

describe('options', () => {
  test.each([
    ['options.permits', { permits: 0 }, RangeError],
    ['options.permits', { permits: 1.5 }, RangeError],
    ['options.permits', { permits: '1' }, TypeError],
    ['options.permits', {}, TypeError],
  ])('%s is checked (%j)', (what, options, kind) => {
    const make = (): unknown => new EtcdSemaphore('a', { client, ...options } as never);
    expect(make).toThrow(kind);
    expect(make).toThrow(what);
  });

  test('weights are checked', async () => {
    const semaphore = new EtcdSemaphore(name, { client, permits: 2 });
    for (const weight of [0, -1, 1.5, 3]) {
      expect(await rejection(semaphore.acquire({ weight }))).toBeInstanceOf(RangeError);
      expect(await rejection(semaphore.tryAcquire({ weight }))).toBeInstanceOf(RangeError);
    }
    expect(await rejection(semaphore.acquire({ weight: '1' as never }))).toBeInstanceOf(TypeError);
    expect(await semaphore.info()).toMatchObject({ holders: 0, waiters: 0 });
  });
});
