/** The names of a manager that begin with a prefix, and what can be done with them. */
import { checkInteger, checkOptions, show, type Names } from '../deadline.js';
import { detectedBy } from '../deadlocks/attend.js';
import { Audience, type DeadlockEvents } from '../deadlocks/audience.js';
import { namesOf, type DeadlockReport } from '../deadlocks/report.js';
import { UnsupportedError } from '../errors.js';
import type { AcquireOptions, Lock } from '../lock.js';
import { checkKey, type Backend, type BackendReadWriteLock } from './backend.js';
import { checkBackend, checkLock, kindOf } from './checks.js';
import { acquireInOrder, checkRequests, type Demand, type LockRequest, type Want } from './acquire-all.js';
import type { GuardSet } from './guard-set.js';
import { checkMode, type LockMode } from './limits.js';
import type { ManagedLock, ManagedSemaphore } from './managed-lock.js';
import type { Kind, Named } from './named.js';
import type { Registry } from './registry.js';
import type { LockStatus, NameStats, Statistics } from './statistics.js';
import { statusOf } from './status.js';

export interface NameOptions {
  /** Where this name lives. Default: the manager's backend. */
  backend?: Backend;
  /** What it is called there. Default: the name, with the prefixes of its scopes. */
  key?: string;
}

const OPTIONS: Names<NameOptions> = { backend: true, key: true };

/** What a manager knows of a name. */
export interface NameEntry {
  readonly name: string;
  readonly kind: Kind;
  /** The id of its backend, or `undefined` for a lock that was registered. */
  readonly backend: string | undefined;
  readonly key: string;
  /** Of a semaphore, else `undefined`. */
  readonly permits: number | undefined;
}

/** More than any backend can have. */
const MAX_PERMITS = 2 ** 31 - 1;
const SEPARATOR = ':';

const KINDS: Readonly<Record<LockMode, Kind>> = {
  lock: 'lock',
  read: 'read-write lock',
  write: 'read-write lock',
  semaphore: 'semaphore',
};

/**
 * Locks by name: all of a manager, or those under the prefix of a `scope`. The same name is the same lock in every module
 * and every thread, and on a shared backend in every process and machine. A name has one kind: a lock, a read-write lock
 * or a semaphore.
 */
export class LockScope {
  readonly #registry: Registry;
  readonly #prefix: string;
  readonly #audience: Audience;

  /** @internal */
  constructor(registry: Registry, prefix: string) {
    this.#registry = registry;
    this.#prefix = prefix;
    this.#audience = new Audience(registry.watcher, prefix);
  }

  /**
   * The lock with this name, made if need be: one holder at a time.
   * @throws NameConflictError if the name is that of another kind, backend or key; what the backend throws;
   * TypeError or RangeError for bad arguments.
   */
  lock(name: string, options?: NameOptions): ManagedLock {
    const found = options === undefined ? this.#find(name)?.lock : undefined;
    return found ?? (this.#obtain(name, 'lock', options).lock as ManagedLock);
  }

  /**
   * The reading side of the read-write lock with this name, made if need be: many readers, and no writer meanwhile.
   * @throws as {@link lock}; UnsupportedError if the backend has no read-write locks.
   */
  readLock(name: string, options?: NameOptions): ManagedLock {
    const found = options === undefined ? this.#find(name)?.reader : undefined;
    return found ?? (this.#obtain(name, 'read-write lock', options).reader as ManagedLock);
  }

  /**
   * The writing side of the read-write lock with this name, made if need be: one writer, and nobody else.
   * @throws as {@link readLock}.
   */
  writeLock(name: string, options?: NameOptions): ManagedLock {
    const found = options === undefined ? this.#find(name)?.writer : undefined;
    return found ?? (this.#obtain(name, 'read-write lock', options).writer as ManagedLock);
  }

  /**
   * The semaphore with this name, made if need be.
   * @param permits How many there are, the same for all who use the name: an integer from 1.
   * @throws as {@link lock}; NameConflictError also if it has other permits; UnsupportedError if the backend has no
   * semaphores.
   */
  semaphore(name: string, permits: number, options?: NameOptions): ManagedSemaphore {
    const found = options === undefined ? this.#find(name) : undefined;
    if (found?.semaphore && found.description.permits === permits) return found.semaphore;
    checkInteger(permits, 'permits', 1, MAX_PERMITS);
    return this.#obtain(name, 'semaphore', options, permits).semaphore as ManagedSemaphore;
  }

  /**
   * The lock with this name if there is one in this manager, else `undefined`. Of a read-write lock, `mode` says which
   * side; the default is its writer, which excludes everybody.
   * @throws TypeError or RangeError for a bad name or mode.
   */
  get(name: string, mode?: LockMode): ManagedLock | ManagedSemaphore | undefined {
    checkKey(name, 'name');
    checkMode(mode);
    return this.#find(name)?.face(mode);
  }

  /**
   * Acquires several locks, all or none: names, which mean mode `lock`, and `{ name, mode, weight }`. Everybody who asks
   * for several this way gets them in the same order, whatever the order of the requests, so that no two wait for each
   * other. `timeout` is for all of them together; the default is the longest time limit of them. While it waits for one,
   * it holds those that come before it. Locks that are not there yet are made, except semaphores.
   *
   * The same name and mode twice counts once.
   * @throws LockTimeoutError, `signal.reason`, or what {@link lock} throws: nothing is held then. TypeError or RangeError
   * for bad requests, two that mean one lock, and a semaphore that is not there.
   *
   * @example
   * ```js
   * import { LockManager } from 'mortise';
   *
   * const accounts = new LockManager().scope('account');
   * async function transfer(from, to, amount, balances) {
   *   await using all = await accounts.acquireAll([from, to], { timeout: 1000 });
   *   balances[from] -= amount;
   *   balances[to] += amount;
   *   return all.names;
   * }
   * const balances = { alice: 10, bob: 10 };
   * await Promise.all([transfer('bob', 'alice', 4, balances), transfer('alice', 'bob', 1, balances)]);
   * balances; // => { alice: 13, bob: 7 }
   * ```
   */
  async acquireAll(requests: readonly (string | LockRequest)[], options?: AcquireOptions): Promise<GuardSet> {
    const wants = checkRequests(requests).map((demand) => this.#want(demand));
    const held = await acquireInOrder(wants, options, this.#registry.limits);
    return this.#registry.sets.add(held, this.#prefix);
  }

  /**
   * Releases the newest unreleased guard that {@link acquireAll} of this manager gave in this thread for exactly these
   * names, in any order. False if there is none.
   */
  async releaseAll(names: readonly string[]): Promise<boolean> {
    const demands = checkRequests(names);
    const wanted = demands.map(({ name }) => name);
    return this.#registry.sets.newest(wanted, this.#prefix)?.release() ?? false;
  }

  /**
   * Gives a name to a lock of your own: any `Lock`, also a semaphore or a `ReadWriteLock` of mortise. The kind of the name
   * is that of the lock. `cleanup` leaves it alone.
   * @throws NameConflictError if the name is taken; TypeError if it is no lock.
   *
   * @example
   * ```js
   * import { LockManager, Semaphore } from 'mortise';
   *
   * const locks = new LockManager();
   * locks.register('sockets', new Semaphore(8)); // without a name in its space: nobody else's
   * await locks.semaphore('sockets', 8).available(); // => 8
   * ```
   */
  register(name: string, lock: Lock | BackendReadWriteLock): ManagedLock | ManagedSemaphore {
    checkLock(lock);
    const named = this.#registry.register(this.#full(name), kindOf(lock), lock);
    return named.face() as ManagedLock | ManagedSemaphore;
  }

  /**
   * The names that begin with `prefix`, a colon in between: `scope('tenant-a').lock('db')` is the name `tenant-a:db`, and
   * no other scope has it. Scopes may be nested.
   * @throws TypeError or RangeError for a prefix that is empty or has a colon.
   *
   * @example
   * ```js
   * import { LockManager } from 'mortise';
   *
   * const locks = new LockManager();
   * const guard = await locks.scope('tenant-a').lock('db').acquire();
   * await locks.scope('tenant-b').lock('db').isLocked(); // => false
   * await locks.lock('tenant-a:db').isLocked(); // => true
   * guard.release();
   * ```
   */
  scope(prefix: string): LockScope {
    checkKey(prefix, 'prefix');
    if (prefix.includes(SEPARATOR))
      throw new RangeError(`prefix must have no '${SEPARATOR}', which ends it: ${show(prefix)}`);
    return new LockScope(this.#registry, this.#prefix + prefix + SEPARATOR);
  }

  /** What is known under which name here, in the order in which it was made; in a scope without its prefix. */
  list(): NameEntry[] {
    const entries: NameEntry[] = [];
    for (const { description } of this.#registry.named(this.#prefix)) {
      const { name, kind, backend, key, permits } = description;
      entries.push({ name: name.slice(this.#prefix.length), kind, backend: backend?.id, key, permits });
    }
    return entries;
  }

  /**
   * What happened at each name and mode since it was opened, or {@link resetStats}: exact, summed over all threads of the
   * process that use it by a manager with this backend and `statistics`. Hold times are those of every hold that was waited
   * for, of one in 64 of the others, and of the first in 50 ms. A name is forgotten when no thread has it open any more, of
   * threads that ended by the next {@link cleanup}. Threads started before the main one loaded mortise count for themselves.
   * @throws UnsupportedError if the manager was made without `statistics`.
   *
   * @example
   * ```js
   * import { LockManager } from 'mortise';
   *
   * const locks = new LockManager({ statistics: true });
   * await locks.lock('invoice:7').withLock(() => 'paid');
   * locks.stats().map(({ name, mode, acquisitions }) => [name, mode, acquisitions]); // => [['invoice:7', 'lock', 1]]
   * ```
   */
  stats(): NameStats[];
  /** As above, of one name; `undefined` if no thread has it open. `mode` as that of {@link get}. */
  stats(name: string, mode?: LockMode): NameStats | undefined;
  stats(name?: string, mode?: LockMode): NameStats[] | NameStats | undefined {
    const statistics = this.#statistics('stats');
    if (name === undefined) return statistics.read(this.#prefix).map((it) => this.#here(it));
    checkKey(name, 'name');
    checkMode(mode);
    const full = this.#prefix + name;
    const isWanted = (it: NameStats): boolean => (mode === undefined ? it.mode !== 'read' : it.mode === mode);
    const stats = statistics.read(full).find((it) => it.name === full && isWanted(it));
    return stats && this.#here(stats);
  }

  /**
   * {@link stats} of this manager tells what happens from now on, at one name or at all; least and most of the times are
   * then at most 25 % off. Other managers, and the locks themselves, go on counting. @throws as {@link stats}.
   */
  resetStats(name?: string): void {
    const statistics = this.#statistics('resetStats');
    if (name !== undefined) checkKey(name, 'name');
    statistics.reset(this.#prefix, name);
  }

  /**
   * Who holds and who waits at each name: the threads of this process, if they have `statistics`, and what the lock itself
   * says of whoever uses it anywhere (`info`). It may be out of date when you read it. Where a lock answers promises only,
   * as on servers, `info` is `null`: ask `await locks.lock(name).info()`.
   * @throws what the backend does.
   *
   * @example
   * ```js
   * import { LockManager } from 'mortise';
   *
   * const locks = new LockManager({ statistics: { label: 'billing' } });
   * const guard = await locks.lock('invoice:7').acquire();
   * const { holders } = locks.status('invoice:7');
   * holders.map(({ mode, threadId, label, fence }) => [mode, threadId, label, fence]); // => [['lock', 0, 'billing', 1n]]
   * guard.release();
   * ```
   */
  status(): LockStatus[];
  /** As above, of one name; `undefined` if no thread has it open. */
  status(name: string): LockStatus | undefined;
  status(name?: string): LockStatus[] | LockStatus | undefined {
    if (name !== undefined) checkKey(name, 'name');
    const entries = statusOf(this.#registry, this.#prefix, name).map((it) => this.#here(it));
    return name === undefined ? entries : entries[0];
  }

  /**
   * Closes and forgets the names that nobody holds or waits for, never those in use or registered. Locks that were given
   * out stay usable. Returns how many were closed. In memory, names of all managers of a
   * thread are closed as well when there is no room for another.
   * @throws AggregateError with what the backends threw, when all others are closed.
   *
   * @example
   * ```js
   * import { LockManager } from 'mortise';
   *
   * const locks = new LockManager();
   * const session = locks.lock('session:1');
   * const guard = await locks.lock('session:2').acquire();
   * await locks.cleanup(); // => 1
   * locks.list().map(({ name }) => name); // => ['session:2']
   * await session.withLock(() => 'still usable'); // => 'still usable'
   * guard.release();
   * ```
   */
  async cleanup(): Promise<number> {
    const names = [...this.#registry.named(this.#prefix)];
    const outcomes = await Promise.allSettled(names.map((named) => this.#registry.drop(named)));
    const errors = outcomes.flatMap((it) => (it.status === 'rejected' ? [it.reason as Error] : []));
    this.#registry.statistics?.sweep(this.#prefix);
    if (errors.length > 0) throw new AggregateError(errors, `${errors.length} locks could not be closed`);
    return outcomes.filter((it) => it.status === 'fulfilled' && it.value).length;
  }

  /**
   * The deadlocks that there are now among those who use the backends of this manager, in whatever thread, and on a
   * `sharedMemoryBackend` or `redisBackend` process: each cycle once, in a scope those with one of its names. Empty if
   * `deadlocks` is `off`. It takes 50 to 200 ms; on Redis 120 to 300, and tells of those that have lasted so long.
   *
   * @example
   * ```js
   * import { LockManager } from 'mortise';
   *
   * const locks = new LockManager();
   * const both = (one, other) =>
   *   locks.lock(one).withLock(async () => {
   *     await null; // so that the other task has its first lock as well
   *     await locks.lock(other).withLock(() => {}, { timeout: 500 });
   *   });
   * const tasks = [both('left', 'right'), both('right', 'left')];
   * const [deadlock] = await locks.detectDeadlocks();
   * deadlock.certain; // => true
   * deadlock.members.map(({ holds, waitsFor }) => `${holds.name}, then ${waitsFor.name}`).sort();
   * // => ['left, then right', 'right, then left']
   * (await Promise.allSettled(tasks)).some(({ reason }) => reason?.code === 'ERR_LOCK_TIMEOUT'); // => true
   * ```
   */
  async detectDeadlocks(): Promise<DeadlockReport[]> {
    const { watcher } = this.#registry;
    if (watcher === undefined) return [];
    const found = await detectedBy(watcher);
    return found.filter((report) => this.#audience.isConcernedBy(namesOf(report)));
  }

  /**
   * Calls `listener` from now on. A deadlock is told of within `deadlockInterval` once to each manager whose backends it is
   * on, in each thread that listens, in a scope if one of its names is in it; the other events in the thread that waits.
   * @throws RangeError if there is no such event; TypeError if the listener is no function.
   */
  on<E extends keyof DeadlockEvents>(event: E, listener: (...told: DeadlockEvents[E]) => void): this {
    this.#audience.on(event, listener, false);
    return this;
  }

  /** As {@link on}, for the next time only. */
  once<E extends keyof DeadlockEvents>(event: E, listener: (...told: DeadlockEvents[E]) => void): this {
    this.#audience.on(event, listener, true);
    return this;
  }

  /** Takes back {@link on} or {@link once} of this scope. */
  off<E extends keyof DeadlockEvents>(event: E, listener: (...told: DeadlockEvents[E]) => void): this {
    this.#audience.off(event, listener);
    return this;
  }

  #statistics(method: string): Statistics {
    if (this.#registry.statistics !== undefined) return this.#registry.statistics;
    throw new UnsupportedError(
      `${method}() needs a manager that counts: new LockManager({ statistics: true })`,
    );
  }

  /** As it is called in this scope. */
  #here<T extends { readonly name: string }>(entry: T): T {
    return { ...entry, name: entry.name.slice(this.#prefix.length) };
  }

  #want(demand: Demand): Want {
    const { name, mode } = demand;
    const found = this.#find(name);
    if (found === undefined && mode === 'semaphore')
      throw new RangeError(`there is no semaphore ${show(name)} yet: make it by semaphore(name, permits)`);
    const named = this.#obtain(name, KINDS[mode], undefined, found?.description.permits);
    return { ...demand, description: named.description, lock: named.face(mode) as Want['lock'] };
  }

  #find(name: string): Named | undefined {
    return typeof name === 'string' ? this.#registry.find(this.#prefix + name) : undefined;
  }

  #obtain(name: string, kind: Kind, options: NameOptions = {}, permits?: number): Named {
    const full = this.#full(name);
    checkOptions(options, 'options', OPTIONS);
    const { backend, key } = options;
    if (backend !== undefined) checkBackend(backend, 'options.backend');
    if (key !== undefined) checkKey(key, 'options.key');
    return this.#registry.obtain({ name: full, kind, backend, key, permits });
  }

  #full(name: string): string {
    checkKey(name, 'name');
    const full = this.#prefix + name;
    checkKey(full, 'name, with the prefix of its scope,');
    return full;
  }
}
