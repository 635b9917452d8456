import { defineConfig } from 'vitest/config';
import { BaseSequencer, type TestSpecification } from 'vitest/node';

const measuringCoverage = process.env['NODE_V8_COVERAGE'] !== undefined;

/** The model first: it computes for minutes, and at the end one file alone would keep only one processor busy. */
class ModelFirst extends BaseSequencer {
  override async sort(files: TestSpecification[]): Promise<TestSpecification[]> {
    const isModel = ({ moduleId }: TestSpecification): boolean => moduleId.includes('/test/model');
    const sorted = await super.sort(files);
    return [...sorted.filter(isModel), ...sorted.filter((file) => !isModel(file))];
  }
}

export default defineConfig({
  test: {
    include: ['test/**/*.test.ts'],
    // The default space belongs to a main thread, and the threads pool would give the tests none.
    pool: 'forks',
    // Two files at a time, wherever: many wait for servers and clocks, and two cores are what is always there.
    maxWorkers: 2,
    sequence: { sequencer: ModelFirst },
    // Guards that are collected while held are a promise of the package, so its tests call gc().
    execArgv: ['--expose-gc'],
    testTimeout: 30_000,
    hookTimeout: 30_000,
    retry: 0,
    setupFiles: measuringCoverage ? ['./scripts/flush-coverage.mjs'] : [],
    server: {
      // The tests run the built package as Node.js loads it, one copy for the test and its workers' counters alike.
      deps: { external: [/\/dist\/.*\.js$/] },
    },
  },
});
