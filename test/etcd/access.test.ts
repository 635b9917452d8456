/** Who may ask, whom, and what etcd says when it refuses. */
import { createServer } from 'node:http';
import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import { afterAll, beforeAll, describe, expect, onTestFinished, test } from 'vitest';
import { BackendUnavailableError } from 'mortise';
import { EtcdClient, EtcdError, EtcdLock, EtcdReadWriteLock, type EtcdClientOptions } from 'mortise/etcd';
import { freePort } from '../redis/server.mjs';
import { Authority } from './certificates.mjs';
import { EtcdCluster } from './cluster.mjs';

const base64 = (text: string): string => Buffer.from(text).toString('base64');

async function refusal(promise: Promise<unknown>): Promise<BackendUnavailableError> {
  const error = await promise.then(
    () => expect.fail('was not rejected'),
    (reason: unknown) => reason,
  );
  expect(error).toBeInstanceOf(BackendUnavailableError);
  return error as BackendUnavailableError;
}

function lockAt(options: EtcdClientOptions, ttl = 3000): EtcdLock {
  const client = new EtcdClient(options);
  onTestFinished(() => client.close());
  return new EtcdLock('lock', { client, ttl });
}

describe('an endpoint', () => {
  test('that nobody listens at is named, with the reason', async () => {
    const endpoint = `http://127.0.0.1:${await freePort()}`;
    const error = await refusal(lockAt({ endpoints: endpoint }).tryAcquire());
    expect(error.message).toContain(`the lock 'lock' was not acquired: ${endpoint}: connect ECONNREFUSED`);
    expect(error.cause).toBeInstanceOf(EtcdError);
    expect((error.cause as EtcdError).endpoint).toBe(endpoint);
  });

  test('is one of several that are all named', async () => {
    const endpoints = [`http://127.0.0.1:${await freePort()}`, `http://127.0.0.1:${await freePort()}`];
    const { message } = await refusal(lockAt({ endpoints }).isLocked());
    for (const endpoint of endpoints) expect(message).toContain(`${endpoint}: connect ECONNREFUSED`);
  });

  test('that is something else is refused at once, even by those who wait', async () => {
    const server = createServer((_, response) => response.writeHead(404).end('<html>')).listen(
      0,
      '127.0.0.1',
    );
    onTestFinished(() => void server.close());
    await once(server, 'listening');
    const endpoint = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
    const { message } = await refusal(lockAt({ endpoints: endpoint }).acquire());
    expect(message).toContain(`${endpoint}: this is not etcd's JSON gateway: HTTP status 404`);
  });

  test('that does not answer is passed over, and not asked first again', async () => {
    const silent = createServer(() => {}).listen(0, '127.0.0.1');
    await once(silent, 'listening');
    const cluster = await EtcdCluster.start();
    onTestFinished(async () => {
      silent.closeAllConnections();
      silent.close();
      await cluster.end();
    });
    const { port } = silent.address() as AddressInfo;
    const lock = lockAt({ endpoints: [`http://127.0.0.1:${port}`, ...cluster.endpoints] });
    const lease = await lock.acquire();
    let requests = 0;
    silent.on('request', () => requests++);
    await lease.release();
    await (await lock.acquire()).release();
    expect(requests).toBe(0);
  });
});

describe('a cluster with users', () => {
  let cluster: EtcdCluster;
  let endpoints: string[];

  beforeAll(async () => {
    cluster = await EtcdCluster.start();
    ({ endpoints } = cluster);
    const ask = (where: string, body: object): Promise<unknown> =>
      cluster.members[0]!.ask(`auth/${where}`, body);
    await ask('user/add', { name: 'root', password: 'of all' });
    await ask('role/add', { name: 'root' });
    await ask('user/grant', { user: 'root', role: 'root' });
    await ask('user/add', { name: 'worker', password: 'secret' });
    await ask('role/add', { name: 'locks' });
    const all = { key: base64('mortise/'), range_end: base64('mortise0') };
    await ask('role/grant', { name: 'locks', perm: { permType: 'READWRITE', ...all } });
    await ask('user/grant', { user: 'worker', role: 'locks' });
    await ask('enable', {});
  });
  afterAll(() => cluster.end());

  test('has locks for those who have the keys below the prefix', async () => {
    const options = { endpoints, username: 'worker', password: 'secret' };
    const lock = lockAt(options);
    const lease = await lock.acquire();
    const waiting = new EtcdLock('lock', options).acquire();
    await lease.extend(5000);
    await lease.release();
    await (await waiting).release();
    const table = new EtcdReadWriteLock('table', options);
    await table.writer.withLock(() => undefined);
    expect(await table.reader.withLock((lease) => lease.held)).toBe(true);
  });

  test('renews leases, and goes on when its token is worth nothing any more', async () => {
    const lock = lockAt({ endpoints, username: 'worker', password: 'secret' }, 1000);
    const lease = await lock.acquire();
    const admin = new EtcdClient({ endpoints, username: 'root', password: 'of all' });
    onTestFinished(() => admin.close());
    // Every change of users makes all tokens from before outdated.
    await admin.ask('/v3/auth/role/add', { name: `role ${Date.now()}` });
    await new Promise((resolve) => setTimeout(resolve, 2500));
    expect(lease.held).toBe(true);
    expect(await lease.release()).toBe(true);
  });

  test.each([
    ['a wrong password', { username: 'worker', password: 'guess' }, 'authentication failed'],
    ['an unknown user', { username: 'nobody', password: 'secret' }, 'authentication failed'],
    ['no user', {}, 'user name is empty'],
  ])('refuses %s at once, even to those who wait, and tells no password', async (_, user, reason) => {
    const error = await refusal(lockAt({ endpoints, ...user }).acquire());
    expect(error.message).toContain(endpoints[0]);
    expect(error.message).toContain(reason);
    expect(error.message).not.toContain('guess');
  });

  test('refuses a prefix that is somebody else’s', async () => {
    const client = new EtcdClient({ endpoints, username: 'worker', password: 'secret' });
    onTestFinished(() => client.close());
    const { message } = await refusal(new EtcdLock('lock', { client, prefix: 'other/' }).acquire());
    expect(message).toContain(`${endpoints[0]}: etcdserver: permission denied`);
  });
});

test('TLS: a certificate that is trusted, and one that is not', async () => {
  const cluster = await EtcdCluster.start(1, ['--auto-tls']);
  onTestFinished(() => cluster.end());
  const [member] = cluster.members;
  const lock = lockAt({ endpoints: member!.url, tls: { ca: member!.certificate } });
  const held = await lock.acquire({ timeout: 20_000 });
  const waiting = lock.acquire();
  await held.release();
  await (await waiting).release();
  const { message } = await refusal(lockAt({ endpoints: member!.url }).tryAcquire());
  expect(message).toContain(`${member!.url}: self-signed certificate`);
});

describe('a cluster that asks clients for certificates', () => {
  let authority: Authority;
  let stranger: Authority;
  let cluster: EtcdCluster;
  let endpoint: string;

  beforeAll(async () => {
    [authority, stranger] = [new Authority(), new Authority()];
    const { certFile, keyFile } = authority.issue('member');
    const words = ['--client-cert-auth', '--trusted-ca-file', authority.caFile];
    cluster = await EtcdCluster.start(1, [...words, '--cert-file', certFile, '--key-file', keyFile]);
    endpoint = cluster.members[0]!.url;
  });
  afterAll(async () => {
    await cluster.end();
    authority.discard();
    stranger.discard();
  });

  test('has locks for those who have one: to acquire, to wait, to renew, to write', async () => {
    const { cert, key } = authority.issue('worker');
    const tls = { ca: authority.ca, cert, key };
    const lock = lockAt({ endpoints: endpoint, tls }, 1000);
    const held = await lock.acquire({ timeout: 20_000 });
    const own = new EtcdClient({ endpoints: endpoint, tls });
    onTestFinished(() => own.close());
    const waiting = new EtcdLock('lock', { client: own }).acquire();
    await new Promise((resolve) => setTimeout(resolve, 2500));
    expect(held.held).toBe(true);
    const { succeeded } = await own.txn({ compare: [held.isOwner], success: [], failure: [] });
    expect(succeeded).toBe(true);
    expect(await held.release()).toBe(true);
    await (await waiting).release();
  });

  test('and whose key has a passphrase', async () => {
    const { cert, key } = authority.issue('careful', 'secret');
    const tls = { ca: authority.ca, cert, key, passphrase: 'secret' };
    await (await lockAt({ endpoints: endpoint, tls }).acquire()).release();
  });

  test.each([
    ['none', () => ({}), /TLS: .*alert (bad certificate|certificate required)$|ECONNRESET/],
    [
      'one of another authority',
      () => stranger.issue('worker'),
      /TLS: .*alert (unknown ca|bad certificate)$|ECONNRESET/,
    ],
  ])('refuses who has %s, with the reason', async (_, issue, reason) => {
    const { cert, key } = issue() as { cert?: string; key?: string };
    const tls = { ca: authority.ca, ...(cert !== undefined && { cert }), ...(key !== undefined && { key }) };
    const { message } = await refusal(lockAt({ endpoints: endpoint, tls }).tryAcquire());
    expect(message).toContain(`${endpoint}: `);
    expect(message).toMatch(reason);
  });

  test('is not believed if another authority vouches for it', async () => {
    const { cert, key } = authority.issue('worker');
    const { message } = await refusal(
      lockAt({ endpoints: endpoint, tls: { ca: stranger.ca, cert, key } }).tryAcquire(),
    );
    expect(message).toContain(`${endpoint}: `);
    expect(message).toMatch(/self-signed certificate|unable to verify|certificate signature failure/);
  });
});

test('a full database: acquiring fails with the reason, and what is held can be released', async () => {
  const cluster = await EtcdCluster.start(1, ['--quota-backend-bytes', String(4 * 1024 * 1024)]);
  onTestFinished(() => cluster.end());
  const lock = lockAt({ endpoints: cluster.endpoints }, 20_000);
  const table = new EtcdReadWriteLock('table', { endpoints: cluster.endpoints });
  const lease = await lock.acquire();
  const write = await table.acquireWrite();
  const value = Buffer.alloc(512 * 1024).toString('base64');
  await expect(async () => {
    for (let count = 0; count < 50; count++)
      await cluster.members[0]!.ask('kv/put', { key: base64(`${count}`), value });
  }).rejects.toThrow('space exceeded');
  const { message } = await refusal(new EtcdLock('another', { endpoints: cluster.endpoints }).acquire());
  expect(message).toContain(`${cluster.endpoints[0]}: etcdserver: mvcc: database space exceeded`);
  expect(await lease.release()).toBe(true);
  expect(await write.release()).toBe(true);
  expect(await lock.isLocked()).toBe(false);
});
