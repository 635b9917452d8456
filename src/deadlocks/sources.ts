/** The backends whose locks tell who holds them, as this thread has them open. */
import type { Blocked, Census, ThreadCensus } from './census.js';
import { self } from './task.js';
import { partyKey, type Hold, type Wait } from './wait.js';

export class Sources {
  /** By id of the backend. Weak: it is its manager that keeps a backend, and the memory behind it. */
  readonly #known = new Map<string, WeakRef<Census>>();

  add(backend: string, census: Census): void {
    if (this.#known.get(backend)?.deref() !== census) this.#known.set(backend, new WeakRef(census));
  }

  *all(): Generator<[string, Census]> {
    for (const [backend, reference] of this.#known) {
      const census = reference.deref();
      if (census === undefined) this.#known.delete(backend);
      else yield [backend, census];
    }
  }

  /** The threads that block, each with all that it holds anywhere. */
  blocked(): Blocked[] {
    const threads = [...this.#threads()];
    return threads.flatMap(([backend, census]) =>
      census.blocked(backend).map(({ wait, undecided }) => {
        const holds = threads.flatMap(([of, other]) =>
          of === backend ? wait.holds : other.held(of, wait.party),
        );
        const known: Wait = { ...wait, holds };
        return { wait: known, undecided };
      }),
    );
  }

  /** What this thread holds. */
  held(): Hold[] {
    return [...this.#threads()].flatMap(([backend, census]) => census.held(backend, self));
  }

  /** These backends, and whatever others have their locks in the same memory. */
  together(backends: readonly (string | undefined)[]): (string | undefined)[] {
    const memories = new Set<string>();
    for (const [backend, { threads }] of this.all())
      if (threads?.id !== undefined && backends.includes(backend)) memories.add(threads.id);
    const all = [...backends];
    for (const [backend, { threads }] of this.all()) if (memories.has(threads?.id ?? '')) all.push(backend);
    return all;
  }

  pause(): void {
    for (const [, census] of this.#threads()) {
      census.pause();
      return;
    }
  }

  *#threads(): Generator<[string, ThreadCensus]> {
    const seen = new Set<string>();
    for (const [backend, { threads }] of this.all()) {
      // The same memory under another name.
      const id = threads?.id;
      if (id === undefined || seen.has(id)) continue;
      seen.add(id);
      yield [backend, threads as ThreadCensus];
    }
  }
}

export function isOwn(wait: Wait): boolean {
  return partyKey(wait.party) === partyKey(self);
}
