/**
 * Loads the library as it was built, for a real thread: only its Atomics are given to it, and what it would learn
 * from elsewhere is what `realm.mjs` tells it on the machine. Promises, the event loop and memory are V8's.
 */
import { createRequire } from 'node:module';
import { posix } from 'node:path';
import { startOf, tidOf } from './system.mjs';

const requireNode = createRequire(import.meta.url);

/** @returns {Map<string, string>} bodies of functions, by path: CommonJS, for `loadReal` in any thread */
export function compileModules(sources) {
  const ts = requireNode('typescript');
  const compilerOptions = { module: ts.ModuleKind.CommonJS, target: ts.ScriptTarget.ES2022 };
  return new Map(
    [...sources].map(([path, text]) => [path, ts.transpileModule(text, { compilerOptions }).outputText]),
  );
}

/** No time is ever up, but a timer keeps the event loop. */
const LONG = 2 ** 31 - 1;

class NoRegistry {
  register() {}
  unregister() {}
}

/**
 * @param {object} around `atomics`, `now`: the clock, which stands still, `isThere`: whether a tid lives, `timers`: the
 * set of those that are set
 * @returns {(path: string) => object} the exports of a module of the library
 */
export function loadReal(modules, index, { atomics, now, isThere, timers }) {
  const set = () => {
    const timer = setInterval(() => {}, LONG);
    timers.add(timer);
    return timer;
  };
  const clear = (timer) => {
    timers.delete(timer);
    clearInterval(timer);
  };
  const replaced = {
    'parker/clock.js': { now, setTimeout: set, setInterval: set, clearTimeout: clear, clearInterval: clear },
    'parker/spin.js': { SPINS: 1, pause() {} },
    'native.js': {},
    'space/region.js': {},
    'space/liveness.js': {
      ownIdentity: () => ({ tid: tidOf(index), start: startOf(tidOf(index)) }),
      isAlive: ({ tid }) => isThere(tid - tidOf(-1)),
      isRunning: (tid) => isThere(tid - tidOf(-1)),
    },
    'node:os': { availableParallelism: () => 1 },
    'node:worker_threads': {
      threadId: index,
      isMainThread: false,
      getEnvironmentData() {},
      setEnvironmentData() {},
    },
    'node:diagnostics_channel': { subscribe() {} },
    'node:crypto': { randomBytes: (size) => Buffer.alloc(size, 7) },
  };
  const loaded = new Map(Object.entries(replaced));
  const load = (path) => {
    if (loaded.has(path)) return loaded.get(path);
    if (!modules.has(path)) return requireNode(path);
    const exports = {};
    loaded.set(path, exports);
    const resolve = (specifier) =>
      load(specifier.startsWith('.') ? posix.join(posix.dirname(path), specifier) : specifier);
    const body = `${modules.get(path)}\n//# sourceURL=real:${path}`;
    const parameters = ['exports', 'require', 'Atomics', 'process', 'FinalizationRegistry', 'globalThis'];
    const stub = { pid: 1, emitWarning() {}, platform: 'linux' };
    new Function(...parameters, body)(exports, resolve, atomics, stub, NoRegistry, {});
    return exports;
  };
  return load;
}

/** Opens the locks of a subject as `World` does; the first thread makes them. */
export function openReal(load, buffer, { kinds, permits = 0, open }, isFirst) {
  const memory = load('space/memory.js').readMemory(buffer);
  const presence = new (load('space/presence.js').Presence)(memory);
  const { cellNumber } = load('space/cells.js');
  const { Opened } = load('primitives/handles.js');
  const [lock, second] = kinds.map((kind, index) => {
    const cell = isFirst
      ? presence.obtain({ kind, permits, name: undefined })
      : presence.open(cellNumber(memory, index), [kind]);
    return open(load, new Opened(presence, cell));
  });
  return { lock, second };
}
