/** Named locks on etcd. */
import { rmSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { afterAll, describe, expect, test } from 'vitest';
import { LockManager, UnsupportedError, etcdBackend, memoryBackend } from 'mortise';
import * as etcd from 'mortise/etcd';
import { describeBackend } from '../contract/backend.ts';
import { fromEnvironment } from '../../dist/environment.js';
import { runFixture } from '../fixtures/child.ts';
import { copiedPackage } from '../fixtures/copied-package.ts';
import { endProcesses } from '../fixtures/process.ts';
import { EtcdCluster } from './cluster.mjs';

const cluster = await EtcdCluster.start(1, ['--heartbeat-interval', '20', '--election-timeout', '200']);
const { endpoints } = cluster;
const client = new etcd.EtcdClient({ endpoints });
afterAll(async () => {
  await endProcesses();
  await client.close();
  await cluster.end();
});

describeBackend('etcdBackend({ endpoints })', {
  factory: 'etcdBackend',
  args: [{ endpoints, ttl: 1000 }],
});

describe('etcdBackend', () => {
  let keys = 0;
  const newKey = (): string => `of the backend ${++keys}`;

  test('has the locks of mortise/etcd, by name', async () => {
    const options = { client, prefix: 'app/' };
    const backend = etcdBackend(options);
    const key = newKey();
    const leases = [
      await backend.lock(key).acquire(),
      await backend.readWriteLock(key).writer.acquire(),
      await backend.semaphore(key, 2).acquire({ weight: 2 }),
    ];
    expect(await new etcd.EtcdLock(key, options).isLocked()).toBe(true);
    expect(await new etcd.EtcdReadWriteLock(key, options).reader.tryAcquire()).toBeNull();
    expect(await new etcd.EtcdSemaphore(key, { ...options, permits: 2 }).available()).toBe(0);
    for (const lease of leases) expect(await lease.release()).toBe(true);
  });

  test('is the same function from mortise and mortise/etcd', () => {
    expect(etcd.etcdBackend).toBe(etcdBackend);
  });

  test('has an id that tells endpoints, in any order, and prefix', () => {
    const id = `etcd ${endpoints[0]}`;
    expect(etcdBackend({ client }).id).toBe(id);
    expect(etcdBackend({ endpoints, prefix: 'app/' }).id).toBe(`${id} 'app/'`);
    expect(etcdBackend({ endpoints: ['http://b:1', 'http://a:1'] }).id).toBe('etcd http://a:1,http://b:1');
    expect(etcdBackend({ client, id: 'main' }).id).toBe('main');
  });

  test('tells nobody the password', () => {
    const options = { endpoints: 'http://a:1', username: 'me', password: 'secret' };
    expect(etcdBackend(options).id).toBe('etcd http://a:1');
  });

  test('is loaded when it is used: mortise runs without the code for etcd', async () => {
    const { entry } = await copiedPackage();
    const dist = dirname(entry);
    for (const file of ['client.js', 'endpoint.js', 'lock.js', 'session.js'])
      rmSync(join(dist, 'etcd', file));
    const { etcdBackend } = (await import(pathToFileURL(entry).href)) as typeof import('mortise');
    const backend = etcdBackend({ endpoints });
    expect(backend.id).toContain('etcd http://');
    await expect(backend.lock('db').acquire()).rejects.toThrow('Cannot find module');
  });

  test('is one of several in acquireAll, and gives its lock back with the others', async () => {
    const locks = new LockManager({ backend: etcdBackend({ client }) });
    const [far, near, table] = [newKey(), newKey(), newKey()];
    locks.lock(near, { backend: memoryBackend() });
    const all = await locks.acquireAll([far, near, { name: table, mode: 'write' }], { timeout: 5000 });
    expect(await locks.lock(far).tryAcquire()).toBeNull();
    expect(await locks.readLock(table).tryAcquire()).toBeNull();
    await expect(locks.acquireAll([near, far], { timeout: 20 })).rejects.toThrow('ERR_LOCK_TIMEOUT');
    await all.release();
    expect(await locks.lock(far).isLocked()).toBe(false);
    await locks.cleanup();
    expect(locks.list()).toEqual([]);
  });

  test('cannot block a thread, and says so at once', () => {
    const locks = new LockManager({ backend: etcdBackend({ client }) });
    expect(() => locks.lock(newKey()).acquireSync()).toThrow(UnsupportedError);
  });

  test('is what MORTISE_BACKEND says', async () => {
    expect(fromEnvironment({ MORTISE_BACKEND: 'etcd:http://b:1,http://a:1' }).backend.id).toBe(
      'etcd http://a:1,http://b:1',
    );
    const env = { MORTISE_BACKEND: `etcd:${endpoints.join(',')}` };
    const { stdout, stderr, code } = await runFixture('manager/environment.mjs', [], { env });
    expect([stderr, code]).toEqual(['', 0]);
    expect((JSON.parse(stdout) as { backend: string }).backend).toBe(`etcd ${endpoints[0]}`);
  });

  test.each<[string, object, new () => Error]>([
    ['options', null as never, TypeError],
    ['options.endpoints', {}, TypeError],
    ['options.client', { client: {} }, TypeError],
    ['options.endpoints', { endpoints: 'memory' }, RangeError],
    ['options.ttl', { endpoints: 'http://a', ttl: 1 }, RangeError],
    ['options.prefix', { endpoints: 'http://a', prefix: 7 }, TypeError],
    ['options.id', { endpoints: 'http://a', id: 7 }, TypeError],
    ['options.id', { endpoints: 'http://a', id: '' }, RangeError],
  ])('checks %s (%j)', (what, options, kind) => {
    expect(() => etcdBackend(options as never)).toThrow(kind);
    expect(() => etcdBackend(options as never)).toThrow(what);
  });
});
