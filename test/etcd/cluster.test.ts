/** A cluster of three members, some of which fail. */
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { BackendUnavailableError, LockLostError, LockTimeoutError } from 'mortise';
import { EtcdClient, EtcdLock, type EtcdLease } from 'mortise/etcd';
import { until } from '../fixtures/until.ts';
import { EtcdCluster, type EtcdMember } from './cluster.mjs';

let cluster: EtcdCluster;
let clients: EtcdClient[];
let names = 0;
let locks: EtcdLock[];

beforeAll(async () => {
  cluster = await EtcdCluster.start(3);
});
beforeEach(() => {
  // Each asks another member first.
  clients = cluster.endpoints.map(
    (_, first) =>
      new EtcdClient({
        endpoints: [...cluster.endpoints.slice(first), ...cluster.endpoints.slice(0, first)],
      }),
  );
  const name = `lock-${++names}`;
  locks = clients.map((client) => new EtcdLock(name, { client, ttl: 9000 }));
});
afterEach(() => Promise.all(clients.map((client) => client.close())));
afterAll(() => cluster.end());

async function rejection(promise: Promise<unknown>): Promise<unknown> {
  return promise.then(
    () => expect.fail('was not rejected'),
    (reason: unknown) => reason,
  );
}

async function waiters(count: number): Promise<void> {
  await until(async () => (await locks[0]!.info()).waiters === count, `${count} wait`);
}

/** Somebody holds, the others wait, in this order, each through another member. */
async function lineUp(): Promise<{ held: EtcdLease; waiting: Promise<EtcdLease>[] }> {
  const held = await locks[0]!.acquire();
  const waiting: Promise<EtcdLease>[] = [];
  for (const lock of locks.slice(1)) {
    const next = lock.acquire();
    next.catch(() => {}); // It is waited for later.
    waiting.push(next);
    await waiters(waiting.length);
  }
  return { held, waiting };
}

/** The lock goes through all hands, and nobody has lost it. */
async function passOn({ held, waiting }: { held: EtcdLease; waiting: Promise<EtcdLease>[] }): Promise<void> {
  let holder = held;
  for (const next of waiting) {
    expect(holder.held).toBe(true);
    // An election may take longer than a release waits for its answer: then it is done in the background.
    const released: unknown = await holder.release().catch((error: unknown) => error);
    expect(released === true || released instanceof BackendUnavailableError).toBe(true);
    const lease = await next;
    expect(lease.fence > holder.fence).toBe(true);
    expect(lease.abandoned).toBe(false);
    holder = lease;
  }
  await holder.release().catch((error: unknown) => expect(error).toBeInstanceOf(BackendUnavailableError));
}

async function memberThat(isLeader: boolean): Promise<EtcdMember> {
  for (const member of cluster.members) if ((await member.isLeader()) === isLeader) return member;
  throw new Error('there is none');
}

describe.each([
  ['a follower', false],
  ['the leader', true],
])('%s', (_, isLeader) => {
  test('that is killed takes no lock with it, and no place', async () => {
    const line = await lineUp();
    const member = await memberThat(isLeader);
    await member.kill();
    try {
      await passOn(line);
    } finally {
      await cluster.run(member);
    }
  });

  test('that stands still for less than the time to live takes no lock with it, and no place', async () => {
    const line = await lineUp();
    const member = await memberThat(isLeader);
    member.pause();
    try {
      await passOn(line);
    } finally {
      member.resume();
      await cluster.whole();
    }
  });
});

test('a majority that is gone: nobody is given the lock, and the holder is told in time', async () => {
  const ttl = 4000;
  const [holder, rival, stranger] = clients.map((client, place) => {
    return new EtcdLock(place < 2 ? `lock-${names}` : 'free', { client, ttl });
  }) as [EtcdLock, EtcdLock, EtcdLock];
  const held = await holder.acquire();
  const lost = cluster.members.slice(1);
  for (const member of lost) member.pause();
  const since = performance.now();
  try {
    const tried = rejection(rival.tryAcquire());
    const waited = rejection(stranger.acquire({ timeout: 2000 }));
    expect(await waited).toBeInstanceOf(LockTimeoutError);
    await until(() => held.signal.aborted, 'the holder is told');
    // Not even a cluster that is whole again at once gives it to anybody sooner than that.
    expect(performance.now() - since).toBeLessThan(ttl);
    expect(held.signal.reason).toBeInstanceOf(LockLostError);
    const error = (await tried) as BackendUnavailableError;
    expect(error).toBeInstanceOf(BackendUnavailableError);
    for (const endpoint of cluster.endpoints) expect(error.message).toContain(endpoint);
  } finally {
    for (const member of lost) member.resume();
  }
  await cluster.whole();
  const next = await rival.acquire();
  expect(next.fence > held.fence).toBe(true);
  expect(next.abandoned).toBe(true);
  expect(await held.release()).toBe(false);
  await next.release();
});

test('a member without a leader says so at once', async () => {
  const [member, ...others] = cluster.members as [EtcdMember, EtcdMember, EtcdMember];
  const alone = new EtcdClient({ endpoints: member.url });
  const lock = new EtcdLock('alone', { client: alone });
  await lock.isLocked();
  await Promise.all(others.map((it) => it.kill()));
  try {
    let message = '';
    await until(async () => {
      message = ((await rejection(lock.isLocked())) as Error).message;
      return message.includes('no leader');
    }, 'it knows that it has none');
    expect(message).toContain(member.url);
  } finally {
    await cluster.run(...others);
  }
  await (await lock.acquire()).release();
  await alone.close();
});
