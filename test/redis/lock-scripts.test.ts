/**
 * The scripts of a lock against a model of it: whatever a few tokens ask, in whatever order and at whatever time, while the
 * server loses keys and its clock is set, both give the same answers and wake the same.
 */
import { Redis } from 'ioredis';
import fc from 'fast-check';
import { afterAll, beforeAll, expect, test } from 'vitest';
import * as scripts from '../../dist/redis/script.js';
import { LockModel } from './lock-model.ts';
import { RedisServer } from './server.mjs';
import { SteppedClock } from './stepped-clock.ts';

const TOKENS = ['w.1.1', 'w.2.1', 'v.1.1', 'u-_.1.1'];
const DAY = 86_400_000;
const BEGIN = 1_800_000_000_000_000;
const clock = new SteppedClock();
let server: RedisServer;
let client: Redis;
let listener: Redis;
let woken: string[] = [];
let names = 0;

beforeAll(async () => {
  clock.standAt(BEGIN);
  server = await RedisServer.startIn(clock.env);
  client = new Redis(server.port);
  listener = new Redis(server.port);
  listener.on('pmessage', (_, __, message: string) => woken.push(message));
  await listener.psubscribe('mortise:wake:*');
});
afterAll(async () => {
  client.disconnect();
  listener.disconnect();
  await server.end();
  clock.end();
});

function run(script: scripts.Script, ...words: (string | number)[]): Promise<unknown> {
  const [key, ...args] = words as [string, ...(string | number)[]];
  return client
    .evalsha(script.sha, 1, key, ...args)
    .catch((error: Error) =>
      scripts.isUnknownScript(error) ? client.eval(script.text, 1, key, ...args) : Promise.reject(error),
    );
}

const token = fc.constantFrom(...TOKENS);
const ttl = fc.constantFrom(1, 10, 1000, 30_000, 5 * DAY, 2 ** 31 - 1);
/** Rather such times as something happens at. */
const span = fc.oneof(
  fc.constantFrom(1, 9, 10, 999, 1000, 1001, 1999, 2000, 2999, 3000, 3001, 30_000, DAY, 90_000_000),
  fc.nat(4000),
);
const step = fc.oneof(
  {
    weight: 8,
    arbitrary: fc.record({ do: fc.constant('acquire' as const), token, ttl, queues: fc.boolean() }),
  },
  { weight: 4, arbitrary: fc.record({ do: fc.constant('release' as const), token }) },
  { weight: 2, arbitrary: fc.record({ do: fc.constant('extend' as const), token, ttl }) },
  {
    weight: 1,
    arbitrary: fc.record({
      do: fc.constant('raise' as const),
      token,
      by: fc.integer({ min: -5, max: 5_000_000 }),
    }),
  },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('info' as const) }) },
  { weight: 5, arbitrary: fc.record({ do: fc.constant('pass' as const), milliseconds: span }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('goBack' as const), milliseconds: span }) },
  {
    weight: 1,
    arbitrary: fc.record({
      do: fc.constant('lose' as const),
      keys: fc.constantFrom<('lock' | 'queue' | 'alive')[][]>(
        ['lock'],
        ['queue'],
        ['alive'],
        ['lock', 'queue', 'alive'],
      ),
    }),
  },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('forgetScripts' as const) }) },
);
type Step = typeof step extends fc.Arbitrary<infer S> ? S : never;

const fenceOf = (reply: unknown): number =>
  typeof reply === 'number' ? reply : (reply as number[])[0] === 1 ? (reply as number[])[1]! : 0;

/** Takes the steps with the scripts and with the model. @throws where they differ */
async function compare(steps: readonly Step[]): Promise<void> {
  const key = `model:{${++names}}`;
  const keys = { lock: key, queue: `${key}:queue`, alive: `${key}:alive` };
  const model = new LockModel(BEGIN);
  let since = 0;
  let fence = 0;
  let isForgetful = false;
  /** The clock went back, or that of another server is ahead. */
  let clocksDiffer = false;
  woken = [];

  /** What the server answers, and what it should. */
  async function take(it: Step): Promise<[unknown, unknown]> {
    switch (it.do) {
      case 'acquire': {
        const owner = `process ${it.token} on there`;
        const words = [`${it.token} ${++since} ${owner}`, it.ttl, ...(it.queues ? ['1'] : [])];
        const wanted = model.acquire(it.token, owner, since, it.ttl, it.queues);
        return [await run(scripts.LOCK_ACQUIRE, key, ...words), wanted];
      }
      case 'release':
        return [await run(scripts.LOCK_RELEASE, key, it.token), model.release(it.token)];
      case 'extend':
        return [await run(scripts.LOCK_EXTEND, key, it.token, it.ttl), model.extend(it.token, it.ttl)];
      case 'raise': {
        const raised = model.micros + it.by;
        clocksDiffer ||= it.by > 0;
        return [await run(scripts.LOCK_FENCE, key, it.token, raised), model.raise(it.token, raised)];
      }
      case 'info':
        return [await run(scripts.LOCK_INFO, key), model.info()];
      case 'lose':
        await client.del(...it.keys.map((name) => keys[name]));
        for (const name of it.keys) model.lose(name);
        isForgetful ||= it.keys.includes('lock');
        return [null, null];
      case 'forgetScripts':
        return [await client.script('FLUSH'), 'OK'];
      case 'pass':
        model.micros += it.milliseconds * 1000;
        isForgetful ||= it.milliseconds >= DAY;
        return [null, null];
      case 'goBack':
        // The server drops what has expired when it is asked for it, or at some time of its own.
        await client.exists(...Object.values(keys));
        model.goBack(it.milliseconds);
        clocksDiffer = true;
        return [null, null];
    }
  }

  for (const it of steps) {
    // Time passes, if only a little.
    clock.standAt(++model.micros);
    const [answer, wanted] = await take(it);
    expect(answer).toEqual(wanted);
    const value = await client.get(key);
    // Whoever finds no mark looks for no queue.
    if (value !== null && model.isWaitedFor) expect(value).toMatch(/^q/);
    if (it.do !== 'acquire' || fenceOf(answer) === 0) continue;
    // Only both at once can break it.
    if (!isForgetful || !clocksDiffer) expect(fenceOf(answer)).toBeGreaterThanOrEqual(fence);
    fence = Math.max(fence, fenceOf(answer));
  }
  // Messages arrive in the order in which they were sent.
  await client.publish('mortise:wake:', 'last');
  while (woken.at(-1) !== 'last') await new Promise((resolve) => listener.once('pmessage', resolve));
  expect(woken.slice(0, -1)).toEqual(model.woken);
  await client.del(...Object.values(keys));
}

test('the scripts of a lock answer as a model of it does', async () => {
  const steps = fc.array(step, { minLength: 1, maxLength: 60, size: 'max' });
  await fc.assert(fc.asyncProperty(steps, compare), { numRuns: 400, endOnFailure: false });
}, 60_000);
