/** Loads the library once for each thread of a model, with the machine in place of what it takes from Node.js. */
import { readFileSync, readdirSync } from 'node:fs';
import { inspect, types } from 'node:util';
import { posix } from 'node:path';
import {
  DEAD,
  ENDED,
  Generator,
  ModelPromise,
  atomic,
  awaited,
  currentThread,
  plainRead,
  runAtOnce,
  startAsync,
} from './machine.mjs';
import { transformModules } from './transform.mjs';

const root = new URL('../../dist/', import.meta.url);

function readSources() {
  const sources = new Map();
  for (const file of readdirSync(root, { recursive: true }))
    if (file.endsWith('.js'))
      sources.set(file.replaceAll('\\', '/'), readFileSync(new URL(file, root), 'utf8'));
  return sources;
}

const machine = () => currentThread().machine;
/** What a thread learns otherwise than from memory is part of what it has seen, too. */
function seen(value) {
  currentThread().see(Number(value));
  return value;
}
const isThere = (tid) => seen(![DEAD, ENDED].includes(machine().threads[tid - 1]?.state ?? DEAD));

/** In place of modules of the library: the clock, how long to spin, and who lives. */
const replaced = (index) => ({
  'parker/clock.js': {
    now: () => seen(machine().now),
    setTimeout: (callback, delay) => currentThread().addTimer(callback, delay),
    setInterval: (callback, delay) => currentThread().addTimer(callback, delay, delay),
    clearTimeout: (timer) => currentThread().timers.delete(timer),
    clearInterval: (timer) => currentThread().timers.delete(timer),
  },
  'parker/spin.js': { SPINS: 1, pause: () => {} },
  'space/liveness.js': {
    ownIdentity: () => ({ tid: index + 1, start: 1 }),
    isAlive: ({ tid }) => isThere(tid),
    isRunning: isThere,
  },
});

class NoRegistry {
  register() {}
  unregister() {}
}

class AsyncLocalStorage {
  getStore() {}
}

const nodeModules = (index) => ({
  'node:util': {
    inspect,
    types: { ...types, isSharedArrayBuffer: types.isSharedArrayBuffer },
    debuglog: () => () => {},
  },
  'node:os': { availableParallelism: () => 1 },
  'node:worker_threads': {
    threadId: index,
    isMainThread: false,
    getEnvironmentData: () => {},
    setEnvironmentData() {},
  },
  'node:diagnostics_channel': { subscribe() {} },
  'node:crypto': { randomBytes: (size) => Buffer.alloc(size, 7) },
  'node:async_hooks': { AsyncLocalStorage },
});

/** Replaces text in a module before it is loaded: a fault to be found. */
export function seedFault(sources, { file, from, to }) {
  const source = sources.get(file);
  if (source === undefined || source.split(from).length !== 2)
    throw new Error(`${file} does not have exactly once: ${from}`);
  sources.set(
    file,
    source.replace(from, () => to),
  );
}

export const sources = readSources();
/** With and without the edges at which a thread can die. */
const transformed = new Map();

/**
 * @param {boolean} edges may a thread also die at function entries and loop edges?
 * @returns {(path: string) => object} the exports of a module of the library, as that thread sees them
 */
export function loadRealm(index, edges) {
  if (!transformed.has(edges)) transformed.set(edges, transformModules(sources, { edges }));
  const environment = {
    $atomic: atomic,
    $read: plainRead,
    $Generator: Generator,
    $run: runAtOnce,
    $async: startAsync,
    $await: awaited,
    $Promise: ModelPromise,
    Promise: ModelPromise,
    queueMicrotask: (job) => currentThread().microtasks.push(asGenerator(job)),
    process: { pid: 1, emitWarning() {}, platform: 'linux' },
    FinalizationRegistry: NoRegistry,
    globalThis: {},
  };
  const loaded = new Map([...Object.entries(replaced(index)), ...Object.entries(nodeModules(index))]);
  const load = (path) => {
    if (!loaded.has(path)) {
      const source = transformed.get(edges).get(path);
      if (source === undefined) throw new Error(`the model has no module ${path}`);
      loaded.set(path, undefined);
      const resolve = (specifier) =>
        load(specifier.startsWith('.') ? posix.join(posix.dirname(path), specifier) : specifier);
      loaded.set(path, new Function('$', '$import', source)(environment, resolve));
    }
    return loaded.get(path);
  };
  return load;
}

function asGenerator(job) {
  return function* () {
    const result = job();
    if (result instanceof Generator) yield* result;
  };
}
