/** The model checker on the library itself, a bounded run, and whether it finds what it is there for. */
import { execFile } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { describe, expect, test } from 'vitest';
import { exhaustive, pct, random } from './model/explore.mjs';
import { faults } from './model/faults.mjs';
import { bounded, small } from './model/plan.mjs';
import { explain, shrink } from './model/report.mjs';

const run = promisify(execFile);
const seed = (Math.random() * 2 ** 30) | 0;

/** Says a failure in words. */
function explained<T>(explore: () => T): T {
  try {
    return explore();
  } catch (error) {
    if (!(error instanceof Error) || !('choices' in error)) throw error;
    throw new Error(
      explain(Object.assign(shrink(error as never), { seed: (error as { seed?: number }).seed })),
      {
        cause: error,
      },
    );
  }
}

describe('Every claim holds', () => {
  for (const { subject, budget } of bounded)
    for (const strategy of [random, pct])
      test(`in ${strategy.name} schedules of ${subject.name}, ${JSON.stringify(budget)}, seed ${seed}`, () => {
        const result = explained(() => strategy(subject, { budget, executions: 1000, seed }));
        expect(result.sections).toBeGreaterThan(0);
      });
});

describe('Every claim holds in all schedules', () => {
  for (const { subject, budget } of small)
    test(`of ${subject.name}`, () => {
      const result = explained(() => exhaustive(subject, { budget, limit: 100_000 }));
      expect(result.complete).toBe(true);
      expect(result.states).toBeGreaterThan(50);
    });
});

test('Remembering states leaves out no state: the same are reached without it', () => {
  const { subject } = small[0]!;
  const remembered = explained(() => exhaustive(subject, {}));
  const plain = explained(() => exhaustive(subject, { remember: false, collect: true }));
  expect(plain.complete).toBe(true);
  expect(plain.states).toBe(remembered.states);
  expect(plain.executions).toBeGreaterThan(100 * remembered.executions);
});

describe('The checker finds', () => {
  for (const { name } of faults)
    test(name, { timeout: 120_000 }, async () => {
      const { stdout } = await run(process.execPath, [
        fileURLToPath(new URL('model/find-fault.mjs', import.meta.url)),
        name,
      ]);
      expect((JSON.parse(stdout) as { found?: string }).found).toBeDefined();
    });
});
