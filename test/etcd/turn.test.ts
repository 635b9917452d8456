/** When it is whose turn, by what a watch tells, and what nobody may conclude from it. */
import { once } from 'node:events';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test, vi } from 'vitest';
import { EtcdClient, EtcdLock, EtcdReadWriteLock, EtcdSemaphore, type EtcdLease } from 'mortise/etcd';
import { until } from '../fixtures/until.ts';
import { EtcdCluster } from './cluster.mjs';

let cluster: EtcdCluster;
let clients: EtcdClient[];
let names = 0;
let name: string;
const base64 = (text: string): string => Buffer.from(text).toString('base64');

beforeAll(async () => {
  cluster = await EtcdCluster.start();
});
beforeEach(async () => {
  await until(async () => (await cluster.members[0]!.watchers()) === 0, 'nobody watches');
  name = `lock-${++names}`;
  clients = Array.from({ length: 4 }, () => new EtcdClient({ endpoints: cluster.endpoints }));
});
afterEach(() => Promise.all(clients.map((client) => client.close())));
afterAll(() => cluster.end());

type Some = { info(): Promise<{ waiters: number }> };
const waiters = async (lock: Some, count: number): Promise<void> =>
  until(async () => (await lock.info()).waiters === count, `${count} wait`);

const locks = (): EtcdLock[] => clients.map((client) => new EtcdLock(name, { client }));

/** All of them stand in the queue, in this order. */
async function lineUp<L>(all: readonly (Some & { acquire(): Promise<L> })[]): Promise<Promise<L>[]> {
  const line: Promise<L>[] = [];
  for (const lock of all) {
    const next = lock.acquire();
    next.catch(() => {}); // Whoever is waited for says so.
    line.push(next);
    if (line.length === 1) await next;
    else await waiters(lock, line.length - 1);
  }
  return line;
}

/** So many watch, at the least; each of them the one before it, the mark of that one, and its own key. */
const watched = async (count: number, each = 3): Promise<void> =>
  until(async () => (await cluster.members[0]!.watchers()) >= count * each, `${count} watch`);

/** How many transactions their clients send meanwhile that concern a place of theirs. */
async function asked(work: () => Promise<unknown>): Promise<number> {
  const spies = clients.map((client) => vi.spyOn(client, 'ask'));
  await work();
  const bodies = spies.flatMap((spy) => spy.mock.calls.map(([, body]) => body as { compare?: object[] }));
  for (const spy of spies) spy.mockRestore();
  return bodies.filter(({ compare = [] }) => compare.length > 0).length;
}

/** Another one than any of those who contend, for what a stranger does. */
const ask = (where: string, body: object): Promise<{ kvs?: { lease: string }[] }> =>
  cluster.members[0]!.ask(where, body) as Promise<{ kvs?: { lease: string }[] }>;
const remove = (key: string): Promise<unknown> => ask('kv/deleterange', { key: base64(key) });
async function revoke({ key }: EtcdLease): Promise<void> {
  const { kvs } = await ask('kv/range', { key: base64(key) });
  await ask('lease/revoke', { ID: kvs![0]!.lease });
}
const isPending = async (promise: Promise<unknown>): Promise<boolean> =>
  Promise.race([
    promise.then(() => false),
    new Promise<boolean>((resolve) => setTimeout(() => resolve(true), 100)),
  ]);

describe('a hand-off', () => {
  test('asks nothing but the release, however many wait', async () => {
    const line = await lineUp(locks());
    for (const [index, next] of line.entries()) {
      const lease = await next;
      expect(lease.abandoned).toBe(false);
      await watched(line.length - 1 - index);
      const requests = await asked(async () => {
        expect(await lease.release()).toBe(true);
        await line[index + 1];
      });
      expect(requests).toBe(1);
    }
  });

  test('of a semaphore as well, as soon as it fits', async () => {
    const [first, second, third] = clients.map(
      (client) => new EtcdSemaphore(name, { client, permits: 2 }),
    ) as [EtcdSemaphore, EtcdSemaphore, EtcdSemaphore];
    const held = [await first.acquire(), await second.acquire()];
    const waiting = third.acquire({ weight: 2 });
    await waiters(third, 1);
    await watched(1, 1);
    const requests = await asked(async () => {
      await held[1]!.release();
      expect(await isPending(waiting)).toBe(true);
      await held[0]!.release();
      await waiting;
    });
    expect(requests).toBe(2);
    await (await waiting).release();
  });

  test('of a read-write lock: a reader has the fence of the writer that it saw release', async () => {
    const tables = clients.map((client) => new EtcdReadWriteLock(name, { client }));
    const [a, b, c] = tables as [EtcdReadWriteLock, EtcdReadWriteLock, EtcdReadWriteLock];
    const earlier = await a.acquireWrite();
    const writing = b.acquireWrite();
    await waiters(a.writer, 1);
    const reading = c.acquireRead();
    await waiters(a.writer, 2);
    await watched(2);
    await earlier.release();
    const write = await writing;
    const requests = await asked(async () => {
      await write.release();
      await reading;
    });
    expect(requests).toBe(1);
    const read = await reading;
    expect([read.fence, read.abandoned]).toEqual([write.fence, false]);
    await read.release();
  });
});

describe('nobody takes it for its turn that', () => {
  test('the one before it gave up', async () => {
    const [first, second, third] = locks() as [EtcdLock, EtcdLock, EtcdLock];
    const held = await first.acquire();
    const controller = new AbortController();
    const givingUp = second.acquire({ signal: controller.signal });
    await waiters(first, 1);
    const waiting = third.acquire();
    await waiters(first, 2);
    controller.abort();
    await expect(givingUp).rejects.toThrow('aborted');
    await waiters(first, 1);
    expect(await isPending(waiting)).toBe(true);
    await held.release();
    expect((await waiting).abandoned).toBe(false);
    await (await waiting).release();
  });

  test('the last reader before it has released, while an earlier one has not', async () => {
    const tables = clients.map((client) => new EtcdReadWriteLock(name, { client }));
    const [a, b, c] = tables as [EtcdReadWriteLock, EtcdReadWriteLock, EtcdReadWriteLock];
    const early = await a.acquireRead();
    const late = await b.acquireRead();
    const waiting = c.acquireWrite();
    await waiters(a.writer, 1);
    await late.release();
    expect(await isPending(waiting)).toBe(true);
    await early.release();
    await (await waiting).release();
  });

  test.each(['its key', 'its mark'])('somebody deleted %s of the one before it, who waits', async (what) => {
    const line = await lineUp(locks().slice(0, 3));
    const keys = (await cluster.keys(`mortise/lock/${name}/`)).sort();
    const held = await line[0]!;
    const second = (
      await Promise.all(
        keys.map(async (key) => ({ key, kvs: (await ask('kv/range', { key: base64(key) })).kvs! })),
      )
    ).sort((a, b) => revisionOf(a) - revisionOf(b))[1]!.key;
    await remove(what === 'its key' ? second : second.replace('/lock/', '/lock-entered/'));
    expect(await isPending(line[2]!)).toBe(true);
    await held.release();
    const leases: EtcdLease[] = [];
    for (const next of [line[1]!, line[2]!].map((it) =>
      it.then((lease) => (leases.push(lease), lease.release())),
    ))
      expect(await next).toBe(true);
    expect(leases[0]!.abandoned).toBe(false);
  });
});

function revisionOf({ kvs }: { kvs: object[] }): number {
  return Number((kvs[0] as { create_revision: string }).create_revision);
}

describe('whoever waits', () => {
  test('and watches only when it is too late looks, and does not wait for etcd to tell of the past', async () => {
    const [first, second] = locks() as [EtcdLock, EtcdLock];
    const held = await first.acquire();
    const client = clients[1]!;
    const watch = client.watch.bind(client);
    let begin = (): void => {};
    let end = (): void => {};
    vi.spyOn(client, 'watch').mockImplementationOnce((watching) => {
      begin = () => (end = watch(watching));
      return () => end();
    });
    const waiting = second.acquire();
    await waiters(first, 1);
    const requests = await asked(async () => {
      await held.release();
      begin();
      await waiting;
    });
    // The release, and the look.
    expect(requests).toBe(2);
    expect((await waiting).abandoned).toBe(false);
    await (await waiting).release();
  });

  test('and whose key a stranger deletes takes another place', async () => {
    const [first, second] = locks() as [EtcdLock, EtcdLock];
    const held = await first.acquire();
    const waiting = second.acquire();
    await waiters(first, 1);
    const own = (await cluster.keys(`mortise/lock/${name}/`)).find((key) => key !== held.key)!;
    await remove(own);
    await waiters(first, 1);
    await held.release();
    const lease = await waiting;
    expect([lease.held, lease.abandoned]).toEqual([true, false]);
    expect(lease.key).not.toBe(own);
    await lease.release();
    expect((await cluster.keys()).filter((key) => key.includes(name))).toEqual([]);
  });
});

describe('whoever holds', () => {
  test('and whose key a stranger deletes is told soon, and not only by its next renewal', async () => {
    const [first, second] = locks() as [EtcdLock, EtcdLock];
    const lease = await first.acquire();
    const neighbour = await new EtcdLock(`${name}-2`, { client: clients[0]! }).acquire();
    await watched(2, 1);
    await lease.extend(40_000);
    await remove(lease.key);
    await until(() => lease.signal.aborted, 'the holder is told');
    expect((lease.signal.reason as Error).message).toContain('its key was deleted');
    expect([lease.held, await lease.release(), neighbour.held]).toEqual([false, false, true]);
    const next = await second.acquire();
    expect(next.abandoned).toBe(true);
    expect(await next.release()).toBe(true);
    expect(await neighbour.release()).toBe(true);
  });

  test('and whose key is gone before anybody watches is told as well', async () => {
    const [lock] = locks() as [EtcdLock];
    const lease = await lock.acquire();
    await remove(lease.key);
    await until(() => lease.signal.aborted, 'the holder is told');
    expect(lease.held).toBe(false);
  });

  test('again and again loses nothing by what it deletes itself, and nobody watches afterwards', async () => {
    const [lock, other] = locks() as [EtcdLock, EtcdLock];
    const long = await new EtcdLock(`${name}-2`, { client: clients[0]! }).acquire();
    await watched(1, 1);
    for (let count = 0; count < 20; count++) {
      const lease = await lock.acquire();
      const next = other.acquire();
      await waiters(lock, 1);
      expect(await lease.release()).toBe(true);
      expect(await (await next).release()).toBe(true);
    }
    expect(long.held).toBe(true);
    expect(await long.release()).toBe(true);
    await until(async () => (await cluster.members[0]!.watchers()) === 0, 'nobody watches');
  });
});

describe('a request that gives up just as it is granted', () => {
  let slow: Server;
  let onLook: () => void;

  beforeEach(async () => {
    const [member] = cluster.members;
    slow = createServer((request, response) => {
      const parts: Buffer[] = [];
      const gone = new AbortController();
      response.on('close', () => gone.abort());
      request.on('data', (part: Buffer) => parts.push(part));
      request.on('end', () => {
        const body = String(Buffer.concat(parts));
        void (async () => {
          const { signal } = gone;
          const answer = await fetch(member!.url + request.url!, { method: 'POST', body, signal });
          // It is carried out, and nobody wants it any more when it is answered.
          if (body.includes('serializable')) onLook();
          response.writeHead(answer.status);
          for await (const part of answer.body!) response.write(part);
          response.end();
        })().catch(() => response.destroy());
      });
    }).listen(0, '127.0.0.1');
    await once(slow, 'listening');
  });
  afterEach(() => {
    slow.closeAllConnections();
    slow.close();
  });

  test('leaves it to the next one to hear that the holder died', async () => {
    const { port } = slow.address() as AddressInfo;
    const far = new EtcdClient({ endpoints: `http://127.0.0.1:${port}` });
    const [first, last] = locks() as [EtcdLock, EtcdLock];
    const held = await first.acquire();
    const controller = new AbortController();
    onLook = () => controller.abort();
    const granted = new EtcdLock(name, { client: far }).acquire({ signal: controller.signal });
    await waiters(first, 1);
    const waiting = last.acquire();
    await waiters(first, 2);
    await revoke(held);
    await expect(granted).rejects.toThrow('aborted');
    const lease = await waiting;
    expect(lease.abandoned).toBe(true);
    await lease.release();
    await far.close();
  });
});

describe('of whoever died and left its mark', () => {
  /** Another program's place in the queue, with the mark that a holder would leave. */
  async function ghost(side = 'lock/'): Promise<{ die(): Promise<unknown> }> {
    const { ID } = (await ask('lease/grant', { TTL: '60' })) as { ID: string };
    const [queue, marks] =
      side === 'lock/' ? ['lock', 'lock-entered'] : ['read-write-lock', 'read-write-lock-entered'];
    const key = `mortise/${queue}/${name}/${side === 'lock/' ? '' : 'write/'}ghost`;
    const put = (key: string, lease?: string): object => ({
      request_put: { key: base64(key), value: '', lease },
    });
    await ask('kv/txn', { success: [put(key, ID), put(`mortise/${marks}/${name}/ghost`)] });
    return { die: () => ask('lease/revoke', { ID }) };
  }

  test('it is known that it died waiting, though nobody waited behind it', async () => {
    const [first, second, third] = locks() as [EtcdLock, EtcdLock, EtcdLock];
    const held = await first.acquire();
    const dead = await ghost();
    await dead.die();
    await held.release();
    const next = await second.acquire();
    expect(next.abandoned).toBe(false);
    await next.release();
    expect((await cluster.keys()).filter((key) => key.includes(name))).toEqual([]);
    const last = await third.acquire();
    expect(last.abandoned).toBe(false);
    await last.release();
  });

  test('it is told if it was first when it died, even if it may not have known', async () => {
    const [first, second] = locks() as [EtcdLock, EtcdLock];
    const held = await first.acquire();
    const dead = await ghost();
    await held.release();
    await dead.die();
    const next = await second.acquire();
    expect(next.abandoned).toBe(true);
    await next.release();
  });

  test('it is told if it came when nobody was there', async () => {
    const dead = await ghost();
    await dead.die();
    const lease = await locks()[0]!.acquire();
    expect(lease.abandoned).toBe(true);
    await lease.release();
  });

  test('it is told if the past is not known any more', async () => {
    const [first, second] = locks() as [EtcdLock, EtcdLock];
    const held = await first.acquire();
    const dead = await ghost();
    await dead.die();
    await held.release();
    const { header } = (await ask('kv/range', { key: base64('any') })) as unknown as {
      header: { revision: string };
    };
    await ask('kv/compaction', { revision: header.revision });
    const next = await second.acquire();
    expect(next.abandoned).toBe(true);
    await next.release();
  });

  test('a reader has the fence of the last write, not that of a writer who died waiting', async () => {
    const [a, b] = clients.map((client) => new EtcdReadWriteLock(name, { client })) as [
      EtcdReadWriteLock,
      EtcdReadWriteLock,
    ];
    const write = await a.acquireWrite();
    const dead = await ghost('write/');
    await dead.die();
    await write.release();
    const read = await b.acquireRead();
    expect([read.abandoned, read.fence]).toEqual([false, write.fence]);
    await read.release();
  });
});
