import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { ESLint } from 'eslint';
import tseslint from 'typescript-eslint';
import { expect, it, onTestFinished } from 'vitest';

// The project's own configuration, applied to texts that break its rules.
const configuration = fileURLToPath(new URL('../../eslint.config.js', import.meta.url));
const eslint = new ESLint({ overrideConfig: tseslint.configs.disableTypeChecked });

/** Rule and severity of each complaint about a file of this name and text. */
async function complaints(file: string, code: string): Promise<Record<string, number>> {
  const [result] = await eslint.lintText(code, { filePath: file });
  return summary(result);
}

function summary(result: ESLint.LintResult | undefined): Record<string, number> {
  return Object.fromEntries(
    (result?.messages ?? []).map(({ ruleId, message, severity }) => [ruleId ?? message, severity]),
  );
}

const warning = 1;
const error = 2;
const words = 'declare const words: Int32Array<SharedArrayBuffer>;\n';

it.each(['src/primitives/mutex.ts', 'src/space/layout.ts', 'src/parker/thread.ts'])(
  'allows Atomics in %s',
  async (file) => {
    expect(
      await complaints(file, `${words}export const peek = (): number => Atomics.load(words, 0);\n`),
    ).toEqual({});
  },
);

it.each([
  'src/errors.ts',
  'src/guard.ts',
  'src/deadline.ts',
  'src/manager/manager.ts',
  'src/backends/file.ts',
])('forbids Atomics in %s', async (file) => {
  const peek = (object: string): string =>
    `${words}export const peek = (): number => ${object}.load(words, 0);\n`;
  expect(await complaints(file, peek('Atomics'))).toEqual({ 'no-restricted-globals': error });
  expect(await complaints(file, peek('globalThis.Atomics'))).toEqual({ 'no-restricted-syntax': error });
});

it.each([
  ['src/space/space.ts', '../primitives/mutex.js'],
  ['src/parker/thread.ts', '../space/layout.js'],
  ['src/parker/thread.ts', '../primitives/mutex.js'],
  ['src/guard.ts', './primitives/mutex.js'],
  ['src/manager/manager.ts', '../primitives/mutex.js'],
  ['src/manager/manager.ts', '../backends/memory.js'],
  ['src/backends/file.ts', '../manager/manager.js'],
  ['src/manager/registry.ts', '../lock-manager.js'],
  ['src/space/space.ts', '../guard.js'],
  ['src/space/space.ts', '../index.js'],
  ['src/primitives/mutex.ts', '../native.js'],
  ['src/index.ts', 'lodash'],
])('does not let %s import %s', async (file, specifier) => {
  expect(await complaints(file, `export * from '${specifier}';\n`)).toEqual({ 'mortise/layers': error });
});

it.each([
  ['src/index.ts', './primitives/mutex.js'],
  ['src/primitives/mutex.ts', '../space/space.js'],
  ['src/primitives/mutex.ts', '../parker/parker.js'],
  ['src/primitives/mutex.ts', '../guard.js'],
  ['src/guard.ts', './space/tether.js'],
  ['src/parker/process.ts', '../native.js'],
  ['src/manager/manager.ts', './backend.js'],
  ['src/backends/file.ts', '../file/file-lock.js'],
  ['src/lock-manager.ts', './backends/memory.js'],
  ['src/backends/redis/redis.ts', '../../manager/backend.js'],
])('lets %s import %s', async (file, specifier) => {
  expect(await complaints(file, `export * from '${specifier}';\n`)).toEqual({});
});

it('finds floating promises in the library and in its tests', async () => {
  const project = mkdtempSync(path.join(tmpdir(), 'mortise-lint-'));
  onTestFinished(() => rmSync(project, { recursive: true }));
  const code = 'export function go(promise: Promise<void>): void {\n  promise;\n}\n';
  for (const folder of ['src', 'test']) {
    mkdirSync(path.join(project, folder));
    writeFileSync(path.join(project, folder, 'guard.ts'), code);
  }
  const compilerOptions = { strict: true, target: 'es2022', module: 'nodenext', types: [] };
  writeFileSync(path.join(project, 'tsconfig.json'), JSON.stringify({ compilerOptions }));

  const results = await new ESLint({ cwd: project, overrideConfigFile: configuration }).lintFiles('.');
  expect(results.map(summary)).toEqual([
    { '@typescript-eslint/no-floating-promises': error, '@typescript-eslint/no-unused-expressions': error },
    { '@typescript-eslint/no-floating-promises': error, '@typescript-eslint/no-unused-expressions': error },
  ]);
});

it('holds Atomics to one call an expression, in view, outside constructors and accessors', async () => {
  const code = `${words}
    const { store } = Atomics;
    store(words, 0, 1);
    Atomics.store(words, 0, Atomics.load(words, 1));
    export class Cell {
      constructor() {
        Atomics.store(words, 0, 1);
      }
    }
  `;
  expect(await complaints('src/space/cell.ts', code)).toEqual({
    'mortise/atomics-in-view': error,
    'mortise/one-atomics-call': error,
    'mortise/no-hidden-atomics': error,
  });
});

it('warns of a long file', async () => {
  const lines = (count: number): string => 'export {};\n'.repeat(count);
  expect(await complaints('src/space/space.ts', lines(400))).toEqual({});
  expect(await complaints('src/space/space.ts', lines(401))).toEqual({ 'max-lines': warning });
  expect(await complaints('src/space/space.ts', 'export default 1;\n')).toEqual({
    'no-restricted-syntax': error,
  });
});

it('keeps the front door to re-exports, in 60 lines', async () => {
  const line = "export { Mutex } from './primitives/mutex.js';\n";
  expect(await complaints('src/index.ts', line.repeat(60))).toEqual({});
  expect(await complaints('src/index.ts', line.repeat(61))).toEqual({ 'max-lines': error });
  expect(await complaints('src/index.ts', 'export const answer = 42;\n')).toEqual({
    'no-restricted-syntax': error,
  });
});

it('lets a guard be declared and never mentioned', async () => {
  const code =
    'declare const acquire: () => Disposable;\nexport function f(): void {\n  using _guard = acquire();\n}\n';
  expect(await complaints('test/mutex.test.ts', code)).toEqual({});
});

it('wants names that say something', async () => {
  expect(await complaints('src/space/utils.ts', 'export {};\n')).toEqual({
    'mortise/no-catch-all-file': error,
  });
});

it('checks plain JavaScript of benchmarks, fixtures and scripts', async () => {
  expect(await complaints('bench/start.mjs', 'let unused = 1;\nmissing();\nAtomics.load;\n')).toMatchObject({
    'no-undef': error,
    'no-unused-vars': error,
  });
});
