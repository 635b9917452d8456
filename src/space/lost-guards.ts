/**
 * Warns of guards that were garbage-collected while held. Registering every guard would cost more than locking;
 * so after each garbage collection the locks that this thread holds get a new tether (see `tether.ts`), and
 * the old ones are watched: one that is collected while its hold goes on has lost its guard.
 */
import type { Cell } from './cell.js';
import { nameOf, readFence } from './cells.js';
import { CELL_FENCE, CELL_WORD } from './layout.js';
import type { Presence } from './presence.js';
import type { Tether } from './tether.js';

interface Watched {
  readonly cell: Cell;
  /** The fence of the exclusive hold that hangs on the tether, if there is one. */
  readonly fence: number | undefined;
}

/** What is known of a cell's older tethers. */
interface Past {
  /** The fence of the exclusive hold that hangs on one of them. */
  fence: number | undefined;
  readonly tethers: Set<WeakRef<Tether>>;
  /** Shared guards that were reported as lost. */
  reported: number;
}

const pasts = new WeakMap<Cell, Past>();

function pastOf(cell: Cell): Past {
  let past = pasts.get(cell);
  if (past === undefined) pasts.set(cell, (past = { fence: undefined, tethers: new Set(), reported: 0 }));
  return past;
}

const tethers = new FinalizationRegistry<Watched>(({ cell, fence }) => {
  const past = pastOf(cell);
  const shared = cell.ownSharedGuards - reachable(cell, past) - past.reported;
  past.reported += shared;
  const lost = shared + (fence !== undefined && exclusiveFence(cell) === fence ? 1 : 0);
  if (lost > 0) warn(cell, lost);
});

/** Shared guards that hang on tethers which are not collected. */
function reachable(cell: Cell, past: Past): number {
  let held = cell.tether.held;
  for (const reference of past.tethers) {
    const tether = reference.deref();
    if (tether === undefined) past.tethers.delete(reference);
    else held += tether.held;
  }
  return held;
}

/** Whose cells are watched. */
let watched: () => Iterable<Presence> = () => [];

/** Called after every garbage collection that looks at old objects: its target is garbage from the start. */
const collections = new FinalizationRegistry<undefined>(() => {
  for (const presence of watched())
    for (const cell of presence.cells.values()) {
      retether(cell);
      presence.closeIdle(cell); // Its lock object was collected while a guard of it was held.
    }
  collections.register({}, undefined);
});

/** Begins to watch the cells of these presences, and of those that come. */
export function watchForLostGuards(presences: () => Iterable<Presence>): void {
  watched = presences;
  collections.register({}, undefined);
}

function retether(cell: Cell): void {
  const past = pastOf(cell);
  const fence = exclusiveFence(cell);
  const isNew = fence !== undefined && past.fence !== fence;
  if (!isNew && cell.tether.held === 0) return;
  if (isNew) past.fence = fence;
  const tether = cell.renewTether();
  past.tethers.add(new WeakRef(tether));
  tethers.register(tether, { cell, fence: isNew ? fence : undefined });
}

/** The fence of the exclusive hold of this thread, if it has one. */
function exclusiveFence(cell: Cell): number | undefined {
  const { words, word, rules } = cell.queue;
  const owner = rules.owner(words[word + CELL_WORD] ?? 0);
  return owner === cell.attachment.id ? readFence(words, word + CELL_FENCE) : undefined;
}

function warn(cell: Cell, lost: number): void {
  const name = nameOf(cell.queue.memory, cell.index);
  const lock = name === undefined ? 'a lock without a name' : `the lock '${name}'`;
  const guards = lost === 1 ? 'A guard' : `${lost} guards`;
  process.emitWarning(
    `${guards} of ${lock} garbage-collected while held: it stays locked until its thread ends. ` +
      'Keep the guard and release it, or use withLock() or a using declaration.',
    { type: 'LockWarning', code: 'MORTISE_GUARD_LOST' },
  );
}
