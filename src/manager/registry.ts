/** The names of one manager: each has one kind, one place, and one entry, made when it is first asked for. */
import { debuglog } from 'node:util';
import { show } from '../deadline.js';
import { attended, mind } from '../deadlocks/attend.js';
import type { Watcher } from '../deadlocks/watcher.js';
import { NameConflictError, SpaceFullError } from '../errors.js';
import type { Lock } from '../lock.js';
import type { Backend, BackendReadWriteLock, BackendSemaphore } from './backend.js';
import { GuardSets } from './guard-set.js';
import type { Limits, LockMode } from './limits.js';
import type { Statistics } from './statistics.js';
import { describe, Named, type Description, type Kind, type Opened } from './named.js';

const debug = debuglog('mortise');

/** What is asked of a name. */
export interface Wish {
  readonly name: string;
  readonly kind: Kind;
  /** Undefined, as `key`: as it is, and of a new name the manager's own backend. */
  readonly backend?: Backend | undefined;
  readonly key?: string | undefined;
  readonly permits?: number | undefined;
}

/** Those of this thread: their names share the room of their backends. */
const registries = new Set<WeakRef<Registry>>();
const collected = new FinalizationRegistry<WeakRef<Registry>>((reference) => registries.delete(reference));

export class Registry {
  readonly backend: Backend;
  readonly limits: Limits;
  /** What `acquireAll` has given and nobody has released yet. */
  readonly sets: GuardSets = new GuardSets();
  /** Who looks for deadlocks; undefined: nobody. */
  readonly watcher: Watcher | undefined;
  /** Who counts; undefined: nobody. */
  readonly statistics: Statistics | undefined;
  readonly #names = new Map<string, Named>();

  constructor(
    backend: Backend,
    limits: Limits,
    watcher: Watcher | undefined,
    statistics: Statistics | undefined,
  ) {
    this.backend = backend;
    this.limits = limits;
    this.watcher = watcher;
    this.statistics = statistics;
    if (watcher !== undefined) mind(watcher, backend.id, backend.census);
    const reference = new WeakRef(this);
    registries.add(reference);
    collected.register(this, reference);
  }

  find(name: string): Named | undefined {
    return this.#names.get(name);
  }

  /** All whose name begins so, in the order in which they were made. */
  *named(prefix: string): Generator<Named> {
    for (const [name, named] of this.#names) if (name.startsWith(prefix)) yield named;
  }

  /**
   * The entry of the name, made if need be.
   * @throws NameConflictError if the name stands for something else, here or at its backend; what the backend throws.
   */
  obtain(wish: Wish): Named {
    const found = this.#names.get(wish.name);
    if (found !== undefined) {
      checkSame(wish, found);
      return found;
    }
    const { name, kind, backend = this.backend, key = name, permits } = wish;
    const made = new Named({ name, kind, backend, key, permits }, this.limits, this);
    made.open();
    return made;
  }

  /**
   * Gives a name to a lock of the user's own.
   * @throws NameConflictError if the name stands for anything else.
   */
  register(name: string, kind: Kind, lock: Lock | BackendReadWriteLock): Named {
    const found = this.#names.get(name);
    if (found !== undefined)
      throw new NameConflictError(`the name ${show(name)} is taken already: ${found.describe()}`);
    const permits = kind === 'semaphore' ? (lock as BackendSemaphore).permits : undefined;
    const description = { name, kind, backend: undefined, key: name, permits };
    const measured = this.statistics?.measure(description, lock) ?? lock;
    const named = new Named(description, this.limits, this, measured);
    this.#names.set(name, named);
    debug('manager: registered %s as %s', show(name), named.describe());
    return named;
  }

  /** Opens what is behind a name, for the first time or after it was closed; the name is then known again. */
  open(named: Named): Opened {
    const { description } = named;
    const found = this.#names.get(description.name);
    if (found !== undefined && found !== named) checkSame(description, found);
    const opened = this.#openAt(description);
    const measured = this.statistics?.measure(description, opened) ?? opened;
    if (found === undefined) this.#names.set(description.name, named);
    debug('manager: opened %s as %s', show(description.name), named.describe());
    return measured;
  }

  attended(lock: Lock, mode: LockMode, { name, kind, key, permits, backend }: Description): Lock {
    if (this.watcher === undefined) return lock;
    // A lock of the user's own may live where ours do.
    const { census } = backend ?? this.backend;
    const id = backend?.id;
    const fifo = kind !== 'lock' && backend?.capabilities.fifo === true;
    const behind = this.statistics?.behind(lock) ?? lock;
    return attended(lock, mode, { name, key, backend: id, permits, fifo, behind, census }, this.watcher);
  }

  /** Closes and forgets it unless it is in use or the user's own. */
  async drop(named: Named): Promise<boolean> {
    const outcome = named.close();
    return this.#dropped(named, typeof outcome === 'string' ? outcome : await outcome);
  }

  #dropped(named: Named, outcome: 'closed' | 'busy'): boolean {
    // Open again: somebody came while a remote one was being closed.
    if (outcome === 'busy' || named.isOpen) return false;
    const { name } = named.description;
    if (this.#names.get(name) === named) this.#names.delete(name);
    debug('manager: closed %s', show(name));
    return true;
  }

  #openAt(description: Description): Opened {
    try {
      return openAt(description);
    } catch (error) {
      if (!(error instanceof SpaceFullError)) throw error;
      // A program that makes up names as it goes has left most of its room to names that nobody uses.
      const { id } = description.backend as Backend;
      let some = false;
      for (const reference of registries) {
        const registry = reference.deref();
        if (registry !== undefined) some = registry.#makeRoom(id) || some;
      }
      if (!some) throw error;
      return openAt(description);
    }
  }

  #makeRoom(backend: string): boolean {
    let some = false;
    for (const named of this.#names.values()) {
      if (named.backendId !== backend) continue;
      const outcome = named.close();
      if (typeof outcome === 'string') some = this.#dropped(named, outcome) || some;
      // The room that a remote one leaves comes too late.
      else void outcome.then((it) => this.#dropped(named, it)).catch(() => undefined);
    }
    return some;
  }
}

function openAt({ kind, backend, key, permits }: Description): Opened {
  const at = backend as Backend;
  switch (kind) {
    case 'lock':
      return at.lock(key);
    case 'read-write lock':
      return at.readWriteLock(key);
    case 'semaphore':
      return at.semaphore(key, permits as number);
  }
}

function checkSame(wish: Wish, found: Named): void {
  const { description } = found;
  const { name, kind, backend = description.backend, key = description.key } = wish;
  const { permits = description.permits } = wish;
  if (
    kind === description.kind &&
    backend?.id === description.backend?.id &&
    key === description.key &&
    permits === description.permits
  )
    return;
  const wanted = describe({ name, kind, backend, key, permits });
  throw new NameConflictError(
    `the name ${show(name)} is that of ${found.describe()}, and cannot be that of ${wanted}`,
  );
}
