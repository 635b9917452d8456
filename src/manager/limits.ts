/** How long the acquires of a manager wait if they are not told. */
import { checkOptions, show, type Names } from '../deadline.js';

/** How a name is asked for. */
export type LockMode = 'lock' | 'read' | 'write' | 'semaphore';

export const LOCK_MODES: readonly LockMode[] = ['lock', 'read', 'write', 'semaphore'];

/** Milliseconds; `Infinity` waits for ever, `0` makes one attempt. */
export interface TimeLimits {
  /** Of `lock` and `semaphore`. Default Infinity. */
  lock?: number;
  /** Of `readLock`. Default Infinity. */
  read?: number;
  /** Of `writeLock`. Default Infinity. */
  write?: number;
}

/** Milliseconds for each mode. */
export type Limits = Readonly<Record<LockMode, number>>;

const LIMITS: Names<TimeLimits> = { lock: true, read: true, write: true };

/** @throws TypeError or RangeError that names the limit. */
export function checkLimits(timeouts: TimeLimits, what: string): Limits {
  checkOptions(timeouts, what, LIMITS);
  const limitOf = (mode: keyof TimeLimits): number => {
    const { [mode]: limit = Infinity } = timeouts;
    if (typeof limit !== 'number')
      throw new TypeError(`${what}.${mode} must be a number of milliseconds, not ${show(limit)}`);
    if (!(limit >= 0))
      throw new RangeError(`${what}.${mode} must be 0 or more milliseconds, not ${show(limit)}`);
    return limit;
  };
  const lock = limitOf('lock');
  return { lock, semaphore: lock, read: limitOf('read'), write: limitOf('write') };
}

/** @throws RangeError if it is none. */
export function checkMode(mode: LockMode | undefined): void {
  if (mode !== undefined && !LOCK_MODES.includes(mode))
    throw new RangeError(`mode must be 'lock', 'read', 'write' or 'semaphore', not ${show(mode)}`);
}
