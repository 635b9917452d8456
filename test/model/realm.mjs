/** Loads the library once for each thread of a model, with the machine in place of what it takes from Node.js. */
import { readFileSync, readdirSync } from 'node:fs';
import { inspect, types } from 'node:util';
import { posix } from 'node:path';
import { COUNTERS, RACING, SHARED } from './analysis.mjs';
import { runAtOnce } from './machine.mjs';
import {
  AsyncLocalStorage,
  CallbackJob,
  ModelPromise,
  ModelSignal,
  awaited,
  startAsync,
} from './promise.mjs';
import { Annotation, Reference } from './weak.mjs';
import { startOf, tidOf } from './system.mjs';
import { EDGE, ENTRY, Generator, atomic, closure, currentThread, enter, mortality, top } from './thread.mjs';
import { parseModules, transformer } from './transform.mjs';

const root = new URL('../../dist/', import.meta.url);
/** What gives locks names stands above them, and who only looks at them; locks on servers beside them: no program goes there. */
const ABOVE =
  /^(index|manager|lock-manager|decorators|environment|metrics|redis|etcd|space\/holders)\.js$|^(manager|deadlocks|statistics|metrics|backends|remote|redis|etcd)\//;
/** The programs of the threads are code as well. */
const PROGRAMS = new Set(['programs.js', 'situations.js', 'openings.js', 'attaching.js', 'counting.js']);

function readSources() {
  const sources = new Map();
  for (const name of readdirSync(root, { recursive: true })) {
    const file = name.replaceAll('\\', '/');
    if (file.endsWith('.js') && !ABOVE.test(file))
      sources.set(file, readFileSync(new URL(file, root), 'utf8'));
  }
  for (const path of PROGRAMS) {
    const text = readFileSync(new URL(path.replace('.js', '.mjs'), import.meta.url), 'utf8');
    sources.set(path, text.replaceAll('.mjs', '.js'));
  }
  return sources;
}

const machine = () => currentThread().machine;

/** A question to the system, which a thread's death changes. */
const numberOf = (tid) => tid - tidOf(-1);
function* look(tid) {
  return yield atomic('look', undefined, numberOf(tid));
}

/** Who lives. A system that does not tell says so of everybody, and knows no thread by an id. */
function livenessOf(index, { isTold, looks }) {
  if (!isTold)
    return { ownIdentity: () => ({ tid: 0, start: 0 }), isAlive: () => true, isRunning: () => false };
  const isThere = looks ? look : (tid) => machine().isThere(numberOf(tid));
  return {
    ownIdentity: () => ({ tid: tidOf(index), start: startOf(tidOf(index)) }),
    isAlive: ({ tid, start }) => start === startOf(tid) && isThere(tid),
    isRunning: isThere,
  };
}

function queueMicrotask(callback) {
  const thread = currentThread();
  thread.microtasks.push(new CallbackJob(callback, thread.context));
}

/** As functions of the library: entering them is a stop as well. */
const entered = (functions) =>
  Object.fromEntries(
    Object.entries(functions).map(([name, call]) => [
      name,
      function* (...given) {
        if (mortality.isLeft) yield ENTRY;
        return call(...given);
      },
    ]),
  );

const clock = {
  now: () => machine().now,
  setTimeout: (callback, delay) => currentThread().addTimer(callback, delay),
  setInterval: (callback, delay) => currentThread().addTimer(callback, delay, delay),
  clearTimeout: (timer) => currentThread().timers.delete(timer),
  clearInterval: (timer) => currentThread().timers.delete(timer),
};

/** In place of modules of the library: the clock, how long to spin, and who lives. */
const replaced = (index, mode) => ({
  'parker/clock.js': mode.entries ? entered(clock) : clock,
  'parker/spin.js': { SPINS: 1, ...(mode.entries ? entered({ pause() {} }) : { pause() {} }) },
  'space/liveness.js': livenessOf(index, mode),
  // Memory that processes share is not run here.
  'native.js': {},
  'space/region.js': {},
});

/** In place of the latch: as if taking it were one operation that can be done once it is free. */
const wholeLatch = {
  *acquireLatch(words, at, stamp) {
    yield atomic('lock', words, at, stamp);
  },
  *releaseLatch(words, at) {
    yield atomic('unlock', words, at);
  },
};

class NoRegistry {
  register() {}
  unregister() {}
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

export const sources = readSources();
const files = parseModules(sources);

/**
 * @typedef {object} Mode how finely the library's code is cut
 * @property {boolean} edges threads can also die between operations
 * @property {boolean} entries stacks can be full wherever a function is entered
 * @property {boolean} races stores and reads without Atomics that race are operations
 * @property {boolean} stores so are all others
 * @property {boolean} captures states can be told from one another
 * @property {boolean} whole taking a latch is one operation
 * @property {boolean} isTold the system tells who lives
 * @property {boolean} looks to ask it is an operation
 */

const modes = new Map();

const newMode = (settings) => ({
  ...settings,
  transform: undefined,
  modules: new Map(),
  changed: undefined,
  sites: [],
  realms: [],
});

/** @returns {Mode} always the same one for the same settings */
export function modeOf({
  edges = false,
  entries = false,
  races = true,
  stores = false,
  captures = false,
  whole = false,
  isTold = true,
  looks = true,
} = {}) {
  const settings = { edges, entries, races, stores, captures, whole, isTold, looks };
  let key = 0;
  for (const setting of Object.values(settings)) key = key * 2 + Number(setting);
  if (!modes.has(key)) modes.set(key, newMode(settings));
  return modes.get(key);
}

/** The module that is not as it was built: path and text. */
let changed;

export const isChanged = () => changed !== undefined;

/** From now on one module has another text; undefined: it is as it was built again. Threads load everything anew. */
export function changeModule(change) {
  changed = change;
  for (const mode of modes.values()) Object.assign(mode, { realms: [], changed: undefined });
}

/** A function that only stores is entered as well: `terminate()` can strike there; and any, where a stack can be full. */
const stopsOf = ({ stores, edges, entries }) => ({ atStores: stores || edges, atEntries: entries });

function transformerOf(mode) {
  const { edges, captures, sites } = mode;
  return transformer(files, {
    captures,
    stops: stopsOf(mode),
    sites,
    edges: (path) => edges && !PROGRAMS.has(path),
    plain: (path) => plainIn(path, mode),
  });
}

/** Each is transformed when a realm first loads it. */
function moduleOf(path, mode) {
  if (!files.has(path)) throw new Error(`the model has no module ${path}`);
  mode.transform ??= transformerOf(mode);
  if (changed?.path === path) return (mode.changed ??= compile(mode.transform(path, changed.text)));
  if (!mode.modules.has(path)) mode.modules.set(path, compile(mode.transform(path)));
  return mode.modules.get(path);
}

/** When it is first loaded, and once for all threads: V8 learns of a function what it is given by any of them. */
function compile(text) {
  let made;
  return (environment, load) => (made ??= new Function('$', '$import', text))(environment, load);
}

/**
 * Which accesses without Atomics are operations. Those outside `primitives/` happen under a latch, or decide nothing that
 * a moment earlier or later would change: CELL_WOKEN_AT and RECORD_PENDING.
 */
function plainIn(path, { races, stores }) {
  if (PROGRAMS.has(path)) return undefined;
  const isRacing = races && path.startsWith('primitives/');
  if (stores)
    return { stores: SHARED, hidden: isRacing ? COUNTERS : SHARED, reads: isRacing ? RACING : undefined };
  return isRacing ? { stores: RACING, reads: RACING } : undefined;
}

/** @returns {(path: string) => object} the exports of a module of the library, as that thread sees them */
export function realmOf(index, mode) {
  return (mode.realms[index] ??= loadRealm(index, mode));
}

function loadRealm(index, mode) {
  const environment = {
    $atomic: atomic,
    $EDGE: EDGE,
    $ENTRY: ENTRY,
    $mortality: mortality,
    $enter: enter,
    $top: top,
    $closure: closure,
    $Generator: Generator,
    $run: runAtOnce,
    $async: startAsync,
    $await: awaited,
    $Promise: ModelPromise,
    Promise: ModelPromise,
    ...(mode.entries ? entered({ queueMicrotask }) : { queueMicrotask }),
    process: { pid: 1, emitWarning() {}, platform: 'linux' },
    FinalizationRegistry: NoRegistry,
    WeakMap: Annotation,
    WeakRef: Reference,
    AbortSignal: ModelSignal,
    globalThis: {},
  };
  const loaded = new Map([...Object.entries(replaced(index, mode)), ...Object.entries(nodeModules(index))]);
  if (mode.whole) loaded.set('space/latch.js', wholeLatch);
  const load = (path) => loaded.get(path) ?? loadFirst(path);
  const loadFirst = (path) => {
    const module = moduleOf(path, mode);
    const resolve = (specifier) =>
      load(specifier.startsWith('.') ? posix.join(posix.dirname(path), specifier) : specifier);
    const exports = module(environment, resolve);
    if (path === 'space/threads.js') letAttachBeDone(exports);
    loaded.set(path, exports);
    return exports;
  };
  return load;
}

/** Whoever has an attachment already can make a presence without an operation. */
function letAttachBeDone(exports) {
  const { attach } = exports;
  exports.attach = (memory) => {
    const { attachment } = exports;
    exports.attachment = undefined;
    return attachment ?? attach(memory);
  };
}
