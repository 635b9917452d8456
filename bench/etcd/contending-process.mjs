// One of the processes of contended.mjs: node contending-process.mjs ENDPOINTS SECONDS
import { once } from 'node:events';
import process from 'node:process';
import { setTimeout as sleep } from 'node:timers/promises';
import { EtcdClient, EtcdLock } from 'mortise/etcd';

const [endpoints, seconds] = process.argv.slice(2);
const client = new EtcdClient({ endpoints: endpoints.split(',') });
const lock = new EtcdLock('contended', { client });
await (await lock.acquire()).release();
process.send('ready');
await once(process, 'message');
const results = [];
for (const end = performance.now() + Number(seconds) * 1000; performance.now() < end;) {
  const begin = performance.now();
  const lease = await lock.acquire();
  const wait = performance.now() - begin;
  // By the clock that all processes of a machine share.
  results.push({ at: Number(process.hrtime.bigint() / 1000n), fence: Number(lease.fence), wait });
  await sleep(10);
  await lease.release();
  await sleep(30);
}
await client.close();
process.send(results);
