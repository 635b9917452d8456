/** What a request or a hold leaves behind that ends at an awkward moment. */
import { expect, test } from 'vitest';
import { now } from '../../dist/parker/clock.js';
import { Contender } from '../../dist/remote/contender.js';
import { Hold } from '../../dist/remote/hold.js';
import { rejection } from '../fixtures/rejection.ts';

const terms = { ttl: 300, autoExtend: true, maxHold: Infinity };

test('an acquire whose signal cannot be listened to asks for nothing', async () => {
  let asked = 0;
  const store = {
    description: 'the lock',
    attempt: async () => {
      asked++;
      return { taken: true, fence: 1n, abandoned: false } as const;
    },
    extend: async () => true,
    release: async () => true,
  };
  const side = {
    nextToken: () => 'token',
    waker: null,
    look: 1000,
    isPassing: () => true,
    isClosed: () => false,
  };
  const { signal } = new AbortController();
  signal.addEventListener = () => {
    throw new Error('no listeners here');
  };
  const acquiring = new Contender(side, () => {}).acquire(
    { store, terms, weight: 1 },
    { timeout: Infinity, signal },
  );
  expect(String(await rejection(acquiring))).toMatch(/no listeners here/);
  expect(asked).toBe(0);
});

test.each([0, 1, 2, 3, 4, 5])(
  'a hold released %i microtasks after the answer to extend() is not renewed',
  async (depth) => {
    let answer = (_kept: boolean): void => {};
    let asked = 0;
    const store = {
      description: 'the lock',
      attempt: () => Promise.reject(new Error('not to be asked')),
      extend: () => {
        asked++;
        return asked === 1 ? new Promise<boolean>((resolve) => (answer = resolve)) : Promise.resolve(false);
      },
      release: () => Promise.resolve(true),
    };
    const hold = new Hold(store, 'token', terms, now(), { taken: true, fence: 1n, abandoned: false });
    const extending = hold.extend(terms.ttl).catch(() => {});
    answer(true);
    for (let turn = 0; turn < depth; turn++) await null;
    await Promise.all([hold.leave(), extending]);
    await new Promise((resolve) => void setTimeout(resolve, terms.ttl));
    expect(asked).toBe(1);
  },
);
