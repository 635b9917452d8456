/** Re-entry: inside a `withLock` body, the same lock is had again without asking the server. */
import { AsyncLocalStorage } from 'node:async_hooks';
import type { Contest } from './contest.js';
import type { Hold } from './hold.js';

/** The holds of the `withLock` bodies that surround the running code, innermost first. */
interface Scope {
  readonly contest: Contest;
  readonly hold: Hold;
  readonly outer: Scope | undefined;
}

const scopes = new AsyncLocalStorage<Scope | undefined>();

/** The hold of the body that surrounds the caller, entered once more; undefined if there is none, or it was lost. */
export function reenter(contest: Contest): Hold | undefined {
  for (let scope = scopes.getStore(); scope !== undefined; scope = scope.outer)
    if (isSame(scope.contest, contest) && scope.hold.isHeld) return scope.hold.enter();
  return undefined;
}

/** Runs a body inside which {@link reenter} finds the hold. */
export function inside<T>(contest: Contest, hold: Hold, body: () => T): T {
  return scopes.run({ contest, hold, outer: scopes.getStore() }, body);
}

function isSame(a: Contest, b: Contest): boolean {
  return a.key === b.key && a.contenders === b.contenders;
}
