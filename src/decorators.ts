/** Methods and functions that run under a lock of a manager. */
import { checkDeadline, checkOptions, show, type Names } from './deadline.js';
import { getLockManager } from './lock-manager.js';
import { checkKey } from './manager/backend.js';
import { LockScope } from './manager/lock-scope.js';
import type { ManagedLock } from './manager/managed-lock.js';

/** The name, or a function of the arguments (and `this`) of each call that gives it. */
// Parameters without types would else be `never`, and of no use to the function.
// eslint-disable-next-line @typescript-eslint/no-explicit-any
export type LockName = string | ((...args: any[]) => string);

export interface LockedOptions {
  /** Default: what `getLockManager()` gives at each call. */
  manager?: LockScope;
  /** Milliseconds to wait for the lock. Default: the time limit of the manager. */
  timeout?: number;
  /** Block the thread while waiting, and return what the method returns instead of a promise. Default false. */
  sync?: boolean;
}

const OPTIONS: Names<LockedOptions> = { manager: true, timeout: true, sync: true };

type Method<This, Args extends unknown[], Result> = (this: This, ...args: Args) => Result;

/** A decorator of methods that return promises, standard or legacy, and a wrapper of any function. */
export interface Locked {
  <This, Args extends unknown[], Result>(
    method: Method<This, Args, Promise<Result>>,
    context: ClassMethodDecoratorContext<This, Method<This, Args, Promise<Result>>>,
  ): Method<This, Args, Promise<Result>>;
  <M extends AsyncMethod>(target: object, key: string | symbol, descriptor: TypedPropertyDescriptor<M>): void;
  <This, Args extends unknown[], Result>(
    body: Method<This, Args, Result>,
  ): Method<This, Args, Promise<Awaited<Result>>>;
}

/** As {@link Locked}, with `sync: true`: what it gives returns what the method returns. */
export interface LockedSync {
  <This, Args extends unknown[], Result>(
    method: Method<This, Args, Result>,
    context: ClassMethodDecoratorContext<This, Method<This, Args, Result>>,
  ): Method<This, Args, Result>;
  <M extends AnyMethod>(target: object, key: string | symbol, descriptor: TypedPropertyDescriptor<M>): void;
  <This, Args extends unknown[], Result>(body: Method<This, Args, Result>): Method<This, Args, Result>;
}

type AnyMethod = (...args: never[]) => unknown;
type AsyncMethod = (...args: never[]) => Promise<unknown>;

/**
 * A decorator: the method runs while it holds the lock `name`, and returns a promise. With `sync: true` it blocks the
 * thread, and returns what the method does; the backend must be able to block. It is a standard decorator, one for
 * TypeScript's `experimentalDecorators`, and a wrapper of plain functions: `locked('db')(save)`.
 *
 * Locks are not reentrant: a method that calls another one under the same lock waits for itself until its time limit, or
 * until its manager, with `deadlocks: 'error'`, ends that by a DeadlockError.
 * Each call throws what acquiring the lock throws, and then the method has not run.
 * @throws TypeError or RangeError for bad arguments, and where it is put on anything else than a method or function:
 * a generator, whose body runs later, or with `sync: true` an async function.
 *
 * @example
 * ```js
 * import { getLockManager, locked } from 'mortise';
 *
 * const save = locked((id) => `user:${id}`)(async function save(id, name) {
 *   return [name, await getLockManager().lock(`user:${id}`).isLocked()];
 * });
 * await save(7, 'Ada'); // => ['Ada', true]
 * ```
 *
 * @example As a decorator:
 * ```js no-run
 * class Users {
 *   @locked((id) => `user:${id}`, { timeout: 5_000 })
 *   async save(id, name) {
 *     // one at a time for each id
 *   }
 * }
 * ```
 */
export function locked(name: LockName, options: LockedOptions & { sync: true }): LockedSync;
export function locked(name: LockName, options?: LockedOptions & { sync?: false }): Locked;
export function locked(name: LockName, options?: LockedOptions): Locked | LockedSync {
  return decorator('locked', (manager, of) => manager.lock(of), name, options);
}

/** As {@link locked}, with the reading side of the read-write lock `name`: many such calls at a time. */
export function readLock(name: LockName, options: LockedOptions & { sync: true }): LockedSync;
export function readLock(name: LockName, options?: LockedOptions & { sync?: false }): Locked;
export function readLock(name: LockName, options?: LockedOptions): Locked | LockedSync {
  return decorator('readLock', (manager, of) => manager.readLock(of), name, options);
}

/**
 * As {@link locked}, with the writing side of the read-write lock `name`: one such call at a time, and no reader.
 *
 * @example
 * ```js
 * import { LockManager, readLock, writeLock } from 'mortise';
 *
 * const manager = new LockManager();
 * const prices = new Map();
 * const get = readLock('prices', { manager, sync: true })((what) => prices.get(what));
 * const set = writeLock('prices', { manager, timeout: 1000 })(async (what, price) => prices.set(what, price).size);
 * await set('bread', 3); // => 1
 * get('bread'); // => 3
 * ```
 */
export function writeLock(name: LockName, options: LockedOptions & { sync: true }): LockedSync;
export function writeLock(name: LockName, options?: LockedOptions & { sync?: false }): Locked;
export function writeLock(name: LockName, options?: LockedOptions): Locked | LockedSync {
  return decorator('writeLock', (manager, of) => manager.writeLock(of), name, options);
}

type Find = (manager: LockScope, name: string) => ManagedLock;
type Wrappable = (this: unknown, ...args: unknown[]) => unknown;

function decorator(
  title: string,
  find: Find,
  name: LockName,
  options: LockedOptions = {},
): Locked & LockedSync {
  if (typeof name !== 'function') checkKey(name, 'name');
  checkOptions(options, 'options', OPTIONS);
  const { manager, timeout, sync = false } = options;
  if (manager !== undefined && !(manager instanceof LockScope))
    throw new TypeError(`options.manager must be a LockManager or a scope of one, not ${show(manager)}`);
  if (typeof sync !== 'boolean') throw new TypeError(`options.sync must be true or false, not ${show(sync)}`);
  const waiting = timeout === undefined ? undefined : { timeout: checkDeadline({ timeout }).timeout };

  const lockFor = (self: unknown, args: unknown[]): ManagedLock => {
    const called = typeof name === 'string' ? name : name.apply(self, args);
    return find(manager ?? getLockManager(), called);
  };
  const wrap = (body: unknown): Wrappable => {
    checkWrappable(title, body, sync);
    const blocking = function (this: unknown, ...args: unknown[]): unknown {
      return lockFor(this, args).withLockSync(() => {
        const result = body.apply(this, args);
        if (isThenable(result))
          throw new TypeError(
            `${title}: ${nameOf(body)} returned a promise, and with sync: true would go on without the lock`,
          );
        return result;
      }, waiting);
    };
    const asynchronous = async function (this: unknown, ...args: unknown[]): Promise<unknown> {
      return lockFor(this, args).withLock(() => body.apply(this, args), waiting);
    };
    return disguised(sync ? blocking : asynchronous, body);
  };
  return ((...applied: unknown[]) => apply(title, wrap, applied)) as Locked & LockedSync;
}

/** What it was called with tells what it is: a wrapper, a standard decorator or a legacy one. */
function apply(
  title: string,
  wrap: (body: unknown) => Wrappable,
  [target, about, descriptor]: unknown[],
): unknown {
  if (about === undefined) return wrap(target);
  if (typeof about === 'object' && about !== null && 'kind' in about) {
    if (about.kind === 'method') return wrap(target);
    throw new TypeError(`${title} is for methods and functions, not for a ${String(about.kind)}`);
  }
  const property = descriptor as PropertyDescriptor | undefined;
  if (typeof property?.value !== 'function')
    throw new TypeError(`${title} is for methods and functions, and ${show(about)} is none`);
  property.value = wrap(property.value);
  return property;
}

function checkWrappable(title: string, body: unknown, sync: boolean): asserts body is Wrappable {
  if (typeof body !== 'function' || /^class\b/.test(Function.prototype.toString.call(body)))
    throw new TypeError(`${title} is for methods and functions, not for ${show(body)}`);
  const kind = Object.prototype.toString.call(body);
  if (kind.includes('GeneratorFunction'))
    throw new TypeError(
      `${title}: ${nameOf(body)} is a generator, whose body would run when the lock is released`,
    );
  if (sync && kind.includes('AsyncFunction'))
    throw new TypeError(`${title}: ${nameOf(body)} is async, which sync: true is not for`);
}

function nameOf(body: { readonly name: string }): string {
  return body.name === '' ? 'the function' : `${body.name}()`;
}

function isThenable(value: unknown): boolean {
  return typeof (value as { then?: unknown } | null | undefined)?.then === 'function';
}

/** Looks like the function that it stands for. What others have noted on that one (NestJS its routes) is found as well. */
function disguised(wrapper: Wrappable, body: Wrappable): Wrappable {
  Object.defineProperty(wrapper, 'name', { value: body.name, configurable: true });
  Object.defineProperty(wrapper, 'length', { value: body.length, configurable: true });
  return Object.setPrototypeOf(wrapper, body) as Wrappable;
}
