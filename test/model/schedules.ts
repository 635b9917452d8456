/** Declares the tests of one primitive: random and PCT schedules of all its subjects, with every fault. */
import { availableParallelism } from 'node:os';
import { Piscina } from 'piscina';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { schedules } from './plan.mjs';
import { nameOf, type Result } from './task.mjs';

/** Per strategy; every case gets the same share. */
const EXECUTIONS = { sync: 100_000, async: 10_000 };
/** Situations are many and small. */
const ARRANGED = 14_000;

export function exploreSchedules(primitive: string): void {
  const seed = (Math.random() * 2 ** 30) | 0;
  const found = schedules.find(({ name }) => name === primitive)!;
  describe(`Every claim about a ${primitive} holds, seed ${seed}`, () => {
    let pool: Piscina<object, Result>;
    beforeAll(() => {
      pool = new Piscina({
        filename: new URL('task.mjs', import.meta.url).href,
        maxThreads: availableParallelism(),
      });
    });
    afterAll(() => pool.destroy());

    for (const kind of ['sync', 'async'] as const)
      for (const strategy of ['random', 'pct']) {
        const cases = found[kind];
        const all = primitive === 'situation' ? ARRANGED : EXECUTIONS[kind];
        const executions = Math.ceil(all / cases.length);
        if (cases.length === 0) continue;
        test(`in ${all} ${strategy} schedules of ${kind} programs`, { timeout: 300_000 }, async () => {
          const results = await Promise.all(
            cases.map(async (one: Parameters<typeof nameOf>[0]) => {
              const name = nameOf(one);
              return {
                name,
                hasSections: (one as { subject: { hasSections?: boolean } }).subject.hasSections !== false,
                ...(await pool.run({ strategy, name, executions, seed })),
              };
            }),
          );
          for (const { name, hasSections, failure, steps, sections } of results) {
            if (failure !== undefined) throw new Error(failure);
            expect(steps, name).toBeGreaterThan((primitive === 'situation' ? 4 : 10) * executions);
            // Situations do not count theirs.
            if (primitive !== 'situation' && hasSections)
              expect(sections, name).toBeGreaterThan(executions / 2);
          }
        });
      }
  });
}
