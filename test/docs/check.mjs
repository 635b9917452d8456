// What an instrumented example calls. A broken promise is written to stderr at once, which fails the example even
// if the example itself catches errors or its worker is terminated.
import { writeSync } from 'node:fs';
import process from 'node:process';
import { format, inspect, isDeepStrictEqual } from 'node:util';
import { isMainThread } from 'node:worker_threads';

const open = new Set();

/** Every check of the main thread has to happen. */
export function plan(lines) {
  if (!isMainThread) return;
  for (const line of lines) open.add(line);
}

export function value(line, expected, actual) {
  open.delete(line);
  const text = inspect(actual, { breakLength: Infinity });
  if (text === expected || actual === expected || isDeepStrictEqual(actual, evaluate(expected))) return;
  broken(line, expected, text);
}

/** Stands in for `console.log`. */
export function printed(line, expected) {
  return (...values) => {
    open.delete(line);
    const text = format(...values);
    if (text !== expected) broken(line, expected, text);
  };
}

process.on('exit', () => {
  for (const line of open) broken(line, 'to be reached', 'never was');
});

function broken(line, expected, actual) {
  writeSync(2, `line ${line}: expected ${expected}, but it is ${actual}\n`);
}

/** The value that the text of an expectation denotes; a new symbol, equal to nothing, if it denotes none. */
function evaluate(expected) {
  try {
    return new Function(`return (${expected})`)();
  } catch {
    return Symbol(expected);
  }
}
