/** Two locks that are acquired in both orders. */
import { afterAll, expect, onTestFinished, test } from 'vitest';
import { LockManager, type LockScope, type OrderInversionReport } from 'mortise';
import { endThreads, startThread } from '../fixtures/thread.ts';
import { until } from '../fixtures/until.ts';

afterAll(endThreads);

let scopes = 0;

function newLocks(orderInversions = true): { locks: LockScope; told: OrderInversionReport[] } {
  const locks = new LockManager({ orderInversions }).scope(`order ${scopes++}`);
  const told: OrderInversionReport[] = [];
  const note = (report: OrderInversionReport): void => void told.push(report);
  locks.on('order-inversion', note);
  onTestFinished(() => void locks.off('order-inversion', note));
  return { locks, told };
}

const nested = (locks: LockScope, first: string, second: string): Promise<void> =>
  locks.lock(first).withLock(() => locks.lock(second).withLock(() => undefined));

test('is told of before it deadlocks, once, with both places', async () => {
  const { locks, told } = newLocks();
  await nested(locks, 'a', 'b');
  await nested(locks, 'a', 'b');
  expect(told).toEqual([]);
  for (let times = 0; times < 3; times++) await nested(locks, 'b', 'a');
  await nested(locks, 'a', 'b');
  expect(told).toHaveLength(1);
  const [a, b] = [locks.lock('a').name, locks.lock('b').name];
  expect(told[0]).toMatchObject({
    names: [a, b],
    orders: [
      { first: a, second: b, thread: 0, where: expect.stringMatching(/lock-order\.test\.ts/) },
      { first: b, second: a, thread: 0, where: expect.stringMatching(/lock-order\.test\.ts/) },
    ],
  });
});

test('is told of whatever form the inner acquire has', async () => {
  for (const inner of [
    async (locks: LockScope) => (await locks.lock('a').acquire()).release(),
    (locks: LockScope) => locks.lock('a').acquireSync().release(),
    (locks: LockScope) => locks.lock('a').withLockSync(() => undefined),
    async (locks: LockScope) => (await locks.acquireAll(['a'])).release(),
  ]) {
    const { locks, told } = newLocks();
    await locks.lock('a').withLock(() => locks.lock('b').withLockSync(() => undefined));
    await locks.lock('b').withLock(() => inner(locks));
    expect([inner.toString(), told.length]).toEqual([inner.toString(), 1]);
  }
});

test('is none where nobody would wait for the other', async () => {
  const { locks, told } = newLocks();
  // One order for all.
  await locks.lock('a').withLock(() => nested(locks, 'b', 'c'));
  await nested(locks, 'a', 'c');
  // One after the other.
  await locks.lock('c').withLock(() => undefined);
  await locks.lock('a').withLock(() => undefined);
  // Both read one of them.
  await locks.readLock('r').withLock(() => locks.lock('a').withLock(() => undefined));
  await locks.lock('a').withLock(() => locks.readLock('r').withLock(() => undefined));
  expect(told).toEqual([]);
  await locks.lock('a').withLock(() => locks.writeLock('w').withLock(() => undefined));
  await locks.readLock('w').withLock(() => locks.lock('a').withLock(() => undefined));
  expect(told).toHaveLength(1);
});

test('is told of between threads', async () => {
  const thread = await startThread();
  const { locks, told } = newLocks();
  const names = ['a', 'b'].map((name) => locks.lock(name).name);
  await thread.run(async ({ LockManager }, [a, b]) => {
    const locks = new LockManager({ orderInversions: true });
    await locks.lock(a!).withLock(() => locks.lock(b!).withLock(() => undefined));
  }, names);
  await nested(locks, 'b', 'a');
  await until(() => told.length > 0, 'it is told of');
  expect(told).toHaveLength(1);
  expect(new Set(told[0]!.orders.map((order) => order.thread))).toEqual(new Set([0, thread.worker.threadId]));
});

test('is of no interest unless it is asked for', async () => {
  const { locks, told } = newLocks(false);
  await nested(locks, 'a', 'b');
  await nested(locks, 'b', 'a');
  expect(told).toEqual([]);
});
