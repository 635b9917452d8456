/** Where the manager meets the backends. */
import { memoryBackend } from './backends/memory.js';
import { checkOptions, show, type Names } from './deadline.js';
import { watcherOf, type DeadlockOptions } from './deadlocks/watcher.js';
import { fromEnvironment } from './environment.js';
import type { Backend } from './manager/backend.js';
import { checkBackend } from './manager/checks.js';
import { checkLimits, type TimeLimits } from './manager/limits.js';
import { LockScope } from './manager/lock-scope.js';
import { Registry } from './manager/registry.js';
import type { StatisticsOptions } from './manager/statistics.js';
import { statisticsFrom } from './statistics/statistics.js';

export interface LockManagerOptions extends DeadlockOptions {
  /** Where locks live. Default `memoryBackend()`: between the threads of this process. */
  backend?: Backend;
  /** How long acquires wait that say no timeout. Default: for ever. */
  timeouts?: TimeLimits;
  /**
   * Count, for `stats()`, `resetStats()` and `status()`. Default false: then it costs nothing. All managers with the same
   * backend count together, in every thread that has it set; see `LockScope.stats` for what is told, and how exactly.
   */
  statistics?: boolean | StatisticsOptions;
}

const OPTIONS: Names<LockManagerOptions> = {
  backend: true,
  timeouts: true,
  statistics: true,
  deadlocks: true,
  deadlockInterval: true,
  deadlockThreshold: true,
  orderInversions: true,
};

/**
 * Locks by name. Where they live is one line, and nothing else changes with it: fairness, crash safety and speed are
 * those of the backend. Two managers with the same backend have the same locks. What it opens stays open until
 * {@link LockManager.cleanup}.
 *
 * @example
 * ```js
 * import { LockManager, memoryBackend } from 'mortise';
 *
 * const locks = new LockManager({ backend: memoryBackend(), timeouts: { lock: 5_000 } });
 * await locks.lock('invoice:7').withLock(async () => 'paid'); // => 'paid'
 *
 * using reading = await locks.readLock('prices').acquire();
 * await locks.writeLock('prices').tryAcquire(); // => null
 * locks.list().map(({ name, kind }) => `${name}: ${kind}`); // => ['invoice:7: lock', 'prices: read-write lock']
 * ```
 */
export class LockManager extends LockScope {
  /** @throws TypeError or RangeError for bad options. */
  constructor(options: LockManagerOptions = {}) {
    checkOptions(options, 'options', OPTIONS);
    const { backend = memoryBackend(), timeouts = {}, statistics = false } = options;
    checkBackend(backend, 'options.backend');
    const limits = checkLimits(timeouts, 'options.timeouts');
    const counting = statisticsFrom(statistics, 'options.statistics', backend.id);
    super(new Registry(backend, limits, watcherOf(options), counting), '');
  }
}

let defaultManager: LockScope | undefined;

/**
 * The manager of this thread for whoever brings none of his own, decorators for example. Its locks live in the memory
 * that threads share. So that nothing hangs for ever, its acquires that say no timeout end with a LockTimeoutError: a
 * read lock's after 10 seconds, a write lock's after 30, others after 60.
 *
 * Environment variables change that: `MORTISE_BACKEND` is `memory`, `file:DIR`, `shared-memory:PATH` or
 * `redis://HOST`, `etcd:http://HOST:PORT,…`; `MORTISE_LOCK_TIMEOUT`, `MORTISE_READ_TIMEOUT` and `MORTISE_WRITE_TIMEOUT` are
 * milliseconds, or `Infinity`; `MORTISE_STATISTICS` is `true` or `false`, `MORTISE_DEADLOCKS` `report`, `error` or `off`.
 * @throws RangeError that names the variable, if one says something else; what the backend throws.
 *
 * @example
 * ```js
 * import { getLockManager } from 'mortise';
 *
 * const locks = getLockManager();
 * await locks.lock('report').withLock(() => getLockManager() === locks); // => true
 * ```
 */
export function getLockManager(): LockScope {
  return (defaultManager ??= new LockManager(fromEnvironment(process.env)));
}

/**
 * Makes `manager`, which may be a scope, what {@link getLockManager} gives in this thread from now on. Locks that were
 * given out before stay those of the former.
 * @throws TypeError if it is no manager.
 */
export function setLockManager(manager: LockScope): void {
  if (!(manager instanceof LockScope))
    throw new TypeError(`manager must be a LockManager or a scope of one, not ${show(manager)}`);
  defaultManager = manager;
}
