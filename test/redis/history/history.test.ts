/** The short run of `npm run history`. */
import { expect, test } from 'vitest';
import { check } from './checker.mjs';
import { trial } from './trial.mjs';

test.each([
  ['that keeps what it knows', false],
  ['that forgets', true],
])(
  'Locks on a server %s keep their promises while lines, workers and the server fail',
  async (_, forgets) => {
    const seed = (Math.random() * 2 ** 31) | 0;
    console.log(`history seed ${seed}`);
    const { violations, counts } = check(await trial({ seed, seconds: 8, forgets }));
    expect(violations).toEqual([]);
    // It has tried what it is for.
    expect(counts['holds']).toBeGreaterThan(50);
    expect(counts['writes']).toBeGreaterThan(10);
    expect(counts['faults']).toBeGreaterThan(10);
  },
  90_000,
);

test('Locks on a cluster of etcd keep their promises while lines, workers and members fail, the leader too', async () => {
  const seed = (Math.random() * 2 ** 31) | 0;
  console.log(`history seed ${seed}`);
  const { violations, counts } = check(await trial({ seed, seconds: 10, kind: 'etcd', ttl: 2000 }));
  expect(violations).toEqual([]);
  expect(counts['holds']).toBeGreaterThan(30);
  expect(counts['writes']).toBeGreaterThan(10);
  expect(counts['faults']).toBeGreaterThan(10);
}, 90_000);
