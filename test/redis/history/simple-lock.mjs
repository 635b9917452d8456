/**
 * A lock as many programs have one, in as few lines as it takes to be sound: what is asked is asked with a token, and the
 * validity counts from before. And the same with one fault each, for the checker to find.
 */
import { randomUUID } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';

export const FAULTS = [
  'no owner check on release',
  'no validity check',
  'a fence that restarts',
  'a wake-up that is lost',
  'a grant in two steps',
];

const TAKE = `
  if not redis.call('SET', KEYS[1], ARGV[1], 'NX', 'PX', ARGV[2]) then return 0 end
  return redis.call('INCR', KEYS[2])`;
const TAKE_UNSEEN = `
  redis.call('SET', KEYS[1], ARGV[1], 'PX', ARGV[2])
  return redis.call('INCR', KEYS[2])`;
const RELEASE = `
  if redis.call('GET', KEYS[1]) ~= ARGV[1] then return 0 end
  return redis.call('DEL', KEYS[1])`;
const RELEASE_ANY = `return redis.call('DEL', KEYS[1])`;
const RELEASE_AND_FORGET = `
  if redis.call('GET', KEYS[1]) ~= ARGV[1] then return 0 end
  if tonumber(redis.call('GET', KEYS[2])) > 20 then redis.call('DEL', KEYS[2]) end
  return redis.call('DEL', KEYS[1])`;

const releases = {
  'no owner check on release': RELEASE_ANY,
  'a fence that restarts': RELEASE_AND_FORGET,
};

/** `fault` is one of {@link FAULTS}, or 'sound'. */
export function simpleLock(fault, client, name, ttl) {
  const keys = [`simple:{${name}}`, `simple:{${name}}:fence`];
  const queue = `simple:{${name}}:queue`;
  const run = (script, ...words) => client.eval(script, { keys, arguments: words.map(String) });

  async function take(token) {
    if (fault !== 'a grant in two steps') return run(TAKE, token, ttl);
    if ((await client.get(keys[0])) !== null) return 0;
    return run(TAKE_UNSEEN, token, ttl);
  }

  /** A fence and until when it is held, or undefined. */
  async function attempt(token) {
    const sentAt = performance.now();
    const fence = Number(await take(token).catch(() => 0));
    if (fence === 0) return undefined;
    if (fault === 'no validity check') return { fence, until: performance.now() + ttl };
    const until = sentAt + ttl * 0.99 - 2;
    return until > performance.now() ? { fence, until } : undefined;
  }

  async function waitForRelease(signal) {
    if (fault !== 'a wake-up that is lost') return sleep(20);
    // The first in the queue alone is woken, whether or not it still waits; and nobody looks by himself.
    const me = randomUUID();
    const listener = client.duplicate();
    listener.on('error', () => {});
    await listener.connect();
    await new Promise((resolve) => {
      signal?.addEventListener('abort', resolve);
      listener
        .subscribe(me, resolve)
        .then(() => client.rPush(queue, me))
        .catch(() => {});
    });
    listener.destroy();
  }

  return async function acquire({ timeout } = {}) {
    const signal = timeout === undefined ? undefined : AbortSignal.timeout(timeout);
    for (;;) {
      const token = randomUUID();
      const taken = await attempt(token);
      if (taken !== undefined && !signal?.aborted) return lease(token, taken);
      // It may have come too late, or have been taken by a request without an answer.
      await run(RELEASE, token).catch(() => 0);
      if (signal?.aborted) throw Object.assign(new Error('timed out'), { code: 'ERR_LOCK_TIMEOUT' });
      await waitForRelease(signal);
    }
  };

  function lease(token, { fence, until }) {
    let isReleased = false;
    return {
      fence: BigInt(fence),
      signal: new AbortController().signal,
      get remaining() {
        return isReleased ? 0 : Math.max(0, until - performance.now());
      },
      async release() {
        isReleased = true;
        const ok = Number(await run(releases[fault] ?? RELEASE, token)) === 1;
        const next = await client.lPop(queue);
        if (next !== null) await client.publish(next, '');
        return ok && fault !== 'no owner check on release';
      },
    };
  }
}
