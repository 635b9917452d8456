/** Several locks at once: in one order for everybody, all or none, by one deadline. */
import { checkDeadline, checkNames, checkObject, show, type Deadline, type Names } from '../deadline.js';
import { Together } from '../deadlocks/attend.js';
import { LockTimeoutError } from '../errors.js';
import type { AcquireOptions } from '../lock.js';
import { releaseAll, type Held } from './guard-set.js';
import { LOCK_MODES, type Limits, type LockMode } from './limits.js';
import type { ManagedLock, ManagedSemaphore } from './managed-lock.js';
import type { Description } from './named.js';

/** One lock of several. */
export interface LockRequest {
  name: string;
  /** Default `lock`. */
  mode?: LockMode;
  /** Of a semaphore: how many permits. Default 1. */
  weight?: number;
}

/** A request, checked. */
export interface Demand {
  readonly name: string;
  readonly mode: LockMode;
  readonly weight: number | undefined;
}

/** A demand, and the lock that it is for. */
export interface Want extends Demand {
  readonly description: Description;
  readonly lock: ManagedLock | ManagedSemaphore;
}

/**
 * What `requests` ask for; the same name and mode twice is one demand.
 * @throws TypeError or RangeError that says which request is wrong.
 */
export function checkRequests(requests: readonly (string | LockRequest)[]): Demand[] {
  if (!Array.isArray(requests))
    throw new TypeError(`requests must be an array of names and objects, not ${show(requests)}`);
  if (requests.length === 0) throw new RangeError('requests must name at least one lock');
  const demands: Demand[] = [];
  for (const [index, request] of requests.entries()) {
    const demand = checkRequest(request, `requests[${index}]`);
    const same = demands.find(({ name }) => name === demand.name);
    if (same === undefined) demands.push(demand);
    else if (same.mode !== demand.mode || demand.mode === 'semaphore')
      throw new RangeError(`requests[${index}] asks for ${show(demand.name)} a second time`);
  }
  return demands;
}

const REQUEST: Names<LockRequest> = { name: true, mode: true, weight: true };

function checkRequest(request: unknown, what: string): Demand {
  if (typeof request === 'string') return { name: request, mode: 'lock', weight: undefined };
  checkObject(request, what);
  checkNames(request, what, REQUEST);
  const { name, mode = 'lock', weight } = request as Partial<LockRequest>;
  if (typeof name !== 'string') throw new TypeError(`${what}.name must be a string, not ${show(name)}`);
  if (!LOCK_MODES.includes(mode))
    throw new RangeError(`${what}.mode must be 'lock', 'read', 'write' or 'semaphore', not ${show(mode)}`);
  if (weight !== undefined && mode !== 'semaphore')
    throw new TypeError(`${what}.weight is for mode 'semaphore', not for ${show(mode)}`);
  return { name, mode, weight };
}

/**
 * Acquires them in the order of their backends' ids, then of their keys: the same in every thread and process, so that no
 * two who ask for several locks this way wait for each other.
 * @throws LockTimeoutError, `signal.reason`, RangeError if two of them are the same lock, or what a backend says; nothing
 * is held then.
 */
export async function acquireInOrder(
  wants: readonly Want[],
  options: AcquireOptions | undefined,
  limits: Limits,
): Promise<Held[]> {
  const deadline = options === undefined ? undefined : checkDeadline(options);
  const ordered = inOrder(wants);
  const timeout = options?.timeout ?? Math.max(...ordered.map(({ mode }) => limits[mode]));
  const end = performance.now() + timeout;
  const held: Held[] = [];
  using together = new Together();
  for (const want of ordered) {
    try {
      // Whole milliseconds, as people read them in a message.
      const left = timeout === Infinity ? Infinity : Math.max(0, Math.ceil(end - performance.now()));
      const given = optionsFor(want, left, deadline);
      const guard = await together.run(() => want.lock.acquire(given));
      held.push({ name: want.name, guard });
      together.add(want.lock.noted(guard, given));
    } catch (error) {
      await giveBack(held);
      throw error instanceof LockTimeoutError ? missing(ordered, want, timeout, error) : error;
    }
  }
  return held;
}

function inOrder(wants: readonly Want[]): Want[] {
  const placed = wants.map((want) => ({ want, place: placeOf(want.description) }));
  placed.sort((a, b) => compare(a.place[0], b.place[0]) || compare(a.place[1], b.place[1]));
  for (const [index, { want, place }] of placed.entries()) {
    const before = placed[index - 1];
    if (before !== undefined && place.every((part, at) => part === before.place[at]))
      throw new RangeError(`requests ask for one lock by two names: ${quoted([before.want, want])}`);
  }
  return placed.map(({ want }) => want);
}

/** Locks of the user's own come last. */
function placeOf({ backend, key }: Description): [string, string] {
  return backend === undefined ? ['\u{10ffff}', key] : [backend.id, key];
}

/** By code units: the same in every locale. */
function compare(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}

function optionsFor({ weight }: Want, timeout: number, deadline: Deadline | undefined): AcquireOptions {
  return {
    timeout,
    ...(deadline?.signal === undefined ? {} : { signal: deadline.signal }),
    ...(weight === undefined ? {} : { weight }),
  };
}

/** What keeps a lock from being given back must not hide why the others are. */
async function giveBack(held: readonly Held[]): Promise<void> {
  try {
    await releaseAll(held);
  } catch (error) {
    process.emitWarning(error instanceof Error ? error : show(error));
  }
}

function missing(wants: readonly Want[], want: Want, timeout: number, cause: Error): LockTimeoutError {
  const after = timeout === 0 ? 'at the first attempt' : `within ${timeout} ms`;
  return new LockTimeoutError(
    `${quoted(wants)} were not all acquired ${after}, and none is held: ${show(want.name)} was not free ` +
      `(${cause.message})`,
    { cause },
  );
}

function quoted(wants: readonly Want[]): string {
  const shown = wants.slice(0, 8).map(({ name }) => show(name));
  if (wants.length > shown.length) shown.push(`${wants.length - shown.length} more`);
  return shown.join(', ');
}
