// Runs the native tests with an addon that AddressSanitizer and UndefinedBehaviorSanitizer watch.
import { spawnSync } from 'node:child_process';
import path from 'node:path';
import process from 'node:process';
import { fileURLToPath } from 'node:url';
import { buildNative } from './build-native.mjs';

const root = fileURLToPath(new URL('..', import.meta.url));
const vitest = path.join(root, 'node_modules', 'vitest', 'vitest.mjs');

const runtime = sanitizerRuntime();
if (runtime === null)
  console.log('mortise: skipped, because there is no g++ with sanitizers for Linux here.');
else test(runtime);

function test(library) {
  let addon;
  try {
    addon = buildNative({ sanitize: true });
  } catch (error) {
    console.error(`mortise: ${error.message}`);
    process.exitCode = 1;
    return;
  }
  const tests = spawnSync(process.execPath, [vitest, 'run', 'test/native', ...process.argv.slice(2)], {
    cwd: root,
    stdio: 'inherit',
    env: {
      ...process.env,
      MORTISE_ADDON: addon,
      // Node.js itself has no sanitizers, so theirs must be loaded before everything else.
      LD_PRELOAD: library,
      // Most of these processes are killed; the test that wants leaks reported asks for it. RSS is measured, so little
      // is kept back.
      // A test sees the SIGBUS that ends a process.
      ASAN_OPTIONS: 'detect_leaks=0:quarantine_size_mb=1:handle_sigbus=0',
      UBSAN_OPTIONS: 'print_stacktrace=1',
    },
  });
  process.exitCode = tests.status ?? 1;
}

/** The library to preload, or null. A compiler that does not have it answers with the bare name. */
function sanitizerRuntime() {
  if (process.platform !== 'linux') return null;
  const { status, stdout } = spawnSync('g++', ['-print-file-name=libasan.so'], { encoding: 'utf8' });
  const file = status === 0 ? stdout.trim() : '';
  return path.isAbsolute(file) ? file : null;
}
