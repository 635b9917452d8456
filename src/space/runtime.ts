/**
 * What one thread knows of spaces: the default one, and those it is present in. There is one per thread,
 * whatever the number of copies of this package: it hangs on `globalThis` under a registered symbol.
 */
import { AsyncLocalStorage } from 'node:async_hooks';
import { subscribe } from 'node:diagnostics_channel';
import { getEnvironmentData, isMainThread, setEnvironmentData, type Worker } from 'node:worker_threads';
import { show } from '../deadline.js';
import { UnsupportedError } from '../errors.js';
import type { Cell } from './cell.js';
import { LAYOUT_VERSION } from './layout.js';
import { watchForLostGuards } from './lost-guards.js';
import { createMemory, readMemory, type SpaceMemory } from './memory.js';
import { Presence } from './presence.js';
import { checkWish, openRegion, type RegionWish } from './region.js';

/** Capacity of the default space, and of a new one if nothing else is said. */
export const DEFAULT_LOCKS = 4096;
export const DEFAULT_THREADS = 128;

const ENVIRONMENT_KEY = 'mortise/space';
const RUNTIME: unique symbol = Symbol.for('mortise/runtime') as never;

export class Runtime {
  /** Of the memory, and of this class and what it leads to: copies of the package share both or neither. */
  readonly layoutVersion: number = LAYOUT_VERSION;
  readonly #presences = new Map<string, WeakRef<Presence>>();
  readonly #known = new WeakMap<object, Presence>();
  readonly #spaces = new WeakMap<object, Presence>();
  /** What reentrant mutexes know of their holds, by cell, and of the bodies that surround the running code. */
  readonly reentries: WeakMap<Cell, unknown> = new WeakMap<Cell, unknown>();
  readonly scopes: AsyncLocalStorage<unknown> = new AsyncLocalStorage<unknown>();
  #default: Presence | undefined;

  constructor() {
    if (isMainThread) {
      // Now, and not at first use: a worker inherits what is there when it is made.
      setEnvironmentData(ENVIRONMENT_KEY, createMemory(DEFAULT_LOCKS, DEFAULT_THREADS).buffer);
    }
    watchForLostGuards(() => this.#all());
    // Every worker that this thread starts announces itself here; its parent is told first when it has ended.
    subscribe('worker_threads', (message) => {
      const { worker } = message as { worker: Worker };
      const { threadId } = worker;
      worker.once('exit', () => {
        for (const presence of this.#all()) buryWorker(presence, threadId);
      });
    });
  }

  /**
   * The space that every thread of the process has in common.
   * @throws UnsupportedError in a worker that was started before the main thread loaded this package.
   */
  defaultPresence(): Presence {
    if (this.#default === undefined) {
      const inherited = getEnvironmentData(ENVIRONMENT_KEY) as unknown;
      if (inherited === undefined)
        throw new UnsupportedError(
          'this worker was started before its main thread loaded mortise and has inherited no space: ' +
            'load mortise in the main thread first, or pass a handle to this worker',
        );
      this.#default = this.presenceIn(readMemory(inherited));
    }
    return this.#default;
  }

  /** This thread's presence in a space; attaches it if need be. */
  presenceIn(memory: SpaceMemory): Presence {
    const known = this.#known.get(memory.buffer);
    if (known !== undefined) return known;
    let presence = this.#presences.get(memory.id)?.deref();
    if (presence === undefined) {
      presence = new Presence(memory);
      this.#presences.set(memory.id, new WeakRef(presence));
    } else presence.checkSame(memory);
    this.#known.set(memory.buffer, presence);
    return presence;
  }

  /**
   * This thread's presence in a region file; makes the file and attaches if need be.
   * @throws what `openRegion` and `attachProcess` do.
   */
  presenceInFile(wish: RegionWish): Presence {
    for (;;) {
      const file = openRegion(wish);
      const known = this.#presences.get(file.id)?.deref();
      if (known !== undefined) {
        file.close();
        checkWish(wish, { geometry: known.memory.geometry, id: known.memory.region?.id ?? '' });
        return known;
      }
      const memory = file.mapped();
      if (memory === undefined) continue; // Another file has taken its place meanwhile.
      try {
        const presence = new Presence(memory);
        this.#presences.set(memory.id, new WeakRef(presence));
        this.#known.set(memory.buffer, presence);
        return presence;
      } catch (error) {
        memory.region?.close();
        throw error;
      }
    }
  }

  /** Notes whose presence a `Space` object stands for. */
  bind(space: object, presence: Presence): void {
    this.#spaces.set(space, presence);
  }

  /** @throws TypeError if it is not a `Space`. */
  presenceOf(space: unknown): Presence {
    const presence = typeof space === 'object' && space !== null ? this.#spaces.get(space) : undefined;
    if (presence === undefined) throw new TypeError(`options.space must be a Space, not ${show(space)}`);
    return presence;
  }

  *#all(): Generator<Presence> {
    for (const [id, reference] of this.#presences) {
      const presence = reference.deref();
      if (presence === undefined) this.#presences.delete(id);
      else yield presence;
    }
  }
}

function buryWorker({ attachment }: Presence, worker: number): void {
  try {
    attachment.buryWorker(worker);
  } catch (error) {
    // Only damaged memory can do this, and other spaces must not suffer from it.
    process.emitWarning(error as Error);
  }
}

/**
 * This thread's runtime.
 * @throws UnsupportedError if another copy of this package made it with another layout version.
 */
export function runtime(): Runtime {
  const shared = globalThis as { [RUNTIME]?: Runtime };
  const found = (shared[RUNTIME] ??= new Runtime());
  if (found.layoutVersion !== LAYOUT_VERSION)
    throw new UnsupportedError(
      `two copies of mortise in this thread have different layouts, version ${found.layoutVersion} and ` +
        `version ${LAYOUT_VERSION}: install one version only`,
    );
  return found;
}

// Loading the package makes the runtime; a copy of another layout version says so at first use.
(globalThis as { [RUNTIME]?: Runtime })[RUNTIME] ??= new Runtime();
