/** A command that measures figures and prints each with its bound. Ends with 1 if one is not met. */
import { availableParallelism } from 'node:os';
import { parseArgs } from 'node:util';
import { runCommand } from '../command.mjs';
import { Failure } from '../failure.mjs';
import { describe, summarize } from './report.mjs';

/**
 * @template T
 * @param {object} command
 * @param {Record<string, (subject: T, onProgress: (share: number) => void, signal: AbortSignal) =>
 * Promise<import('./figure.mjs').Figure[]>>} command.figures by their names, in the order in which they are measured
 * @param {string} command.help
 * @param {() => Promise<{ subject: T, versions?: string[], close: () => Promise<unknown> }>} command.open what they are
 * measured on; `versions` are told beside that of Node.js
 */
export function measureFigures({ figures, help, open }) {
  const names = Object.keys(figures);
  return runCommand(async (progress, signal) => {
    const { values, positionals } = options(names);
    if (values.help) return progress.line(help);
    const wanted = positionals.length > 0 ? positionals : names;
    const { subject, versions = [], close } = await open();
    const measured = [];
    try {
      const system = [`Node.js ${process.version}`, ...versions, `${availableParallelism()} processors`];
      progress.line(system.join(', '));
      for (const name of names.filter((one) => wanted.includes(one))) {
        const onProgress = (share) => progress.show(name, share);
        for (const figure of await figures[name](subject, onProgress, signal)) {
          measured.push(figure);
          for (const line of describe(figure)) progress.line(line);
        }
        signal.throwIfAborted();
      }
    } finally {
      await close();
    }
    summarize(measured, progress);
    if (measured.some(({ met }) => met === false)) process.exitCode = 1;
  });
}

function options(names) {
  try {
    const parsed = parseArgs({ options: { help: { type: 'boolean' } }, allowPositionals: true });
    const unknown = parsed.positionals.find((name) => !names.includes(name));
    if (unknown !== undefined) throw new Error(`there is no figure "${unknown}"`);
    return parsed;
  } catch (error) {
    throw new Failure(`${error.message.split(/\.\s|\n/, 1)[0]} (--help lists what there is)`, 2);
  }
}
