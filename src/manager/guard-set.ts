/** What `acquireAll` gives: several guards as one. */
import type { Guard } from '../lock.js';

/** One lock of a set, and its guard. */
export interface Held {
  /** As the scope that was asked calls it. */
  readonly name: string;
  readonly guard: Guard;
}

/**
 * The proof of several holds, which end together: by `release()`, `LockManager.releaseAll`, or at the end of the block of
 * an `await using` declaration (`using`, if none of them is remote).
 */
export class GuardSet implements Disposable, AsyncDisposable {
  readonly #held: readonly Held[];
  #end: (() => void) | undefined;

  /** @internal `end` is told once, when they are released. */
  constructor(held: readonly Held[], end: () => void) {
    this.#held = held;
    this.#end = end;
  }

  /** In the order in which they were acquired. */
  get names(): string[] {
    return this.#held.map(({ name }) => name);
  }

  /** The guard of one of them, for its `fence`. Releasing it alone is allowed. */
  get(name: string): Guard | undefined {
    return this.#held.find((it) => it.name === name)?.guard;
  }

  /** True while all of them are held. */
  get held(): boolean {
    return this.#held.every(({ guard }) => guard.held);
  }

  /** True if the previous exclusive holder of any of them died while holding it: check the data before you trust it. */
  get abandoned(): boolean {
    return this.#held.some(({ guard }) => guard.abandoned);
  }

  /**
   * Releases all of them, the last acquired first. True if this call did so, false if they were released before. A promise
   * if one of them is remote.
   * @throws what a backend says, or an AggregateError of it, when the others are released.
   */
  release(): boolean | Promise<boolean> {
    if (this.#end === undefined) return false;
    this.#end();
    this.#end = undefined;
    return releaseAll(this.#held);
  }

  [Symbol.dispose](): void {
    void this.release();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.release();
  }
}

/** Gives back every one of them, whatever becomes of the others. */
export function releaseAll(held: readonly Held[]): true | Promise<true> {
  const errors: unknown[] = [];
  const pending: Promise<unknown>[] = [];
  for (const { guard } of [...held].reverse()) {
    try {
      const released = guard.release();
      if (typeof released !== 'boolean') pending.push(released.catch((error) => errors.push(error)));
    } catch (error) {
      errors.push(error);
    }
  }
  const outcome = (): true => {
    if (errors.length > 1) throw new AggregateError(errors, `${errors.length} locks could not be released`);
    if (errors.length === 1) throw errors[0];
    return true;
  };
  return pending.length === 0 ? outcome() : Promise.all(pending).then(outcome);
}

/** The sets that are held, by their names: the newest of each comes last. */
export class GuardSets {
  readonly #sets = new Map<string, GuardSet[]>();

  /** A guard of these, whose names are those of the scope with this prefix. */
  add(held: readonly Held[], prefix: string): GuardSet {
    const key = keyOf(
      held.map(({ name }) => name),
      prefix,
    );
    const same = this.#sets.get(key) ?? [];
    const set = new GuardSet(held, () => {
      same.splice(same.indexOf(set), 1);
      if (same.length === 0) this.#sets.delete(key);
    });
    same.push(set);
    this.#sets.set(key, same);
    return set;
  }

  newest(names: readonly string[], prefix: string): GuardSet | undefined {
    return this.#sets.get(keyOf(names, prefix))?.at(-1);
  }
}

function keyOf(names: readonly string[], prefix: string): string {
  return JSON.stringify(names.map((name) => prefix + name).sort());
}
