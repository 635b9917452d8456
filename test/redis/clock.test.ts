/** Nobody trusts the system clock of a client: it may be set at any time. The server's decides, and may be set as well. */
import { afterAll, beforeAll, expect, onTestFinished, test } from 'vitest';
import { RedisLock, RedisSemaphore, type RedisClient } from 'mortise/redis';
import { until } from '../fixtures/until.ts';
import { connect, kinds } from './clients.ts';
import { Peer } from './peer.ts';
import { RedisServer } from './server.mjs';
import { SteppedClock } from './stepped-clock.ts';

const TTL = 1000;
const HOUR = 3_600_000;
const clock = new SteppedClock();
let server: RedisServer;
let client: RedisClient;

beforeAll(async () => {
  server = await RedisServer.start();
  client = await connect(server.url);
});
afterAll(async () => {
  await Peer.endAll();
  await server.end();
  clock.end();
});

async function hoursAhead(peer: Peer): Promise<number> {
  const hours = ((await peer.tell<number>('clock')) - Date.now()) / HOUR;
  return Math.round(hours) + 0; // not -0
}

const pass = (milliseconds: number): Promise<void> =>
  new Promise((resolve) => setTimeout(resolve, milliseconds));

test.each([
  ['forward', 0, 24],
  ['back', 0, -24],
  ['from the future to now', 1000, 0],
])('a clock that is set %s while a lock is held changes nothing', async (_, before, after) => {
  clock.step(before);
  const name = `clock ${before} ${after}`;
  const holder = await Peer.start(server.url, name, TTL, clock.env);
  expect(await hoursAhead(holder)).toBe(before);
  const { fence } = await holder.tell<{ fence: string }>('acquire');
  const lock = new RedisLock(name, { client });

  clock.step(after);
  expect(await hoursAhead(holder)).toBe(after);
  // Renewals go on: it is held for longer than it lasts by itself.
  for (let round = 0; round < 4; round++) {
    await pass(TTL / 2);
    const { held, remaining, aborted } = await holder.tell<{
      held: boolean;
      remaining: number;
      aborted: boolean;
    }>('state');
    expect({ held, aborted }).toEqual({ held: true, aborted: false });
    expect(remaining).toBeGreaterThan(0);
    expect(remaining).toBeLessThanOrEqual(TTL);
    expect(await lock.tryAcquire()).toBeNull();
  }

  // Neither are fences made by that clock.
  expect(await holder.tell('release')).toBe(true);
  expect(await lock.withLock((lease) => lease.fence > BigInt(fence))).toBe(true);
  const again = await holder.tell<{ fence: string }>('acquire');
  expect(BigInt(again.fence) > BigInt(fence)).toBe(true);
  clock.step(before);
  expect(await holder.tell('release')).toBe(true);
});

test('one who waits is served in time, and a time limit is kept, whatever the clock says', async () => {
  clock.step(0);
  const name = 'clock of one who waits';
  const waiter = await Peer.start(server.url, name, TTL, clock.env);
  const lock = new RedisLock(name, { client });
  const lease = await lock.acquire();
  const limited = waiter.tell<{ code: string; waited: number }>('acquireWithin');
  clock.step(-48);
  const { code, waited } = await limited;
  expect(code).toBe('ERR_LOCK_TIMEOUT');
  expect(waited).toBeGreaterThan(295);
  expect(waited).toBeLessThan(1500);
  const acquired = waiter.tell('acquire');
  clock.step(48);
  await lease.release();
  await acquired;
  expect(await waiter.tell('release')).toBe(true);
});

test.each([
  ['a lock', (client: RedisClient) => new RedisLock('back', { client })],
  ['a semaphore', (client: RedisClient) => new RedisSemaphore('back', { client, permits: 1 })],
])(
  'when the clock of the server is set back, who died waiting for %s delays nobody for longer',
  async (_, make) => {
    clock.step(0);
    const own = await RedisServer.startIn(clock.env);
    onTestFinished(() => own.end());
    const lock = make(await connect(own.url));
    const [dying, die] = await kinds['ioredis 6']!(own.url);
    const lease = await lock.acquire();
    const failure = make(dying)
      .acquire()
      .catch((error: unknown) => error);
    await until(async () => (await lock.info()).waiters === 1, 'it waits');
    die();
    await failure;
    // It is kept for the dead one, for a second by the clock as it was.
    expect(await lease.release()).toBe(true);
    clock.step(-1);
    const begin = performance.now();
    const next = await lock.acquire({ timeout: 20_000 });
    expect(performance.now() - begin).toBeLessThan(15_000);
    await next.release();
  },
);
