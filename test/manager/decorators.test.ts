/** Methods and functions that run under a lock. */
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import ts from 'typescript';
import { describe, expect, expectTypeOf, onTestFinished, test } from 'vitest';
import {
  LockManager,
  LockTimeoutError,
  fileBackend,
  locked,
  memoryBackend,
  readLock,
  writeLock,
} from 'mortise';
import { runFixture } from '../fixtures/child.ts';
import { folder } from '../fixtures/space-open/region.ts';

const root = fileURLToPath(new URL('../..', import.meta.url));
const source = join(root, 'test/fixtures/manager/decorated.ts');

/** The program, compiled with either kind of decorators; it has to be right for the compiler as well. */
function compile(experimentalDecorators: boolean): { file: string; complaints: string[] } {
  const options: ts.CompilerOptions = {
    target: ts.ScriptTarget.ES2022,
    module: ts.ModuleKind.NodeNext,
    moduleResolution: ts.ModuleResolutionKind.NodeNext,
    lib: ['lib.es2024.d.ts', 'lib.esnext.disposable.d.ts'],
    types: ['node'],
    strict: true,
    skipLibCheck: true,
    rootDir: root,
    experimentalDecorators,
  };
  mkdirSync(join(root, 'build'), { recursive: true });
  const out = mkdtempSync(join(root, 'build', 'decorated-'));
  onTestFinished(() => rmSync(out, { recursive: true }));
  const program = ts.createProgram([source], { ...options, outDir: out });
  const complaints = ts
    .getPreEmitDiagnostics(program)
    .map(({ messageText }) => ts.flattenDiagnosticMessageText(messageText, '\n'));
  const { outputText } = ts.transpileModule(program.getSourceFile(source)!.text, {
    compilerOptions: { ...options, module: ts.ModuleKind.ESNext },
  });
  const file = join(out, 'decorated.mjs');
  writeFileSync(file, outputText);
  return { file, complaints };
}

describe.each([
  ['standard decorators', false],
  ['legacy decorators of TypeScript', true],
])('As %s', (_, isLegacy) => {
  const name = '@locked, @readLock and @writeLock run methods under their locks, and have the right types';
  test(name, { timeout: 120_000 }, async () => {
    const { file, complaints } = compile(isLegacy);
    expect(complaints).toEqual([]);
    const { stdout, stderr } = await runFixture(file);
    expect(stderr).toBe('');
    expect(JSON.parse(stdout)).toEqual({
      saves: ['a: true', 'b: true'],
      seen: ['a in', 'a out', 'b in', 'b out'],
      byThis: true,
      alsoReads: true,
      writing: 'ERR_LOCK_TIMEOUT',
      inScope: true,
      names: ['table'],
      wrote: true,
      sum: [6, true],
      count: true,
      looks: ['save', 2, 0],
    });
  });
});

describe('As a wrapper of functions', () => {
  const manager = new LockManager().scope('wrapped');

  test('locked() gives a function that returns a promise, and runs one at a time for each name', async () => {
    const inside = new Map<string, number>();
    const enter = locked((key: string) => key, { manager })(async (key: string) => {
      expect(inside.get(key) ?? 0).toBe(0);
      inside.set(key, 1);
      await null;
      inside.set(key, 0);
      return key.length;
    });
    expect(await Promise.all(['a', 'bb', 'a', 'bb', 'a'].map(enter))).toEqual([1, 2, 1, 2, 1]);
    expect(manager.list().map(({ name }) => name)).toEqual(['a', 'bb']);
  });

  test('a function that returns a value returns a promise of it', async () => {
    const add = locked('add', { manager })((a: number, b: number) => a + b);
    expectTypeOf(add).toEqualTypeOf<(this: unknown, a: number, b: number) => Promise<number>>();
    expect(await add(1, 2)).toBe(3);
  });

  test('sync: true keeps it blocking', () => {
    const add = locked('add', { manager, sync: true })((a: number, b: number) => {
      expect(manager.lock('add').isOwnedSync()).toBe(true);
      return a + b;
    });
    expect(add(1, 2)).toBe(3);
    expect(manager.lock('add').isLockedSync()).toBe(false);
  });

  test('readLock() lets many in, writeLock() one', async () => {
    let readers = 0;
    let most = 0;
    const read = readLock('table', { manager })(async () => {
      most = Math.max(most, ++readers);
      await null;
      readers--;
    });
    const write = writeLock('table', { manager })(async () => {
      expect(readers).toBe(0);
      await null;
      expect(readers).toBe(0);
    });
    await Promise.all([read(), read(), write(), read(), write(), read()]);
    expect(most).toBeGreaterThan(1);
  });

  test('keeps this, name, length, and what others have noted on the function', async () => {
    const body = Object.assign(
      function save(this: { base: number }, amount: number): number {
        return this.base + amount;
      },
      { route: '/save' },
    );
    const save = locked('save', { manager })(body);
    expect([save.name, save.length, (save as never as typeof body).route]).toEqual(['save', 1, '/save']);
    expect(await save.call({ base: 40 }, 2)).toBe(42);
  });

  test('throws what the body throws, and has released by then', async () => {
    const error = new Error('from the body');
    const fail = (): never => {
      throw error;
    };
    await expect(locked('fail', { manager })(fail)()).rejects.toBe(error);
    expect(() => locked('fail', { manager, sync: true })(fail)()).toThrow(error);
    expect(manager.lock('fail').isLockedSync()).toBe(false);
  });

  test('throws what acquiring throws, and does not run the body then', async () => {
    const guard = await manager.lock('taken').acquire();
    let ran = false;
    const body = (): void => {
      ran = true;
    };
    await expect(locked('taken', { manager, timeout: 5 })(body)()).rejects.toThrow(LockTimeoutError);
    await expect(locked(() => '', { manager })(body)()).rejects.toThrow(/^name must have 1 to 255 bytes/);
    await expect(locked(() => 5 as never, { manager })(body)()).rejects.toThrow(
      /^name must be a string, not 5/,
    );
    const memory = memoryBackend();
    const remote = { ...memory, id: 'remote', capabilities: { ...memory.capabilities, sync: false } };
    const blocking = locked('x', { manager: new LockManager({ backend: remote }), sync: true })(body);
    expect(blocking).toThrow(/ERR_LOCK_UNSUPPORTED: withLockSync\(\).* lives on remote/);
    expect(ran).toBe(false);
    await guard.release();
  });

  test('works on other backends', async () => {
    const files = new LockManager({ backend: fileBackend(join(folder, 'decorated')) });
    expect(await locked('x', { manager: files })(() => files.lock('x').isLocked())()).toBe(true);
    expect(locked('x', { manager: files, sync: true })(() => files.lock('x').isLockedSync())()).toBe(true);
  });

  test('refuses a promise where sync: true was said, since the lock would be gone', () => {
    const late = locked('late', { manager, sync: true })(() => Promise.resolve(5));
    expect(late).toThrow(/^locked: the function returned a promise, and with sync: true/);
    expect(manager.lock('late').isLockedSync()).toBe(false);
    expect(() => locked('late', { sync: true })(async function save() {})).toThrow(
      /^locked: save\(\) is async, which sync: true is not for/,
    );
  });
});

describe('Decorators', () => {
  test('refuse what is no method or function, whoever applies them', () => {
    for (const [title, decorate] of Object.entries({ locked, readLock, writeLock })) {
      const applied = decorate('x') as (...args: unknown[]) => unknown;
      for (const args of [
        [class Users {}],
        [class Users {}, { kind: 'class', name: 'Users' }],
        [undefined, { kind: 'field', name: 'field' }],
        [() => 5, { kind: 'getter', name: 'getter' }],
        [{}, 'property', undefined],
        [{}, 'getter', { get: () => 5 }],
        [5],
        [undefined],
      ])
        expect(() => applied(...args)).toThrow(`${title} is for methods and functions`);
      for (const generator of [function* many() {}, async function* many() {}])
        expect(() => applied(generator)).toThrow(`${title}: many() is a generator`);
    }
  });

  test('check their arguments, and say which is wrong', () => {
    for (const [args, message] of [
      [[5], /^name must be a string, not 5/],
      [[''], /^name must have 1 to 255 bytes/],
      [['x', null], /^options must be an object, not null/],
      [['x', { manager: {} }], /^options.manager must be a LockManager or a scope of one, not {}/],
      [['x', { timeout: '5' }], /^options.timeout must be a number of milliseconds, not '5'/],
      [['x', { timeout: -5 }], /^options.timeout must be 0 or more milliseconds, not -5/],
      [['x', { sync: 'yes' }], /^options.sync must be true or false, not 'yes'/],
    ] as const)
      for (const decorate of [locked, readLock, writeLock])
        expect(() => (decorate as (...args: unknown[]) => unknown)(...args)).toThrow(message);
  });
});
