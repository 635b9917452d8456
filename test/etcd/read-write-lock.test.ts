import { afterAll, beforeAll } from 'vitest';
import { EtcdClient, EtcdReadWriteLock } from 'mortise/etcd';
import { describeReadWriteLock } from '../contract/remote-read-write-lock.ts';
import { EtcdCluster } from './cluster.mjs';

let cluster: EtcdCluster;
let clients: EtcdClient[];
let names = 0;

beforeAll(async () => {
  cluster = await EtcdCluster.start();
  clients = Array.from({ length: 4 }, () => new EtcdClient({ endpoints: cluster.endpoints }));
});
afterAll(async () => {
  await Promise.all(clients.map((client) => client.close()));
  await cluster.end();
});

describeReadWriteLock(
  'An EtcdReadWriteLock',
  () => {
    const name = `table-${++names}`;
    return (place, options = {}) =>
      new EtcdReadWriteLock(name, { client: clients[place] as EtcdClient, ...options });
  },
  1000,
);
