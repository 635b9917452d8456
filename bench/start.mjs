/** The main job, `npm start`: real work under contention, then the contention table, then a report of both. */
import { readFileSync } from 'node:fs';
import { availableParallelism, cpus, platform, release } from 'node:os';
import { runCommand } from './command.mjs';
import { reportPage } from './report/page.mjs';
import { printContention, runContention } from './start/contention-part.mjs';
import { printIndex, runIndex } from './start/index-part.mjs';
import { help, readOptions } from './start/options.mjs';
import { checkWritable, writeWhole } from './start/output.mjs';

await runCommand(main);

/** @param {import('./progress.mjs').Progress} progress @param {AbortSignal} signal */
async function main(progress, signal) {
  const options = readOptions(process.argv.slice(2));
  if (options === 'help') {
    progress.line(help);
    return;
  }
  for (const path of [options.json, options.report]) if (path !== undefined) await checkWritable(path);
  const started = performance.now();
  const index = await runIndex(options, progress, signal);
  printIndex(index, progress);
  const contention = options.contention ? await runContention(options, progress, signal) : null;
  if (contention !== null) printContention(contention, progress);
  const seconds = (performance.now() - started) / 1e3;
  const results = { ...surroundings(), seconds, quick: options.quick, index, contention };
  progress.line();
  if (options.json !== undefined) {
    await writeWhole(options.json, `${JSON.stringify(results, null, 2)}\n`);
    progress.line(`Results: ${options.json}`);
  }
  if (options.report !== undefined) {
    await writeWhole(options.report, reportPage(results));
    progress.line(`Report: ${options.report}`);
  }
  progress.line(`Done in ${seconds.toFixed(1)} s.`);
}

/** @typedef {ReturnType<typeof surroundings>} Surroundings where and when the figures were measured */
function surroundings() {
  const { version } = JSON.parse(readFileSync(new URL('../package.json', import.meta.url), 'utf8'));
  return {
    mortise: version,
    node: process.version,
    system: `${platform()} ${release()} ${process.arch}`,
    processors: availableParallelism(),
    processor: cpus()[0]?.model ?? 'unknown',
    date: new Date().toISOString(),
  };
}
