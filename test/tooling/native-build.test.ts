/** How the addon is built, published, found, and missed. */
import { spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { NativeAddonError } from 'mortise';
import { afterEach, describe, expect, it, onTestFinished, vi } from 'vitest';
import { candidates, load, native, type NativeAddon } from '../../dist/native.js';
import { buildNative, prebuiltPath } from '../../scripts/build-native.mjs';

const root = fileURLToPath(new URL('../..', import.meta.url));

afterEach(() => {
  vi.unstubAllEnvs();
});

function folder(): string {
  const made = mkdtempSync(path.join(tmpdir(), 'mortise-addon-'));
  onTestFinished(() => {
    rmSync(made, { recursive: true, force: true });
  });
  return made;
}

/** Names and kinds. */
function shape(addon: NativeAddon): object {
  return Object.fromEntries(Object.entries(addon).map(([name, value]) => [name, typeof value]));
}

function run(
  code: string,
  env: Record<string, string>,
): { status: number | null; stdout: string; stderr: string } {
  return spawnSync(process.execPath, ['--input-type=module', '--eval', code], {
    cwd: root,
    encoding: 'utf8',
    env: { ...process.env, ...env },
  });
}

describe('The two builds', () => {
  it('yield the same exports', { timeout: 300_000 }, () => {
    const [cmake, gyp] = [buildNative(), buildNative({ gyp: true })];
    expect(cmake).not.toBe(gyp);
    const [one, other] = [load([cmake], root), load([gyp], root)];
    expect(shape(one)).toEqual(shape(other));
    expect(one.capabilities).toEqual(other.capabilities);
    expect(one.flockModes).toEqual(other.flockModes);
    expect(Object.keys(one).sort()).toEqual([
      'capabilities',
      'flock',
      'flockLinks',
      'flockModes',
      'futexWait',
      'futexWake',
      'lifeBytes',
      'lifeEnded',
      'lifeHold',
      'lifeInit',
      'lifeRelease',
      'map',
      'microseconds',
      'unmap',
      'unwatch',
      'watch',
    ]);
  });

  it.runIf(process.platform === 'linux')('offer everything on Linux', () => {
    expect(native().capabilities).toMatchObject({ platform: 'linux', futex: true, robustMutex: true });
  });
});

describe('The loader', () => {
  it('looks for the prebuilt one first, then for what was built here', () => {
    vi.stubEnv('MORTISE_ADDON', '');
    expect(candidates(root)).toEqual([
      prebuiltPath(),
      path.join(root, 'build', 'cmake', 'Release', 'mortise.node'),
      path.join(root, 'build', 'Release', 'mortise.node'),
      path.join(root, 'native', 'build', 'Release', 'mortise.node'),
    ]);
  });

  it('takes the one that MORTISE_ADDON names, from the working folder as well', () => {
    vi.stubEnv('MORTISE_ADDON', path.relative('.', path.join(root, 'a.node')));
    expect(candidates(root)).toEqual([path.join(root, 'a.node')]);
  });

  it('takes the next one when one cannot be loaded', () => {
    const broken = path.join(folder(), 'mortise.node');
    writeFileSync(broken, 'no library');
    const built = path.join(root, 'build', 'cmake', 'Release', 'mortise.node');
    expect(shape(load([broken, `${broken}.missing`, built], root))).toEqual(shape(native()));
  });

  it('names every path it has tried, why, and the command that helps', () => {
    const here = folder();
    const broken = path.join(here, 'mortise.node');
    writeFileSync(broken, 'no library');
    const missing = path.join(here, 'missing.node');
    let error: unknown;
    try {
      load([missing, broken], root);
    } catch (thrown) {
      error = thrown;
    }
    expect(error).toBeInstanceOf(NativeAddonError);
    const { message, code, cause } = error as NativeAddonError;
    expect(code).toBe('ERR_NATIVE_ADDON');
    expect(message).toContain(`\n  ${missing}: no such file\n  ${broken}: `);
    expect(message).toMatch(/\nTo build it here: npm run build:native$/);
    expect(cause).toBeInstanceOf(Error);
    // As in a project that has installed the package, where its scripts are missing.
    expect(() => load([missing], here)).toThrow(
      `npx --yes node-gyp rebuild --directory ${JSON.stringify(path.join(here, 'native'))}`,
    );
  });

  it('is asked by nobody who needs no addon', () => {
    const nowhere = path.join(folder(), 'mortise.node');
    const { status, stdout, stderr } = run(
      "import { Mutex } from 'mortise'; using_(new Mutex()); function using_(m) { m.acquireSync().release(); console.log('locked'); }",
      { MORTISE_ADDON: nowhere },
    );
    expect({ status, stdout, stderr }).toEqual({ status: 0, stdout: 'locked\n', stderr: '' });
    const asking = run("import { native } from './dist/native.js'; native();", { MORTISE_ADDON: nowhere });
    expect(asking.status).toBe(1);
    expect(asking.stderr).toContain(
      `ERR_NATIVE_ADDON: the native addon could not be loaded. Tried:\n  ${nowhere}`,
    );
  });
});

it.runIf(process.platform === 'linux')('says in one sentence what is missing to build', () => {
  const bin = path.join(folder(), 'bin');
  mkdirSync(bin);
  const { status, stderr } = spawnSync(process.execPath, [path.join(root, 'scripts', 'build-native.mjs')], {
    encoding: 'utf8',
    env: { ...process.env, PATH: bin },
  });
  expect(status).toBe(1);
  expect(stderr).toMatch(/^mortise: Neither CMake, .* nor Python 3 and make, .*\n$/);
});
