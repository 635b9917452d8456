/**
 * Finds and loads the native addon, or says why not. It is loaded when it is first asked for, so that whatever needs no
 * addon works without it.
 */
import { existsSync, readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { NativeAddonError } from './errors.js';

/**
 * What the addon exports. A wrong argument is a `TypeError` or `RangeError` that names it. What the system refuses is an
 * `Error` with `code`, `errno` and `syscall`, as in `node:fs`.
 */
export interface NativeAddon {
  readonly capabilities: {
    readonly platform: string;
    /** Whether `futexWait`, `futexWake`, `watch` and `unwatch` work here; else they throw ENOSYS. */
    readonly futex: boolean;
    /** Whether the `life` functions work here; else they throw ENOSYS. */
    readonly robustMutex: boolean;
    /** Whether one thread watches many words. Else each `watch` has a thread of its own. */
    readonly waitv: boolean;
  };

  /** The second argument of {@link NativeAddon.flock}. */
  readonly flockModes: { readonly shared: number; readonly exclusive: number; readonly unlock: number };
  /** `flock(2)`, never blocking: false if another open file has the lock. Also changes the mode of a lock. */
  flock(fd: number, mode: number): boolean;
  /**
   * `flock`, and how many names the file has then: 0 once it has been removed; -1: another open file has the lock. Before
   * the descriptor is closed, its lock must be given up by `flock`: the end of this thread does so as well.
   */
  flockLinks(fd: number, mode: number): number;

  /** Since the epoch, as the system's clock has it. */
  microseconds(): number;

  /**
   * The first `bytes` of a file as memory that is shared with every other thread and process that maps it. `fd` must be
   * open for reading and writing, and may be closed afterwards. `Atomics` work on it, except `wait` and `notify`. All
   * threads of a process share one mapping, which goes with its last ArrayBuffer, watch and held life. Whoever touches
   * what another process has cut off the file is killed by SIGBUS; `guarded`: finds zeros instead, in a page that is not
   * shared any more. Map the file again then.
   */
  map(fd: number, bytes: number, guarded?: boolean): ArrayBuffer;
  /**
   * Ends the use of memory from {@link NativeAddon.map}: the ArrayBuffer is detached. Without it a garbage collection and
   * a turn of the event loop do, which a thread that never yields does not come to.
   */
  unmap(buffer: ArrayBuffer): void;

  /**
   * Blocks while the word is `expected`, and no longer than that many milliseconds; `Infinity` is for ever. 'ok' is also
   * the answer to a signal, so look again. Nothing ends it early, `worker.terminate()` included.
   */
  futexWait(
    words: Int32Array,
    index: number,
    expected: number,
    milliseconds: number,
  ): 'ok' | 'not-equal' | 'timed-out';
  /** Wakes as many as `count` of those who wait or watch; `Infinity` is all. Returns how many. */
  futexWake(words: Int32Array, index: number, count: number): number;

  /**
   * Calls back once, later, when the word differs from `seen`. Whoever changes it must call {@link NativeAddon.futexWake}
   * for all. Never keeps the event loop alive. Only for memory from `map`. Returns an id for `unwatch`.
   */
  watch(words: Int32Array, index: number, seen: number, callback: () => void): number;
  /** False if the callback has been called. Otherwise it never is. */
  unwatch(id: number): boolean;

  /** The room that a life needs, at a multiple of 8 in memory from `map`. */
  readonly lifeBytes: number;
  /** Makes a life that nobody holds, whatever was there. Nobody else may use it meanwhile. */
  lifeInit(buffer: ArrayBuffer, offset: number): void;
  /**
   * Until this thread ends in any way or calls `lifeRelease`. EINVAL: never made. EBUSY: held by another for a second.
   * ENOLCK: this thread holds 2000, and of many more the system would not tell.
   */
  lifeHold(buffer: ArrayBuffer, offset: number): void;
  /** False if this thread does not hold it. */
  lifeRelease(buffer: ArrayBuffer, offset: number): boolean;
  /** Whether its holder has ended. Once it has, everybody is told so, until the next one holds it. */
  lifeEnded(buffer: ArrayBuffer, offset: number): boolean;
}

const ROOT: string = fileURLToPath(new URL('..', import.meta.url));

let loaded: NativeAddon | undefined;

/** The addon. Throws `NativeAddonError`, each time, while there is none. */
export function native(): NativeAddon {
  loaded ??= load(candidates(ROOT), ROOT);
  return loaded;
}

/** Where the addon may be, the best place first. MORTISE_ADDON names the only one. */
export function candidates(root: string): string[] {
  const named = process.env['MORTISE_ADDON'];
  if (named !== undefined && named !== '') return [resolve(named)];
  return [
    join(root, 'prebuilds', systemName(), 'mortise.node'),
    join(root, 'build', 'cmake', 'Release', 'mortise.node'),
    join(root, 'build', 'Release', 'mortise.node'),
    join(root, 'native', 'build', 'Release', 'mortise.node'),
  ];
}

export function load(paths: readonly string[], root: string): NativeAddon {
  const require = createRequire(import.meta.url);
  const tried: string[] = [];
  let cause: unknown;
  for (const path of paths) {
    if (!existsSync(path)) {
      tried.push(`${path}: no such file`);
      continue;
    }
    try {
      return require(path) as NativeAddon;
    } catch (error) {
      cause = error;
      tried.push(`${path}: ${error instanceof Error ? error.message : String(error)}`);
    }
  }
  const list = tried.map((line) => `\n  ${line}`).join('');
  const text = `the native addon could not be loaded. Tried:${list}\nTo build it here: ${buildCommand(root)}`;
  throw new NativeAddonError(text, cause === undefined ? undefined : { cause });
}

/** The scripts are not published. Where they are missing, node-gyp builds it, with a package that only this needs. */
function buildCommand(root: string): string {
  if (existsSync(join(root, 'scripts', 'build-native.mjs'))) return 'npm run build:native';
  return `npm install --no-save node-addon-api && npx --yes node-gyp rebuild --directory ${JSON.stringify(join(root, 'native'))}`;
}

/** Binaries, and what they put in shared memory, are the same for the same name. */
export function systemName(): string {
  return `${process.platform}-${process.arch}${runsOnMusl() ? '-musl' : ''}`;
}

/** Binaries for musl and for glibc are not the same. The process has mapped the loader of its own. */
function runsOnMusl(): boolean {
  if (process.platform !== 'linux') return false;
  try {
    return readFileSync('/proc/self/maps', 'latin1').includes('/ld-musl-');
  } catch {
    return false;
  }
}
