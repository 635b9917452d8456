#!/usr/bin/env node
/** The command line: `mortise run` runs a command under a file lock. */
import { readFileSync } from 'node:fs';
import { HELP, readArguments } from './arguments.js';
import { Failure } from './exit-codes.js';
import { print, warn } from './output.js';
import { run } from './run.js';

try {
  process.exitCode = await main();
} catch (error) {
  if (!(error instanceof Failure)) throw error;
  warn(error.message);
  process.exitCode = error.exitCode;
}

async function main(): Promise<number> {
  const job = readArguments(process.argv.slice(2));
  if (typeof job !== 'string') return run(job);
  print(job === 'help' ? HELP : version());
  return 0;
}

function version(): string {
  const manifest = readFileSync(new URL('../../package.json', import.meta.url), 'utf8');
  return (JSON.parse(manifest) as { version: string }).version;
}
