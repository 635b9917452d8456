// Runs the test suite on every supported Node.js, or on those named: npm run test:matrix -- 22 24
// The binaries come from npm and are kept in .matrix/. Arguments after a second -- go to vitest.
import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import process from 'node:process';
import { fileURLToPath } from 'node:url';

const supported = ['20', '22', '24', '26'];
const root = fileURLToPath(new URL('..', import.meta.url));
const vitest = path.join(root, 'node_modules', 'vitest', 'vitest.mjs');
const binaryPackage = `node-${process.platform === 'win32' ? 'win' : process.platform}-${process.arch}`;

const { versions, vitestArguments } = parseArguments(process.argv.slice(2));
const results = [];
for (const version of versions) results.push(run(version));

console.log('');
for (const { version, label, outcome, seconds } of results) {
  console.log(
    `Node ${version.padEnd(3)} ${label.padEnd(10)} ${outcome.padEnd(5)} ${seconds.toFixed(1).padStart(7)} s`,
  );
}
process.exitCode = results.every(({ outcome }) => outcome === 'pass') ? 0 : 1;

function run(version) {
  const node = install(version);
  if (node === null) return { version, label: 'no binary', outcome: 'FAIL', seconds: 0 };

  const label = spawnSync(node, ['--version'], { encoding: 'utf8' }).stdout.trim();
  console.log(`\nNode ${version}: ${label}`);
  const start = performance.now();
  const tests = spawnSync(node, [vitest, 'run', ...vitestArguments], {
    cwd: root,
    // What the tests start by the name "node" must be this version too.
    env: { ...process.env, PATH: `${path.dirname(node)}${path.delimiter}${process.env.PATH}` },
    stdio: 'inherit',
  });
  const seconds = (performance.now() - start) / 1000;
  return { version, label, outcome: tests.status === 0 ? 'pass' : 'FAIL', seconds };
}

/** Returns the path of the binary, or null when npm could not get it. */
function install(version) {
  const folder = path.join(root, '.matrix', version);
  const binary = path.join(
    folder,
    'node_modules',
    binaryPackage,
    'bin',
    process.platform === 'win32' ? 'node.exe' : 'node',
  );
  if (existsSync(binary)) return binary;

  mkdirSync(folder, { recursive: true });
  // Without a manifest of its own npm would install into the project.
  writeFileSync(path.join(folder, 'package.json'), '{ "private": true }\n');
  const npm = spawnSync('npm', ['install', '--no-package-lock', '--no-save', `${binaryPackage}@${version}`], {
    cwd: folder,
    env: withoutProjectPrefix(process.env),
    stdio: ['ignore', 'ignore', 'inherit'],
    shell: process.platform === 'win32',
  });
  return npm.status === 0 && existsSync(binary) ? binary : null;
}

/** `npm run` tells its children which project they belong to; here that is the wrong one. */
function withoutProjectPrefix(environment) {
  return Object.fromEntries(
    Object.entries(environment).filter(([name]) => !/^npm_config_(local_)?prefix$/i.test(name)),
  );
}

function parseArguments(words) {
  const separator = words.indexOf('--');
  const named = separator === -1 ? words : words.slice(0, separator);
  const unknown = named.filter((word) => !supported.includes(word));
  if (unknown.length > 0) {
    console.error(
      `matrix: unknown Node.js version ${unknown.join(', ')}; supported are ${supported.join(', ')}`,
    );
    process.exit(2);
  }
  return {
    versions: named.length > 0 ? named : supported,
    vitestArguments: separator === -1 ? [] : words.slice(separator + 1),
  };
}
