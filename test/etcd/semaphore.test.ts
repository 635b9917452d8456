import { afterAll, beforeAll, expect, test } from 'vitest';
import { NameConflictError } from 'mortise';
import { EtcdClient, EtcdSemaphore } from 'mortise/etcd';
import { describeSemaphore } from '../contract/remote-semaphore.ts';
import { rejection } from '../fixtures/rejection.ts';
import { EtcdCluster } from './cluster.mjs';

let cluster: EtcdCluster;
let clients: EtcdClient[];
let names = 0;

beforeAll(async () => {
  cluster = await EtcdCluster.start();
  clients = Array.from({ length: 5 }, () => new EtcdClient({ endpoints: cluster.endpoints }));
});
afterAll(async () => {
  await Promise.all(clients.map((client) => client.close()));
  await cluster.end();
});

describeSemaphore(
  'An EtcdSemaphore',
  () => {
    const name = `semaphore-${++names}`;
    return (place, options) => new EtcdSemaphore(name, { client: clients[place] as EtcdClient, ...options });
  },
  1000,
);

test('a name that nobody uses any more can have other permits', async () => {
  const [client] = clients as [EtcdClient];
  const lease = await new EtcdSemaphore('reused', { client, permits: 2 }).acquire();
  const other = new EtcdSemaphore('reused', { client, permits: 3 });
  expect(await rejection(other.acquire())).toBeInstanceOf(NameConflictError);
  await lease.release();
  expect(await (await other.acquire()).release()).toBe(true);
});
