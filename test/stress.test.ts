import { expect, test } from 'vitest';
import { Stress } from './stress/harness.mjs';
import { stressNames } from './stress/naming.mjs';

test('Workers killed at random take nothing with them (the short run of `npm run stress`)', async () => {
  const seed = (Math.random() * 2 ** 31) | 0;
  console.log(`stress seed ${seed}`);
  const result = await new Stress({ seed, workers: 5 }).run(15);

  expect(result.stuck).toBeUndefined();
  expect(result.violations).toEqual([]);
  expect(result.errors).toEqual([]);
  expect(result.permitsBack).toBe(result.permits);
  expect(result.leftover).toBeUndefined();
  expect(result.settled).toBe(true);
  // It has tried what it is for.
  expect(result.kills).toBeGreaterThan(50);
  expect(result.sections).toBeGreaterThan(10_000);
  for (const { name, counts } of result.subjects) expect(counts.sections, name).toBeGreaterThan(100);
  expect(result.abandoned).toBeGreaterThan(0);
  expect(result.worstStall).toBeLessThan(1_000);
}, 60_000);

for (const locks of [5, 8])
  test(`Workers killed while they make, use and dispose of named locks leave a space of ${locks} as it was`, async () => {
    const seed = (Math.random() * 2 ** 31) | 0;
    console.log(`naming stress seed ${seed}`);
    const result = await stressNames({ seed, seconds: 4, workers: 3, locks });

    expect(result.errors).toEqual([]);
    expect(result.violations).toEqual([]);
    expect(result.room).toBe(result.locks);
    expect(result.kills).toBeGreaterThan(10);
    expect(result.disposed).toBeGreaterThan(100);
    expect(result.full > 0).toBe(locks < 7);
  }, 60_000);
