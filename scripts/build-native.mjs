// Builds the native addon: with cmake-js where CMake is installed, else with node-gyp.
//
//   npm run build:native               what the library and its tests load
//   npm run build:native -- --gyp      with node-gyp, as where CMake is missing
//   npm run build:native -- --sanitize with AddressSanitizer and UndefinedBehaviorSanitizer, into build/sanitized
import { spawnSync } from 'node:child_process';
import { copyFileSync, existsSync, mkdirSync, renameSync, statSync } from 'node:fs';
import { createRequire } from 'node:module';
import path from 'node:path';
import process from 'node:process';
import { fileURLToPath, pathToFileURL } from 'node:url';

const root = fileURLToPath(new URL('..', import.meta.url));
const require = createRequire(import.meta.url);

/** Where npm's `files` takes the binary of this machine from, and where the loader looks first. */
export function prebuiltPath() {
  const musl = process.platform === 'linux' && !('glibcVersionRuntime' in process.report.getReport().header);
  const system = `${process.platform}-${process.arch}${musl ? '-musl' : ''}`;
  return path.join(root, 'prebuilds', system, 'mortise.node');
}

/** Returns the path of the binary. Throws with one sentence that a person understands, after the tool's own output. */
export function buildNative({ gyp = false, sanitize = false } = {}) {
  if (sanitize) return withCMake('sanitized', ['--CDMORTISE_SANITIZE=ON']);
  const built = !gyp && runs('cmake') ? withCMake('cmake', []) : withNodeGyp();
  // The loader prefers the prebuilt one, which must not be an older one then.
  if (!gyp && existsSync(prebuiltPath())) publish(built);
  return built;
}

/** In one step, because a running program that has loaded the old one must keep it. */
export function publish(built) {
  mkdirSync(path.dirname(prebuiltPath()), { recursive: true });
  const draft = `${prebuiltPath()}.${process.pid}`;
  copyFileSync(built, draft);
  renameSync(draft, prebuiltPath());
}

function withCMake(folder, options) {
  if (!runs('cmake')) throw new Error('CMake is not installed.');
  const out = path.join(root, 'build', folder);
  const script = path.join(path.dirname(require.resolve('cmake-js/package.json')), 'bin', 'cmake-js');
  run('cmake-js', [script, 'compile', '--directory', path.join(root, 'native'), '--out', out, ...options]);
  return path.join(out, 'Release', 'mortise.node');
}

function withNodeGyp() {
  const python = ['python3', 'python'].some((name) => runs(name));
  const make = process.platform === 'win32' || runs('make');
  if (!python || !make) {
    const missing = [!python && 'Python 3', !make && 'make'].filter(Boolean).join(' and ');
    throw new Error(
      `Neither CMake, for cmake-js, nor ${missing}, for node-gyp, is installed: install one of them and a C++17 compiler.`,
    );
  }
  const script = require.resolve('node-gyp/bin/node-gyp.js');
  const configured = newer(path.join(root, 'build', 'config.gypi'), path.join(root, 'native', 'addon.gypi'));
  const steps = configured ? ['build'] : ['configure', 'build'];
  for (const step of steps) run('node-gyp', [script, step, '--directory', root, ...headers()]);
  return path.join(root, 'build', 'Release', 'mortise.node');
}

/** Node.js often comes with its headers beside it. Otherwise node-gyp takes npm's `nodedir` or downloads them. */
function headers() {
  const prefix = path.join(path.dirname(process.execPath), '..');
  const beside = existsSync(path.join(prefix, 'include', 'node', 'common.gypi'));
  return beside && process.env.npm_config_nodedir === undefined ? ['--nodedir', prefix] : [];
}

function run(name, words) {
  const { status, stdout, stderr } = spawnSync(process.execPath, words, { cwd: root, encoding: 'utf8' });
  if (status === 0) return;
  process.stderr.write(`${stdout}${stderr}`);
  throw new Error(`${name} could not build the native addon; its output is above.`);
}

function runs(command) {
  return spawnSync(command, ['--version'], { stdio: 'ignore' }).status === 0;
}

function newer(file, than) {
  return existsSync(file) && statSync(file).mtimeMs > statSync(than).mtimeMs;
}

if (import.meta.url === pathToFileURL(process.argv[1]).href) {
  try {
    buildNative({ gyp: process.argv.includes('--gyp'), sanitize: process.argv.includes('--sanitize') });
  } catch (error) {
    console.error(`mortise: ${error.message}`);
    process.exitCode = 1;
  }
}
