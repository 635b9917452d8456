// Runs the test suite and says which lines of src/ ran, in the tests' own processes, in their worker threads
// and in their child processes. Fails when a test fails or when too few lines ran.
//
//   npm run coverage                 the whole suite
//   npm run coverage -- test/x.test.ts   arguments go to vitest; the limit is not enforced on a part of the suite
import { spawnSync } from 'node:child_process';
import { readFileSync, rmSync } from 'node:fs';
import { createRequire } from 'node:module';
import path from 'node:path';
import process from 'node:process';
import { fileURLToPath } from 'node:url';
import { linesThatRun } from './lines-that-run.mjs';

const { Report } = createRequire(import.meta.url)('c8');

const required = 90;
const root = fileURLToPath(new URL('..', import.meta.url));
const rawData = path.join(root, 'coverage', 'v8');
const vitest = path.join(root, 'node_modules', 'vitest', 'vitest.mjs');
const vitestArguments = process.argv.slice(2);

rmSync(rawData, { recursive: true, force: true });
// The model runs a rewritten copy of the library: it takes a minute and covers nothing.
const withoutModel = ['--exclude', 'test/model*.test.ts'];
const tests = spawnSync(process.execPath, [vitest, 'run', ...withoutModel, ...vitestArguments], {
  cwd: root,
  env: { ...process.env, NODE_V8_COVERAGE: rawData },
  stdio: 'inherit',
});

const report = new Report({
  tempDirectory: rawData,
  src: [path.join(root, 'src')],
  all: true,
  include: ['src/**/*.ts'],
  exclude: [],
  extension: ['.ts', '.js'],
  excludeAfterRemap: true,
  excludeNodeModules: true,
  omitRelative: true,
  mergeAsync: true,
  resolve: '',
});
const coverage = await report.getCoverageMapFromAllCoverageFiles();

const rows = coverage
  .files()
  .map((file) => {
    const relevant = linesThatRun(readFileSync(file, 'utf8'));
    const counts = coverage.fileCoverageFor(file).getLineCoverage();
    const missed = [...relevant].filter((line) => !(counts[line] > 0));
    return { name: path.relative(root, file), lines: relevant.size, missed };
  })
  .filter((row) => row.lines > 0)
  .sort((a, b) => a.name.localeCompare(b.name));

const total = rows.reduce((sum, row) => sum + row.lines, 0);
const missedInTotal = rows.reduce((sum, row) => sum + row.missed.length, 0);
const percent = (lines, missed) => (100 * (lines - missed)) / Math.max(lines, 1);
const line = (name, lines, missed, detail) =>
  `${name.padEnd(36)} ${String(lines).padStart(6)} ${percent(lines, missed).toFixed(1).padStart(6)} %  ${detail}`.trimEnd();

console.log(
  `\n${'lines that can run'.padEnd(36)} ${'count'.padStart(6)} ${'ran'.padStart(6)}    not reached`,
);
for (const row of rows) console.log(line(row.name, row.lines, row.missed.length, ranges(row.missed)));
console.log(line('src', total, missedInTotal, ''));

if (tests.status !== 0) {
  console.error('coverage: the tests failed');
  process.exitCode = 1;
} else if (total === 0) {
  console.error('coverage: no line of src/ was found; is the package built?');
  process.exitCode = 1;
} else if (vitestArguments.length === 0 && percent(total, missedInTotal) < required) {
  console.error(`coverage: fewer than ${required} % of the lines of src/ ran`);
  process.exitCode = 1;
}

/** `[1, 2, 3, 7]` becomes `1-3, 7`. */
function ranges(lines) {
  const groups = [];
  for (const number of lines) {
    const last = groups.at(-1);
    if (last !== undefined && number === last.to + 1) last.to = number;
    else groups.push({ from: number, to: number });
  }
  return groups.map(({ from, to }) => (from === to ? `${from}` : `${from}-${to}`)).join(', ');
}
