/** Nobody trusts the system clock of a client: it may be set at any time. */
import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { RedisLock, type RedisClient } from 'mortise/redis';
import { connect } from './clients.ts';
import { Peer } from './peer.ts';
import { RedisServer } from './server.mjs';

const TTL = 1000;
const HOUR = 3600;
const folder = mkdtempSync(join(tmpdir(), 'mortise-clock-'));
const library = join(folder, 'stepped-clock.so');
const clock = join(folder, 'clock');
let server: RedisServer;
let client: RedisClient;

beforeAll(async () => {
  const source = fileURLToPath(new URL('./stepped-clock.c', import.meta.url));
  execFileSync('cc', ['-shared', '-fPIC', '-O1', '-o', library, source, '-ldl']);
  server = await RedisServer.start();
  client = await connect(server.url);
});
afterAll(async () => {
  await Peer.endAll();
  await server.end();
  rmSync(folder, { recursive: true });
});

/** Sets the clock of the peers that much ahead of the true one. */
function step(hours: number): void {
  // In place: it is mapped.
  writeFileSync(clock, new BigInt64Array([BigInt(hours * HOUR)]), { flag: 'r+' });
}

async function hoursAhead(peer: Peer): Promise<number> {
  const hours = ((await peer.tell<number>('clock')) - Date.now()) / (HOUR * 1000);
  return Math.round(hours) + 0; // not -0
}

const pass = (milliseconds: number): Promise<void> =>
  new Promise((resolve) => setTimeout(resolve, milliseconds));

test.each([
  ['forward', 0, 24],
  ['back', 0, -24],
  ['from the future to now', 1000, 0],
])('a clock that is set %s while a lock is held changes nothing', async (_, before, after) => {
  writeFileSync(clock, new BigInt64Array([BigInt(before * HOUR)]));
  const name = `clock ${before} ${after}`;
  const env = { LD_PRELOAD: library, STEPPED_CLOCK: clock };
  const holder = await Peer.start(server.url, name, TTL, env);
  expect(await hoursAhead(holder)).toBe(before);
  const { fence } = await holder.tell<{ fence: string }>('acquire');
  const lock = new RedisLock(name, { client });

  step(after);
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
  step(before);
  expect(await holder.tell('release')).toBe(true);
});

test('one who waits is served in time, and a time limit is kept, whatever the clock says', async () => {
  writeFileSync(clock, new BigInt64Array([0n]));
  const name = 'clock of one who waits';
  const env = { LD_PRELOAD: library, STEPPED_CLOCK: clock };
  const waiter = await Peer.start(server.url, name, TTL, env);
  const lock = new RedisLock(name, { client });
  const lease = await lock.acquire();
  const limited = waiter.tell<{ code: string; waited: number }>('acquireWithin');
  step(-48);
  const { code, waited } = await limited;
  expect(code).toBe('ERR_LOCK_TIMEOUT');
  expect(waited).toBeGreaterThan(295);
  expect(waited).toBeLessThan(1500);
  const acquired = waiter.tell('acquire');
  step(48);
  await lease.release();
  await acquired;
  expect(await waiter.tell('release')).toBe(true);
});
