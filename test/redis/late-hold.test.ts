/** Between the answer of a server and the moment at which somebody has the lock in hand, its time may run out as well. */
import { expect, test } from 'vitest';
import { Contender, type Side, type Wish } from '../../dist/remote/contender.js';
import { until } from '../fixtures/until.ts';

const TTL = 50;

function block(milliseconds: number): void {
  for (const end = performance.now() + milliseconds; performance.now() < end;);
}

/** A lock that is always free. It takes too long to begin to renew the first hold, and says what was given back. */
function slowAtFirst(delay: number) {
  let tokens = 0;
  let renewals = 0;
  const released: string[] = [];
  const side: Side = {
    nextToken: () => `token ${++tokens}`,
    waker: null,
    look: 1000,
    isPassing: () => false,
    isClosed: () => false,
  };
  const renewal = { start: () => {}, cease: () => {}, stop: () => {}, reason: 'it was late' };
  const wish: Wish = {
    weight: 1,
    terms: {
      ttl: TTL,
      autoExtend: false,
      maxHold: Infinity,
      renewal: () => {
        if (++renewals === 1) block(delay);
        return renewal;
      },
    },
    store: {
      description: 'the lock',
      attempt: async () => ({ taken: true, fence: 1n, abandoned: false }),
      extend: async () => true,
      release: async (token) => released.push(token) > 0,
    },
  };
  return { contender: new Contender(side, () => {}), wish, released };
}

/** Until it is over, and until so little is left that it may be over by the time that somebody has it. */
const delays = [2 * TTL, TTL - 4];

test.each(delays)('an acquire goes on, and gives back what was over, %i ms late', async (delay) => {
  const { contender, wish, released } = slowAtFirst(delay);
  const hold = await contender.acquire(wish, { timeout: Infinity, signal: undefined });
  expect(hold.token).toBe('token 2');
  expect(hold.isHeld).toBe(true);
  await until(() => released.length > 0, 'it is given back');
  expect(released).toEqual(['token 1']);
});

test.each(delays)(
  'one attempt has come to nothing, and gives back what was over, %i ms late',
  async (delay) => {
    const { contender, wish, released } = slowAtFirst(delay);
    expect(await contender.try(wish)).toBeNull();
    expect(released).toEqual(['token 1']);
  },
);
