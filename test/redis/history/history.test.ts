/** The short run of `npm run history`: a minute with faults. */
import { expect, test } from 'vitest';
import { check } from './checker.mjs';
import { trial } from './trial.mjs';

test.each([
  ['a server that keeps what it knows', { servers: 1, forgets: false }],
  ['a server that forgets', { servers: 1, forgets: true }],
  ['three servers together', { servers: 3, forgets: false }],
])(
  'Locks on %s keep their promises while lines, workers and servers fail',
  async (_, setting) => {
    const seed = (Math.random() * 2 ** 31) | 0;
    console.log(`history seed ${seed}`);
    const { violations, counts } = check(await trial({ ...setting, seed, seconds: 20 }));
    expect(violations).toEqual([]);
    // It has tried what it is for.
    expect(counts['holds']).toBeGreaterThan(50);
    expect(counts['writes']).toBeGreaterThan(10);
    expect(counts['faults']).toBeGreaterThan(10);
  },
  120_000,
);

test('Locks on a cluster of etcd keep their promises while lines, workers and members fail, the leader too', async () => {
  const seed = (Math.random() * 2 ** 31) | 0;
  console.log(`history seed ${seed}`);
  const { violations, counts } = check(await trial({ seed, seconds: 20, kind: 'etcd', ttl: 2000 }));
  expect(violations).toEqual([]);
  expect(counts['holds']).toBeGreaterThan(20);
  expect(counts['writes']).toBeGreaterThan(10);
  expect(counts['faults']).toBeGreaterThan(10);
}, 120_000);
