import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { Failure } from '../failure.mjs';

const defaults = { threads: 4, 'in-flight': '4M', seconds: 0.5, report: 'report.html' };

export const help = `Usage: npm start -- [options] [FOLDER]

Indexes the words of the text files in FOLDER on a pool of threads, compares the result with that of one
thread without locks, then measures the locks under contention and writes a report.
FOLDER is the installed dependencies of this package unless given.

  --threads N        threads of the word index, 1 to 64 (${defaults.threads})
  --in-flight BYTES  text in memory at once, such as 512K or 4M (${defaults['in-flight']})
  --seconds S        length of each contention run, 0.01 to 60 (${defaults.seconds})
  --no-contention    the word index only
  --quick            everything as short as possible: for trying out, not for figures
  --json FILE        writes all results to FILE
  --report FILE      writes the report to FILE (${defaults.report})
  --no-report        writes no report
  --help             shows this`;

/**
 * @typedef {object} StartOptions
 * @property {string} folder
 * @property {boolean} isDefaultFolder
 * @property {number} threads
 * @property {number} inFlight bytes
 * @property {number} seconds
 * @property {boolean} contention
 * @property {boolean} quick
 * @property {string | undefined} json
 * @property {string | undefined} report
 */

/**
 * @param {string[]} args
 * @returns {StartOptions | 'help'}
 */
export function readOptions(args) {
  const { values, positionals } = parse(args);
  if (values.help) return 'help';
  if (positionals.length > 1) throw usage(`one folder at a time, not ${positionals.length}`);
  if (values['no-report'] && values.report !== undefined) throw usage('--report and --no-report contradict');
  const [folder] = positionals;
  if (folder === '') throw usage('the folder has an empty name');
  return {
    folder: folder ?? fileURLToPath(new URL('../../node_modules', import.meta.url)),
    isDefaultFolder: folder === undefined,
    threads: integer('--threads', values.threads ?? String(defaults.threads), 1, 64),
    inFlight: size('--in-flight', values['in-flight'] ?? defaults['in-flight']),
    seconds: seconds('--seconds', values.seconds ?? String(values.quick ? 0.04 : defaults.seconds)),
    contention: !values['no-contention'],
    quick: values.quick ?? false,
    json: path('--json', values.json),
    report: values['no-report'] ? undefined : path('--report', values.report ?? defaults.report),
  };
}

function parse(args) {
  const text = { type: /** @type {const} */ ('string') };
  const flag = { type: /** @type {const} */ ('boolean') };
  const options = {
    threads: text,
    'in-flight': text,
    seconds: text,
    'no-contention': flag,
    quick: flag,
    json: text,
    report: text,
    'no-report': flag,
    help: { ...flag, short: 'h' },
  };
  try {
    return parseArgs({ args, options, allowPositionals: true });
  } catch (error) {
    throw usage(/** @type {Error} */ (error).message.split(/\.\s|\n/, 1)[0]);
  }
}

function integer(option, text, least, most) {
  const number = Number(text);
  if (/^\d+$/.test(text) && number >= least && number <= most) return number;
  throw usage(`${option} takes an integer from ${least} to ${most}, not "${text}"`);
}

function seconds(option, text) {
  const number = Number(text);
  if (text.trim() !== '' && number >= 0.01 && number <= 60) return number;
  throw usage(`${option} takes a number from 0.01 to 60, not "${text}"`);
}

function size(option, text) {
  const match = /^(\d+)([KMG]?)$/i.exec(text);
  const unit = { '': 1, K: 2 ** 10, M: 2 ** 20, G: 2 ** 30 };
  const number = match ? Number(match[1]) * unit[match[2].toUpperCase()] : 0;
  if (number >= 1 && number < 2 ** 30) return number;
  throw usage(`${option} takes a number of bytes below 1G, such as 512K or 4M, not "${text}"`);
}

function path(option, text) {
  if (text === '') throw usage(`${option} takes the name of a file`);
  return text;
}

const usage = (message) => new Failure(`${message} (--help lists the options)`, 2);
