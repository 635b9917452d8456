/** What arranged situations have in common, see `arranged.mjs`. */
import { mutexOf, readWriteLockOf, semaphoreOf } from './subjects.mjs';
import { layout } from './space.mjs';

export const kinds = {
  mutex: { kinds: [layout.KIND_MUTEX, layout.KIND_MUTEX], open: mutexOf },
  semaphore: { kinds: [layout.KIND_SEMAPHORE, layout.KIND_SEMAPHORE], open: semaphoreOf, permits: 1 },
  'read-write lock': {
    kinds: [layout.KIND_READ_WRITE_LOCK, layout.KIND_READ_WRITE_LOCK],
    open: readWriteLockOf,
  },
};

/** `patience`: milliseconds in which nobody can go on, and need not. */
export function arranged(kind, what, programs, { patience = 0, ...more } = {}) {
  return {
    ...kinds[kind],
    ...more,
    name: `${kind}: ${what}`,
    locks: 2,
    isArranged: true,
    patience,
    threads: programs.map((program) => [program]),
    atEnd(world) {
      const word = world.wordOf(0);
      const free = (kind === 'semaphore' ? (more.permits ?? 1) : 0) | 0;
      if ((word & ~(1 << 24)) !== free) throw new Error(`it is still held or queued for: ${word}`);
    },
  };
}

/** Milliseconds after which somebody who waits has found out about a death, and everybody about it. */
export const SOON = 20;
/** After a wake that an event loop does not answer, and one look of those who wait. */
export const LAPSED = 25;
export const READ = { side: 'reader' };
export const WRITE = { side: 'writer' };
export const sides = { mutex: [{}], semaphore: [{}], 'read-write lock': [READ, WRITE] };
export const described = ({ side, how = 'sync' }) => (side === undefined ? how : `${side} ${how}`);
