/** Opening cells: by description, by name, by handle. */
import { show } from '../deadline.js';
import { InvalidHandleError } from '../errors.js';
import type { Cell } from '../space/cell.js';
import { cellNumber, checkName, findCell, type CellDescription } from '../space/cells.js';
import { LAYOUT_VERSION } from '../space/layout.js';
import { readMemory } from '../space/memory.js';
import type { Presence } from '../space/presence.js';
import { runtime } from '../space/runtime.js';
import { BARRED, type TetherSource } from '../space/tether.js';
import type { Space } from './space.js';

/** What names a lock for another thread; pass it in `workerData`, `postMessage` or a piscina task. */
export interface LockHandle<Type extends string = string> {
  readonly type: Type;
  /** Layout version. */
  readonly version: number;
  readonly memory: SharedArrayBuffer;
  readonly cell: number;
}

/** Locks that are garbage-collected without `dispose()` close their cell in this thread. */
const collected = new FinalizationRegistry<{ presence: Presence; cell: Cell }>(({ presence, cell }) => {
  presence.leave(cell);
});

/** A cell that one lock object has open, until it is disposed of or garbage-collected. */
export class Opened {
  readonly presence: Presence;
  /** The lock object, or the two sides of one: where the fast path finds its tether. */
  readonly faces: { source: TetherSource }[] = [];
  readonly #cell: Cell;
  #disposed = false;

  constructor(presence: Presence, cell: Cell) {
    this.presence = presence;
    this.#cell = cell;
    collected.register(this, { presence, cell }, this);
  }

  /** @throws InvalidHandleError once disposed of. */
  get cell(): Cell {
    if (this.#disposed) throw new InvalidHandleError('this lock has been disposed of');
    return this.#cell;
  }

  handle<Type extends string>(type: Type): LockHandle<Type> {
    const { memory } = this.presence;
    return {
      type,
      version: LAYOUT_VERSION,
      memory: memory.buffer,
      cell: cellNumber(memory, this.cell.index),
    };
  }

  dispose(): void {
    this.presence.dispose(this.cell);
    collected.unregister(this);
    this.#disposed = true;
    for (const face of this.faces) face.source = BARRED;
  }
}

/** Opens the cell that constructor options ask for: in the given space, else in the default one. */
export function obtain(space: Space | undefined, wanted: CellDescription): Opened {
  if (wanted.name !== undefined) checkName(wanted.name);
  const presence = space === undefined ? runtime().defaultPresence() : runtime().presenceOf(space);
  return new Opened(presence, presence.obtain(wanted));
}

/**
 * Opens the cell that a handle stands for.
 * @throws InvalidHandleError if it is not a handle of this type.
 */
export function openHandle(handle: unknown, type: string, kinds: readonly number[]): Opened {
  const { memory: buffer, cell } = checkHandle(handle, type);
  const memory = readMemory(buffer);
  findCell(memory, cell, kinds); // Before anything is written to a memory that this thread may not know yet.
  const presence = runtime().presenceIn(memory);
  return new Opened(presence, presence.open(cell, kinds));
}

interface HandleFields {
  type?: unknown;
  version?: unknown;
  memory?: unknown;
  cell?: unknown;
}

/** Reads the fields once: a getter or a proxy may throw, or answer differently the next time. */
function read(handle: HandleFields): HandleFields {
  try {
    const { type, version, memory, cell } = handle;
    return { type, version, memory, cell };
  } catch (error) {
    throw new InvalidHandleError(`a handle must be a plain object: ${show(error)}`, { cause: error });
  }
}

/** @throws InvalidHandleError unless it is an object of the given type and of this layout version. */
export function checkHandle(handle: unknown, type: string): { memory: unknown; cell: unknown } {
  if (typeof handle !== 'object' || handle === null)
    throw new InvalidHandleError(`a handle must be an object, not ${show(handle)}`);
  const given = read(handle);
  if (given.type !== type)
    throw new InvalidHandleError(`handle.type must be ${show(type)}, not ${show(given.type)}`);
  if (given.version !== LAYOUT_VERSION)
    throw new InvalidHandleError(
      `handle.version is ${show(given.version)}; this copy of mortise knows layout version ${LAYOUT_VERSION}`,
    );
  return { memory: given.memory, cell: given.cell };
}
