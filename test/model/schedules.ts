/** Declares the tests of one primitive: random and PCT schedules of all its subjects, with every fault. */
import { describe, expect, test } from 'vitest';
import { schedules } from './plan.mjs';
import runTask, { nameOf } from './task.mjs';

/** Per strategy; every case gets the same share. */
const EXECUTIONS = { sync: 100_000, async: 10_000 };

export function exploreSchedules(primitive: string): void {
  const seed = (Math.random() * 2 ** 30) | 0;
  const found = schedules.find(({ name }) => name === primitive)!;
  describe(`Every claim about a ${primitive} holds, seed ${seed}`, () => {
    for (const kind of ['sync', 'async'] as const)
      for (const strategy of ['random', 'pct'])
        for (const one of found[kind]) {
          const name = nameOf(one);
          const executions = Math.ceil(EXECUTIONS[kind] / found[kind].length);
          test(`in ${executions} ${strategy} schedules of ${name}`, { timeout: 180_000 }, () => {
            const result = runTask({ strategy, name, executions, seed });
            if (result.failure !== undefined) throw new Error(result.failure);
            expect(result.sections).toBeGreaterThan(executions / 2);
          });
        }
  });
}
