/**
 * How leases are noticed that were lost. To register each with a `FinalizationRegistry` costs more than all the rest that
 * this side does for a lock. So leases hang on a tether, all that were made since the last garbage collection on the same
 * one; nothing else leads to it after the next collection, and when it is collected, whoever still hangs on it was lost.
 */
import type { Hold } from './hold.js';
import { Slots, type Slotted } from './slots.js';

/** What is left of a lease when it is gone. */
export interface Remains extends Slotted {
  readonly hold: Hold;
  /** The lock in words. */
  readonly lock: string;
}

export class Tether {
  /** Of leases that are not released. */
  readonly remains: Slots<Remains> = new Slots();
}

let current = new Tether();

/** What new leases hang on. */
export function tether(): Tether {
  return current;
}

const lost = new FinalizationRegistry<Slots<Remains>>((remains) => {
  for (const { hold, lock } of remains) {
    if (!hold.isHeld) continue;
    hold.leaveToExpire();
    process.emitWarning(
      `A lease of ${lock} was garbage-collected while held: it stays locked until it expires. ` +
        'Keep the lease and release it, or use withLock() or an await using declaration.',
      { type: 'LockWarning', code: 'MORTISE_GUARD_LOST' },
    );
  }
});

/** Called after every garbage collection that looks at old objects: its target is garbage from the start. */
const collections = new FinalizationRegistry<undefined>(() => {
  if (current.remains.size > 0) {
    lost.register(current, current.remains);
    current = new Tether();
  }
  collections.register({}, undefined);
});
collections.register({}, undefined);
