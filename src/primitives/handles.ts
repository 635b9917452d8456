/** Opening cells: by description, by name, by handle. */
import { show } from '../deadline.js';
import { InvalidHandleError } from '../errors.js';
import type { Cell } from '../space/cell.js';
import { cellNumber, checkName, findCell, type CellDescription } from '../space/cells.js';
import { LAYOUT_VERSION } from '../space/layout.js';
import { readMemory, type SpaceMemory } from '../space/memory.js';
import type { Presence } from '../space/presence.js';
import { runtime } from '../space/runtime.js';
import { BARRED, type TetherSource } from '../space/tether.js';
import type { Space } from './space.js';

/** Where a space is: memory that the threads of this process share, */
export interface InMemory {
  readonly memory: SharedArrayBuffer;
  readonly path?: undefined;
}
/** or a file that processes share, see `Space.open`. It may be sent as JSON. */
export interface InFile {
  readonly memory?: undefined;
  /** Absolute. */
  readonly path: string;
  /** What the file has to be, so that another one at its path is not taken for it: 16 hexadecimal digits. */
  readonly region: string;
}

/** What names a space, or a lock in one, for another thread or process. */
export type Handle<Type extends string = string> = (InMemory | InFile) & {
  readonly type: Type;
  /** Layout version. */
  readonly version: number;
};

/** What names a lock; pass it in `workerData`, `postMessage` or a piscina task, that of a file to any process. */
export type LockHandle<Type extends string = string> = Handle<Type> & { readonly cell: number };

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
    return { ...handleOf(type, memory), cell: cellNumber(memory, this.cell.index) };
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
  const given = checkHandle(handle, type);
  if (given.memory === undefined && given.path !== undefined) {
    const presence = presenceInFile(given);
    return new Opened(presence, presence.open(given.cell, kinds));
  }
  const memory = readMemory(given.memory);
  findCell(memory, given.cell, kinds); // Before anything is written to a memory that this thread may not know yet.
  const presence = runtime().presenceIn(memory);
  return new Opened(presence, presence.open(given.cell, kinds));
}

/** @throws InvalidHandleError if it is not the handle of a space of this type. */
export function openSpaceHandle(handle: unknown, type: string): Presence {
  const given = checkHandle(handle, type);
  if (given.memory === undefined && given.path !== undefined) return presenceInFile(given);
  return runtime().presenceIn(readMemory(given.memory));
}

function presenceInFile({ path, region }: HandleFields): Presence {
  if (typeof path !== 'string' || !path.startsWith('/') || path.includes('\0'))
    throw new InvalidHandleError(`handle.path must be an absolute path, not ${show(path)}`);
  if (typeof region !== 'string')
    throw new InvalidHandleError(`handle.region must be a string, not ${show(region)}`);
  // Whoever made the handle cannot say for this process that another user may own the file.
  return runtime().presenceInFile({ path, region, anyOwner: false });
}

/** What names this memory elsewhere. */
export function handleOf<Type extends string>(type: Type, { buffer, region }: SpaceMemory): Handle<Type> {
  const about = { type, version: LAYOUT_VERSION };
  if (region === undefined) return { ...about, memory: buffer as SharedArrayBuffer };
  const { path, id } = region;
  return { ...about, path, region: id };
}

interface HandleFields {
  type?: unknown;
  version?: unknown;
  memory?: unknown;
  cell?: unknown;
  path?: unknown;
  region?: unknown;
}

/** Reads the fields once: a getter or a proxy may throw, or answer differently the next time. */
function read(handle: HandleFields): HandleFields {
  try {
    const { type, version, memory, cell, path, region } = handle;
    return { type, version, memory, cell, path, region };
  } catch (error) {
    throw new InvalidHandleError(`a handle must be a plain object: ${show(error)}`, { cause: error });
  }
}

/** @throws InvalidHandleError unless it is an object of the given type and of this layout version. */
function checkHandle(handle: unknown, type: string): HandleFields {
  if (typeof handle !== 'object' || handle === null)
    throw new InvalidHandleError(`a handle must be an object, not ${show(handle)}`);
  const given = read(handle);
  if (given.type !== type)
    throw new InvalidHandleError(`handle.type must be ${show(type)}, not ${show(given.type)}`);
  if (given.version !== LAYOUT_VERSION)
    throw new InvalidHandleError(
      `handle.version is ${show(given.version)}; this copy of mortise knows layout version ${LAYOUT_VERSION}`,
    );
  return given;
}
