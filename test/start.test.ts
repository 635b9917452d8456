/** `npm start`, run for real: the word index, the contention table, the results and the report. */
import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import {
  chmodSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, afterEach, describe, expect, test } from 'vitest';
import { contend } from '../bench/contention/contend.mjs';
import { jainIndex } from '../bench/contention/fairness.mjs';
import { Histogram, waitQuantiles } from '../bench/contention/histogram.mjs';
import { difference } from '../bench/index-words/compare.mjs';
import { WordTable } from '../bench/index-words/table.mjs';
import { Progress } from '../bench/progress.mjs';

const command = fileURLToPath(new URL('../bench/start.mjs', import.meta.url));
const texts = fileURLToPath(new URL('fixtures/start/texts', import.meta.url));
const scratch = mkdtempSync(join(tmpdir(), 'mortise-start-'));
const running = new Set<ChildProcess>();

afterEach(() => {
  for (const child of running) child.kill('SIGKILL');
});
afterAll(() => {
  rmSync(scratch, { recursive: true, force: true });
});

interface Ended {
  code: number | null;
  stdout: string;
  stderr: string;
}

function begin(
  program: string,
  ...args: string[]
): {
  child: ChildProcess;
  said: (text: string) => Promise<void>;
  ended: Promise<Ended>;
} {
  const child = spawn(process.execPath, [program, ...args], {
    cwd: scratch,
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  running.add(child);
  let stdout = '';
  let stderr = '';
  child.stdout.setEncoding('utf8').on('data', (text: string) => (stdout += text));
  child.stderr.setEncoding('utf8').on('data', (text: string) => (stderr += text));
  const ended = once(child, 'close').then(([code]) => {
    running.delete(child);
    return { code: code as number | null, stdout, stderr };
  });
  const said = async (text: string): Promise<void> => {
    while (!stdout.includes(text)) await once(child.stdout, 'data');
  };
  return { child, said, ended };
}

const run = (program: string, ...args: string[]): Promise<Ended> => begin(program, ...args).ended;
const start = (...args: string[]): Promise<Ended> => run(command, ...args);

interface Row {
  threads: number;
  operations: number;
  perSecond: number;
  emptyPerSecond: number;
  wait: { p50: number; p99: number; p999: number; worst: number };
  fairness: number;
  cpuSeconds: number;
  broken: string | null;
}

interface Results {
  node: string;
  index: {
    files: number;
    bytes: number;
    occurrences: number;
    distinct: number;
    equal: boolean;
    alone: { threads: number; locked: boolean; seconds: number; occurrences: number; growths: number };
    together: {
      threads: number;
      locked: boolean;
      occurrences: number;
      growths: number;
      speedUp: number;
      peakBytes: number;
      locks: {
        stripes: { acquisitions: number };
        growth: { acquisitions: number };
        budget: { acquisitions: number };
      };
    }[];
    topWords: { word: string; count: number; files: number }[];
  };
  contention: { locks: { name: string; own: boolean; missing: string | null; rows: Row[] }[] } | null;
}

/** The same words by a regular expression, for the comparison. */
function countWords(files: string[]): Map<string, { count: number; files: number }> {
  const counts = new Map<string, { count: number; files: number }>();
  for (const file of files) {
    const words = readFileSync(join(texts, file), 'latin1').match(/[A-Za-z0-9_\x80-\xff]+/g) ?? [];
    const seen = new Set<string>();
    for (const found of words) {
      if (/^\d/.test(found) || found.length > 64) continue;
      const word = Buffer.from(
        found.replace(/[A-Z]/g, (letter) => letter.toLowerCase()),
        'latin1',
      ).toString('utf8');
      const entry = counts.get(word) ?? { count: 0, files: 0 };
      entry.count++;
      if (!seen.has(word)) entry.files++;
      seen.add(word);
      counts.set(word, entry);
    }
  }
  return counts;
}

describe('npm start', () => {
  test('indexes the words of a folder, measures every lock, and writes the results and a report', async () => {
    const json = join(scratch, 'results.json');
    const { code, stdout, stderr } = await start('--quick', '--threads', '3', '--json', json, texts);
    expect(stderr).toBe('');
    expect(code).toBe(0);
    // Not a terminal: finished lines, and nothing that is written over.
    for (const character of ['\r', '\x1b']) expect(stdout).not.toContain(character);
    expect(stdout).toContain('Done in');

    const { index, contention } = JSON.parse(readFileSync(json, 'utf8')) as Results;
    const expected = countWords(['tale.md', 'deeper/notes.txt', 'deeper/types.d.ts']);
    expect(index.files).toBe(3);
    expect(index.equal).toBe(true);
    expect(index.distinct).toBe(expected.size);
    expect(index.occurrences).toBe([...expected.values()].reduce((sum, { count }) => sum + count, 0));
    expect(index.alone).toMatchObject({ threads: 1, locked: false });
    expect(index.together.map(({ threads }) => threads)).toEqual([1, 2, 3]);
    for (const { occurrences, locks, peakBytes } of index.together) {
      expect(occurrences).toBe(index.occurrences);
      expect(locks.stripes.acquisitions).toBeGreaterThan(0);
      expect(locks.growth.acquisitions).toBeGreaterThan(0);
      expect(locks.budget.acquisitions).toBe(3);
      expect(peakBytes).toBeGreaterThan(0);
    }
    for (const { word, count, files } of index.topWords)
      expect({ count, files }, word).toEqual(expected.get(word));
    expect(index.topWords[0]?.word).toBe('the');

    const byName = new Map(contention?.locks.map((lock) => [lock.name, lock]));
    for (const name of ['mutex', 'mutex-async', 'semaphore', 'semaphore-async', 'read-mostly', 'write-only'])
      expect(byName.get(name)?.own, name).toBe(true);
    for (const name of ['raw-pair', 'futex-mutex', 'v8-mutex', 'web-locks'])
      expect(byName.get(name)?.own, name).toBe(false);
    expect(byName.get('v8-mutex')?.missing).toBeNull();
    const hasWebLocks = 'locks' in ((globalThis as { navigator?: object }).navigator ?? {});
    expect(byName.get('web-locks')?.missing === null).toBe(hasWebLocks);
    for (const { name, own, rows } of byName.values()) {
      if (!own && rows.length === 0) continue;
      if (own)
        expect(
          rows.map(({ threads }) => threads),
          name,
        ).toEqual([1, 2, 4, 8]);
      for (const row of rows) {
        if (own) expect(row.broken, name).toBeNull();
        expect(row.operations, name).toBeGreaterThan(0);
        expect(row.perSecond, name).toBeGreaterThan(0);
        expect(row.emptyPerSecond, name).toBeGreaterThan(0);
        const { p50, p99, p999, worst } = row.wait;
        expect([p50, p99, p999, worst], name).toEqual([p50, p99, p999, worst].sort((a, b) => a - b));
        expect(row.fairness, name).toBeGreaterThanOrEqual(1 / row.threads - 1e-9);
        expect(row.fairness, name).toBeLessThanOrEqual(1 + 1e-9);
        expect(row.cpuSeconds, name).toBeGreaterThan(0);
      }
    }

    const report = readFileSync(join(scratch, 'report.html'), 'utf8');
    expect(report).toContain('<svg');
    expect(report).not.toMatch(/<script|<link|src=|https?:|NaN|undefined/);
    expect(report).toContain('prefers-color-scheme: dark');
  }, 60_000);

  test('takes text that is larger than the bytes that may be in flight, one file at a time', async () => {
    const json = join(scratch, 'small.json');
    const { code, stderr } = await start(
      '--no-contention',
      '--no-report',
      '--in-flight',
      '100',
      '--json',
      json,
      texts,
    );
    expect(stderr).toBe('');
    expect(code).toBe(0);
    const { index, contention } = JSON.parse(readFileSync(json, 'utf8')) as Results;
    expect(contention).toBeNull();
    for (const { peakBytes } of index.together) expect(peakBytes).toBe(100);
  });

  test('grows its table while threads add to it, and nothing is lost', async () => {
    const folder = join(scratch, 'many-words');
    mkdirSync(folder);
    for (let file = 0; file < 24; file++) {
      const words = Array.from({ length: 1_500 }, (_, index) => `word${(index * 7 + file * 500) % 9_000}`);
      writeFileSync(join(folder, `${file}.txt`), words.join(' '));
    }
    const json = join(scratch, 'many.json');
    const { code, stderr } = await start('--no-contention', '--no-report', '--quick', '--json', json, folder);
    expect(stderr).toBe('');
    expect(code).toBe(0);
    const { index } = JSON.parse(readFileSync(json, 'utf8')) as Results;
    expect(index.occurrences).toBe(24 * 1_500);
    for (const { growths } of [index.alone, ...index.together]) expect(growths).toBeGreaterThan(2);
  });

  test('--help lists the options', async () => {
    const { code, stdout, stderr } = await start('--help');
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
    for (const option of ['--threads', '--in-flight', '--seconds', '--quick', '--json', '--report'])
      expect(stdout).toContain(option);
  });
});

describe('npm start says what is wrong, in one line, and fails', () => {
  const empty = join(scratch, 'empty');
  const loop = join(scratch, 'loop');
  mkdirSync(empty);
  symlinkSync(loop, loop);

  test.each<[what: string, args: string[], code: number, message: RegExp]>([
    ['an unknown option', ['--treads', '2'], 2, /unknown option '--treads'/i],
    ['an option without its value', ['--json'], 2, /--json/],
    ['no threads', ['--threads', '0'], 2, /--threads takes an integer from 1 to 64, not "0"/],
    ['threads that are no number', ['--threads', 'many'], 2, /--threads takes an integer .*"many"/],
    ['bytes that are no number', ['--in-flight', '4X'], 2, /--in-flight takes a number of bytes .*"4X"/],
    ['no time', ['--seconds', '0'], 2, /--seconds takes a number from 0.01 to 60, not "0"/],
    ['two folders', [texts, texts], 2, /one folder at a time/],
    [
      'a folder that is not there',
      [join(scratch, 'nowhere')],
      1,
      /cannot read .*nowhere: no such file or folder/,
    ],
    ['a file for a folder', [join(texts, 'tale.md')], 1, /cannot read .*tale\.md: not a folder/],
    ['a folder that cannot be read', [loop], 1, /cannot read .*loop: a link that leads to itself/],
    ['an empty folder', [empty], 1, /there are no text files \(.*\) in .*empty/],
    ['results into a folder', ['--json', empty, texts], 1, /cannot write .*empty: it is a folder/],
    [
      'a report into nowhere',
      ['--report', join(scratch, 'no', 'r.html'), texts],
      1,
      /cannot write .*r\.html: no such/,
    ],
  ])('%s', async (_what, args, expected, message) => {
    const { code, stdout, stderr } = await start('--no-contention', ...args);
    expect(stderr).toMatch(message);
    expect(stderr).toMatch(/^mortise: .*\n$/);
    expect(stdout).not.toContain('Done');
    expect(code).toBe(expected);
  });

  test.skipIf(!existsSync('/dev/full'))('a full disk', async () => {
    const { code, stderr } = await start('--no-contention', '--quick', '--json', '/dev/full', texts);
    expect(stderr).toBe('mortise: cannot write /dev/full: no space left on the device\n');
    expect(code).toBe(1);
  });

  test.skipIf(process.getuid?.() === 0)('a file that may not be read', async () => {
    const folder = join(scratch, 'secret');
    mkdirSync(folder);
    writeFileSync(join(folder, 'diary.txt'), 'nobody reads this');
    chmodSync(join(folder, 'diary.txt'), 0);
    const { code, stderr } = await start('--no-contention', folder);
    expect(stderr).toMatch(/^mortise: cannot read .*diary\.txt: permission denied\n$/);
    expect(code).toBe(1);
  });

  test('Ctrl-C ends it at once, threads and all', async () => {
    const { child, said, ended } = begin(command, '--quick', '--seconds', '60', texts);
    await said('Contention:');
    child.kill('SIGINT');
    const { code, stderr } = await ended;
    expect(stderr).toBe('mortise: interrupted\n');
    expect(code).toBe(130);
  });
});

describe('npm run bench', () => {
  const bench = fileURLToPath(new URL('../bench/bench.mjs', import.meta.url));

  test('prints the figures that were asked for, each with its bound', async () => {
    const json = join(scratch, 'figures.json');
    const { code, stdout, stderr } = await run(bench, '--json', json, 'weighted-turn', 'hand-off');
    expect(stderr).toBe('');
    expect(code).toBe(0);
    const { figures } = JSON.parse(readFileSync(json, 'utf8')) as {
      figures: { name: string; value: number }[];
    };
    expect(figures.map(({ value }) => typeof value)).toEqual(['number', 'number']);
    for (const { name } of figures) expect(stdout).toContain(name);
    expect(stdout).toMatch(/met\n/);
  });

  test('does not know every figure', async () => {
    const { code, stderr } = await run(bench, 'speed');
    expect(stderr).toMatch(/^mortise: there is no figure "speed".*\n$/);
    expect(code).toBe(2);
  });
});

describe('The figures can be trusted', () => {
  const plan = { threads: [4], seconds: 0.1, emptySeconds: 0.02, inside: 1_000, outside: 0 };

  test('a lock that does not exclude is found out', async () => {
    const { rows } = await contend('../../../test/fixtures/start/open-door', plan);
    expect(rows[0]?.broken).toMatch(/exclusive visits left a count of/);
  });

  test('quantiles are exact to 3 percent, and the longest wait is exact', () => {
    const histogram = new Histogram(new SharedArrayBuffer(Histogram.byteLength));
    for (let microseconds = 1; microseconds <= 10_000; microseconds++) histogram.record(microseconds / 1e3);
    const { p50, p99, p999, worst } = waitQuantiles([histogram]);
    for (const [quantile, exact] of [
      [p50, 5],
      [p99, 9.9],
      [p999, 9.99],
    ] as const)
      expect(Math.abs(quantile / exact - 1)).toBeLessThan(0.03);
    expect(worst).toBeCloseTo(10, 9);
  });

  test("Jain's index is 1 for equal shares and 1/n for all to one", () => {
    expect(jainIndex([7, 7, 7, 7])).toBe(1);
    expect(jainIndex([9, 0, 0, 0])).toBe(0.25);
  });

  test('a single wrong count in the index is found out', () => {
    const text = Buffer.from('lock');
    const table = (count: number): WordTable => {
      const made = WordTable.create(4);
      expect(made.add(42, count, text, 0, 4)).toBe(true);
      return made;
    };
    expect(difference(table(3), table(3))).toBeNull();
    expect(difference(table(3), table(2))).toMatch(/"lock" was counted 2 times/);
    expect(difference(table(3), WordTable.create(4))).toMatch(/0 words were found of 1/);
    expect(difference(WordTable.create(4), table(1))).toMatch(/should not be/);
  });

  test('progress is written over on a terminal, and is a line of text elsewhere', () => {
    const shown = (isTTY: boolean): string => {
      let text = '';
      const stream = { isTTY, columns: 40, write: (part: string) => (text += part) };
      const progress = new Progress(stream as unknown as NodeJS.WriteStream);
      progress.show('words', 0.5);
      progress.show('words', 0.75);
      progress.line('done');
      return text;
    };
    expect(shown(false)).toBe(' 50 %  words\ndone\n');
    expect(shown(true)).toBe(
      '\r############............  50 %  words\x1b[K\r##################......  75 %  words\x1b[K\r\x1b[Kdone\n',
    );
  });
});
