import { expect, it } from 'vitest';
import { type Example, fromDocstrings, fromMarkdown } from './extract.ts';
import { instrument } from './instrument.ts';
import { run, runnable } from './run.ts';

const passed = { status: 0, stderr: '' };

function js(code: string): Example {
  return { page: 'page.md', line: 1, language: 'js', code, fileName: undefined, run: true };
}

function ts(code: string): Example {
  return { ...js(code), language: 'ts' };
}

async function outcome(example: Example): Promise<Awaited<ReturnType<typeof run>>> {
  return run(example, [example]);
}

it('finds the fenced JavaScript and TypeScript of a page', () => {
  const page = [
    'Text.', // 1
    '```js',
    'first();',
    '```',
    '  ~~~ts title', // 5
    '  second();',
    '    indented();',
    '  ~~~',
    '```sh',
    'npm ci', // 10
    '```',
    '````md',
    '```js',
    'quoted();',
    '```', // 15
    '````',
    '```js no-run',
    'third();',
    '```',
  ];
  expect(
    fromMarkdown('page.md', page.join('\n')).map(({ line, language, code, run }) => [
      line,
      language,
      code,
      run,
    ]),
  ).toEqual([
    [3, 'js', 'first();', true],
    [6, 'ts', 'second();\n  indented();', true],
    [18, 'js', 'third();', false],
  ]);
  expect(() => fromMarkdown('page.md', 'Text.\n```js\n')).toThrow('page.md:2: the fence is never closed');
});

it('finds the examples of docstrings', () => {
  const source = `
/**
 * A lock.
 *
 * @example
 * \`\`\`ts
 * @locked('name')
 * class Service {}
 * \`\`\`
 * @throws {Error} never
 */
export class Mutex {
  /** @example
   * plain();
   */
  acquire() {}
}`;
  expect(fromDocstrings('mutex.ts', source).map(({ page, line, code }) => [page, line, code.trim()])).toEqual(
    [
      ['mutex.ts:2', 7, "@locked('name')\nclass Service {}"],
      ['mutex.ts:13', 14, 'plain();'],
    ],
  );
});

it('passes an example that keeps its promises', async () => {
  const code = `
    1 + 1; // => 2
    const word = 'lock'; // => 'lock'
    [word, 7n]; // => ['lock', 7n]
    ({ held: true })
    // => { held: true }
    console.log('%s is', word, [1]); // => lock is [ 1 ]
    await Promise.resolve(true); // => true
    await (async () => {
      word.length; // => 4
    })();
  `;
  expect(await outcome(js(code))).toEqual(passed);
});

it.each([
  ['1 + 1; // => 3', 'line 1: expected 3, but it is 2\n'],
  ["console.log('a'); // => b", 'line 1: expected b, but it is a\n'],
  ['const guard = { held: true };\nguard.held; // => false', 'line 2: expected false, but it is true\n'],
  ['Promise.resolve(1); // => 1', 'line 1: expected 1, but it is Promise { 1 }\n'],
  ['if (Date.now() === 0) {\n  1; // => 1\n}', 'line 2: expected to be reached, but it is never was\n'],
  ['try {\n  1; // => 2\n} catch {}', 'line 2: expected 2, but it is 1\n'],
])('fails %j', async (code, stderr) => {
  expect(await outcome(js(code))).toEqual({ status: 0, stderr });
});

it('fails an example that throws, warns or does not end', async () => {
  expect(await outcome(js("throw new Error('boom');"))).toMatchObject({ status: 1 });
  expect((await outcome(js("process.emitWarning('lost');"))).stderr).toMatch('Warning: lost');
  const endless = js('setInterval(() => {}, 1000);');
  expect(await run(endless, [endless], 500)).toMatchObject({ status: null });
});

it('refuses an expectation that nothing is checked against, and code that is none', () => {
  expect(() => instrument(js('function f() {\n  return 1; // => 1\n}'))).toThrow(
    'page.md: line 2: this expectation follows no expression and no declaration',
  );
  expect(() => instrument(js('const = 1;'))).toThrow('page.md: Variable declaration expected.');
});

it('strips types and runs `using` on every supported Node.js', async () => {
  const code = `
    import type { Worker } from 'node:worker_threads';
    const log: string[] = [];
    const workers: Worker[] = [];
    {
      using guard = { held: true, [Symbol.dispose]: () => void log.push('released') };
      await using lease = { [Symbol.asyncDispose]: async () => void log.push('given back') };
      guard.held; // => true
      lease satisfies AsyncDisposable;
    }
    log; // => ['given back', 'released']
    workers.length; // => 0
  `;
  expect(await outcome(ts(code))).toEqual(passed);
});

it('gives an example the named files of its page, the nearest of each name', async () => {
  const page = `
\`\`\`js
// worker.mjs
throw new Error('the wrong one');
\`\`\`
\`\`\`js
// worker.mjs
import { parentPort } from 'node:worker_threads';
parentPort.postMessage('from the worker');
\`\`\`
\`\`\`js
import { once } from 'node:events';
import { Worker } from 'node:worker_threads';
const worker = new Worker(new URL('./worker.mjs', import.meta.url));
const [message] = await once(worker, 'message');
message; // => 'from the worker'
\`\`\`
`;
  const examples = fromMarkdown('page.md', page);
  const [main, ...others] = runnable(examples);
  expect(others).toEqual([]);
  expect(main?.line).toBe(12);
  expect(await run(main as Example, examples)).toEqual(passed);
});

it('runs examples against this package', async () => {
  expect(await outcome(js("import.meta.resolve('mortise').endsWith('/dist/index.js'); // => true"))).toEqual(
    passed,
  );
});
