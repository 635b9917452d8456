/** A client may throw where it should reject: ioredis does, with `enableAutoPipelining`, for a slot that no node has. */
import { expect, test } from 'vitest';
import { Contender, type Side } from '../../dist/remote/contender.js';
import { ioRedisDriver } from '../../dist/redis/ioredis.js';
import { LockStore } from '../../dist/redis/lock-store.js';
import { nodeRedisDriver } from '../../dist/redis/node-redis.js';
import { QuorumStore } from '../../dist/redis/quorum-store.js';
import { rejection } from '../fixtures/rejection.ts';

const TTL = 300;
const forever = { timeout: Infinity, signal: undefined };
const kinds = ['ioredis', 'node-redis'] as const;

/** A lock that is always free, of a client that throws at the calls with these numbers. */
function throwing(kind: (typeof kinds)[number], calls: readonly number[]) {
  let tokens = 0;
  let count = 0;
  const answer = ([who = '']: readonly string[]): Promise<unknown> => {
    if (calls.includes(++count)) throw new TypeError('this slot has no node');
    return Promise.resolve(who.includes(' ') ? '5' : 1);
  };
  const ofIoRedis = (_script: string, _keys: number, _key: string, ...args: string[]) => answer(args);
  const ofNodeRedis = (_script: string, options: { arguments?: string[] }) => answer(options.arguments ?? []);
  const driver =
    kind === 'ioredis'
      ? ioRedisDriver({ status: 'ready', evalsha: ofIoRedis, eval: ofIoRedis })
      : nodeRedisDriver({ isOpen: true, evalSha: ofNodeRedis, eval: ofNodeRedis });
  const store = new LockStore(driver, 'the lock', 'key');
  const side: Side = {
    nextToken: () => `token${++tokens}`,
    waker: null,
    look: 1000,
    isPassing: () => true,
    isClosed: () => false,
  };
  const wish = { store, weight: 1, terms: { ttl: TTL, autoExtend: true, maxHold: Infinity } };
  const contender = new Contender(side, () => {});
  return { contender, wish, asked: () => count };
}

for (const kind of kinds) {
  test(`${kind}: an acquire asks again`, async () => {
    const { contender, wish, asked } = throwing(kind, [1]);
    const hold = await contender.acquire(wish, forever);
    expect(asked()).toBe(2);
    await hold.leave();
  });

  test(`${kind}: those behind the head are served`, async () => {
    const { contender, wish } = throwing(kind, [2]);
    const holds = await Promise.all([1, 2, 3].map(() => contender.acquire(wish, forever)));
    await Promise.all(holds.map((hold) => hold.leave()));
  });

  test(`${kind}: a release rejects, and the hold is over`, async () => {
    const { contender, wish, asked } = throwing(kind, [2]);
    const hold = await contender.acquire(wish, forever);
    let ends = 0;
    hold.onEnd = () => void ends++;
    expect(String(await rejection(hold.leave()))).toMatch(/was not released yet: this slot has no node/);
    expect([hold.isHeld, ends]).toEqual([false, 1]);
    // It was told once more, and is not renewed.
    await new Promise((resolve) => void setTimeout(resolve, TTL));
    expect(asked()).toBe(3);
  });

  test(`${kind}: of several servers, one that throws has failed`, async () => {
    const stores = [[1], [], []].map((calls) => throwing(kind, calls).wish.store);
    const store = new QuorumStore('the lock', stores, TTL);
    expect(await store.attempt('token', TTL)).toMatchObject({ taken: true });
  });
}
