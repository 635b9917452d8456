/** Random and PCT schedules of every subject of every primitive, with every fault. */
import { availableParallelism } from 'node:os';
import { Piscina } from 'piscina';
import { afterAll, describe, expect, test } from 'vitest';
import { schedules } from './model/plan.mjs';
import { nameOf, type Result } from './model/task.mjs';

/** For each primitive and strategy; every case has the same share but for those whose subject says less. */
const EXECUTIONS = { sync: 100_000, async: 10_000 };
/** What is no primitive of its own has fewer. */
const FEWER: Record<string, number> = { situation: 14_000, 'full stack': 3_000 };

interface Case {
  subject: { hasSections?: boolean; share?: number };
  budget: { deaths?: number; kills?: number };
}
type Outcome = Result & { name: string; leastSections: number; leastDeaths: number };

// One pool for all: each of its threads has to compile the library and to warm up.
const pool = new Piscina<object, Result>({
  filename: new URL('model/task.mjs', import.meta.url).href,
  maxThreads: availableParallelism(),
});
afterAll(() => pool.destroy());

const seed = (Math.random() * 2 ** 30) | 0;

function exploreCase(one: Case, task: object): Promise<Outcome> {
  const name = nameOf(one);
  const { subject, budget } = one;
  // For each execution. Two deaths may leave nobody of two threads.
  const leastSections = subject.hasSections === false ? 0 : (budget.deaths ?? 0) > 1 ? 0.25 : 0.5;
  const isMortal = (budget.deaths ?? 0) + (budget.kills ?? 0) > 0;
  const leastDeaths = isMortal ? 0.25 : 0;
  return pool
    .run({ ...task, name, seed })
    .then((result) => ({ ...result, name, leastSections, leastDeaths }));
}

describe(`With seed ${seed}`, () => {
  for (const { name: primitive, ...kinds } of schedules)
    for (const kind of ['sync', 'async'] as const)
      for (const strategy of ['random', 'pct']) {
        const cases = kinds[kind] as Case[];
        if (cases.length === 0) continue;
        const isArranged = primitive === 'situation';
        const all = Math.min(FEWER[primitive] ?? Infinity, EXECUTIONS[kind]);
        const share = ({ subject }: Case): number => subject.share ?? 1;
        const perShare = all / cases.reduce((sum, one) => sum + share(one), 0);
        // Now, so that the pool is never idle between two tests.
        const running = Promise.all(
          cases.map((one) => exploreCase(one, { strategy, executions: Math.ceil(perShare * share(one)) })),
        );
        running.catch(() => undefined); // Its test tells.

        const title = `every claim about a ${primitive} holds in ${all} ${strategy} schedules, ${kind}`;
        test(title, { timeout: 600_000 }, async () => {
          for (const outcome of await running) {
            const { name, leastSections, leastDeaths, failure, executions = 0 } = outcome;
            const { steps, sections, deaths } = outcome;
            if (failure !== undefined) throw new Error(failure);
            expect(steps, name).toBeGreaterThan((isArranged ? 4 : 10) * executions);
            // Situations do not count theirs.
            if (!isArranged) expect(sections, name).toBeGreaterThanOrEqual(leastSections * executions);
            if (!isArranged) expect(deaths, name).toBeGreaterThanOrEqual(leastDeaths * executions);
          }
        });
      }
});
