/** Is the machine that the model runs on what V8 is, and does the library do on real threads what the model says? */
import { describe, expect, test } from 'vitest';
import { compareScripts } from './model/against-v8.mjs';
import { obstacle } from './model/comparison.mjs';
import { compareSchedules } from './model/on-workers.mjs';
import { comparePromises } from './model/promises.mjs';

const seed = (Math.random() * 2 ** 30) | 0;

/** A comparison of nothing would find nothing. */
function expectCounts(seen: object): void {
  for (const [what, count] of Object.entries(seen)) expect(count, what).toBeGreaterThan(0);
}

test(`The machine's promises are V8's, in random programs from seed ${seed}`, async () => {
  expect(await comparePromises({ programs: 1000, seed })).toBeGreaterThan(10_000);
});

describe('On worker threads', () => {
  test(`the machine's Atomics are V8's, in random scripts from seed ${seed}`, async (context) => {
    if (obstacle !== undefined) context.skip(obstacle);
    expectCounts(await compareScripts({ scripts: 300, seed }));
  }, 120_000);

  test(`the library repeats executions of the model, from seed ${seed}`, async (context) => {
    if (obstacle !== undefined) context.skip(obstacle);
    expectCounts(await compareSchedules({ schedules: 300, seed }));
  }, 120_000);
});
