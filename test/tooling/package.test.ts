import { execFileSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';

// The package as npm would publish it, installed in a project of somebody else.
const project = mkdtempSync(path.join(tmpdir(), 'mortise-package-'));
const installed = path.join(project, 'node_modules', 'mortise');
let packed: { filename: string; files: { path: string }[] };

beforeAll(() => {
  const npm = process.platform === 'win32' ? 'npm.cmd' : 'npm';
  const report = execFileSync(npm, ['pack', '--ignore-scripts', '--json', '--pack-destination', project], {
    encoding: 'utf8',
    stdio: ['ignore', 'pipe', 'ignore'],
  });
  packed = [JSON.parse(report)].flat()[0];
  mkdirSync(installed, { recursive: true });
  execFileSync('tar', ['-xzf', path.join(project, packed.filename), '--strip-components=1', '-C', installed]);
});
afterAll(() => rmSync(project, { recursive: true }));

function runs(file: string, code: string): string {
  writeFileSync(path.join(project, file), code);
  return execFileSync(process.execPath, [file], { cwd: project, encoding: 'utf8' }).trim();
}

it('is imported by a module and required by a script, which get the same classes', () => {
  const script = `
    const required = require('mortise');
    import('mortise').then((imported) => console.log(typeof required.Mutex, required.Mutex === imported.Mutex));
  `;
  expect(runs('script.cjs', script)).toBe('function true');
  expect(runs('module.mjs', "import { Mutex } from 'mortise'; console.log(typeof Mutex);")).toBe('function');
});

it('brings the sources that its source maps point to, and nothing from the workshop', () => {
  const files = packed.files.map((file) => file.path);
  expect(files).toEqual(
    expect.arrayContaining(['dist/index.js', 'dist/index.d.ts', 'src/index.ts', 'LICENSE']),
  );
  expect(files.filter((file) => /^(test|bench|scripts|build|coverage|\.)/.test(file))).toEqual([]);
});

it('brings the scripts that it sends to Redis', () => {
  const files = packed.files.map((file) => file.path);
  expect(files).toEqual(expect.arrayContaining(['dist/redis/scripts/lock-acquire.lua']));
  const code = "import { RedisLock } from 'mortise/redis'; console.log(typeof RedisLock);";
  expect(runs('redis.mjs', code)).toBe('function');
});

it('has locks on etcd that need no other package', () => {
  const code = "import { EtcdLock } from 'mortise/etcd'; console.log(typeof EtcdLock);";
  expect(runs('etcd.mjs', code)).toBe('function');
});

it('tells who wants metrics in one sentence which package is missing', () => {
  const code = `
    import { LockManager } from 'mortise';
    import { openTelemetryMetrics, openTelemetrySpans, prometheusMetrics } from 'mortise/metrics';
    const locks = new LockManager({ statistics: true });
    for (const start of [prometheusMetrics, openTelemetryMetrics])
      try { start(locks); } catch (error) { console.log(error.message); }
    try { openTelemetrySpans(); } catch (error) { console.log(error.message); }
  `;
  expect(runs('metrics.mjs', code).split('\n')).toEqual([
    'ERR_LOCK_UNSUPPORTED: prometheusMetrics() needs the package prom-client: npm install prom-client',
    'ERR_LOCK_UNSUPPORTED: openTelemetryMetrics() needs the package @opentelemetry/api: npm install @opentelemetry/api',
    'ERR_LOCK_UNSUPPORTED: openTelemetrySpans() needs the package @opentelemetry/api: npm install @opentelemetry/api',
  ]);
});

it('brings what builds the addon where none is prebuilt, and builds nothing when it is installed', () => {
  const files = packed.files.map((file) => file.path);
  expect(files).toEqual(
    expect.arrayContaining([
      'native/binding.gyp',
      'native/addon.gypi',
      'native/CMakeLists.txt',
      'native/package.json',
      'native/addon.cc',
    ]),
  );
  const manifest = JSON.parse(
    runs('scripts.cjs', "console.log(JSON.stringify(require('mortise/package.json')));"),
  );
  expect(manifest.gypfile).toBe(false);
  // pnpm and Yarn do not look at that.
  expect(files).not.toContain('binding.gyp');
  expect(Object.keys(manifest.scripts)).not.toEqual(
    expect.arrayContaining([expect.stringMatching(/^(pre|post)?install$/)]),
  );
});

it('brings the command that its manifest names', () => {
  const { bin, version } = JSON.parse(
    runs('bin.cjs', "console.log(JSON.stringify(require('mortise/package.json')));"),
  );
  const program = path.join(installed, bin.mortise);
  expect(execFileSync(process.execPath, [program, '--version'], { encoding: 'utf8' })).toBe(`${version}\n`);
});

it('has no dependencies', () => {
  const manifest = runs('manifest.cjs', "console.log(JSON.stringify(require('mortise/package.json')));");
  expect(JSON.parse(manifest)).not.toHaveProperty('dependencies');
});
