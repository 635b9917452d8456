/**
 * The error family. Every error has a stable `code`, which also starts its message, so that users can match
 * on it even after a structured clone has dropped the class and the `code` property.
 */

/**
 * The base of every error that mortise throws on purpose. Match on `code`; the text behind it may change.
 *
 * @example
 * ```js
 * import { LockError, LockTimeoutError, Mutex } from 'mortise';
 *
 * const mutex = new Mutex({ name: 'errors' });
 * const guard = mutex.acquireSync();
 * const error = await mutex.acquire({ timeout: 5 }).catch((reason) => reason);
 * error.code; // => 'ERR_LOCK_TIMEOUT'
 *
 * const crossed = structuredClone(error); // as postMessage would: class and code are gone
 * crossed instanceof LockError; // => false
 * LockError.from(crossed) instanceof LockTimeoutError; // => true
 * guard.release();
 * ```
 */
export class LockError extends Error {
  /** Stable, such as `ERR_LOCK_TIMEOUT`. */
  readonly code: string;

  constructor(code: string, text: string, options?: ErrorOptions) {
    super(`${code}: ${text}`, options);
    this.code = code;
    this.name = new.target.name;
  }

  /**
   * Rebuilds an error that crossed `postMessage`. Returns a `LockError` as it is, a rebuilt one for anything
   * error-like whose message starts with a code of this family, and `undefined` for everything else.
   */
  static from(value: unknown): LockError | undefined {
    if (value instanceof LockError) return value;
    if (typeof value !== 'object' || value === null) return undefined;
    const { message, stack, cause } = value as { message?: unknown; stack?: unknown; cause?: unknown };
    if (typeof message !== 'string') return undefined;
    const [, code, text] = /^(ERR_[A-Z_]+): (.*)$/s.exec(message) ?? [];
    if (code === undefined || text === undefined) return undefined;
    const options = cause === undefined ? undefined : { cause };
    const rebuild = REBUILD[code];
    if (rebuild === undefined) return undefined;
    const error = rebuild(text, options);
    if (typeof stack === 'string') error.stack = stack;
    return error;
  }
}

/** The lock was not acquired within `timeout` milliseconds. Nothing is held, and nobody else lost anything. */
export class LockTimeoutError extends LockError {
  constructor(text: string, options?: ErrorOptions) {
    super('ERR_LOCK_TIMEOUT', text, options);
  }
}

/**
 * A blocking acquire that could never have succeeded, because this thread itself stands in its way; or, of a lock of a
 * manager with `deadlocks: 'error'`, the wait that was ended so that the others of a deadlock go on. The message says who
 * holds what and waits for what.
 */
export class DeadlockError extends LockError {
  constructor(text: string, options?: ErrorOptions) {
    super('ERR_LOCK_DEADLOCK', text, options);
  }
}

/** A lock that expires was lost before it was released. */
export class LockLostError extends LockError {
  constructor(text: string, options?: ErrorOptions) {
    super('ERR_LOCK_LOST', text, options);
  }
}

/** The server, file or memory behind a lock cannot be reached, or is not what it should be. `cause` tells more. */
export class BackendUnavailableError extends LockError {
  constructor(text: string, options?: ErrorOptions) {
    super('ERR_LOCK_BACKEND', text, options);
  }
}

/** The name exists as a lock of another kind, or with other permits. */
export class NameConflictError extends LockError {
  constructor(text: string, options?: ErrorOptions) {
    super('ERR_LOCK_NAME', text, options);
  }
}

/** A space has no room left for another lock or another thread. Nothing was changed. */
export class SpaceFullError extends LockError {
  constructor(text: string, options?: ErrorOptions) {
    super('ERR_SPACE_FULL', text, options);
  }
}

/** Not a handle, a handle of another kind or layout version, or of a lock that has been disposed of. */
export class InvalidHandleError extends LockError {
  constructor(text: string, options?: ErrorOptions) {
    super('ERR_LOCK_HANDLE', text, options);
  }
}

/** The native addon is needed and could not be loaded. Lists every path tried. */
export class NativeAddonError extends LockError {
  constructor(text: string, options?: ErrorOptions) {
    super('ERR_NATIVE_ADDON', text, options);
  }
}

/** What this backend, thread or runtime cannot do, with the reason. */
export class UnsupportedError extends LockError {
  constructor(text: string, options?: ErrorOptions) {
    super('ERR_LOCK_UNSUPPORTED', text, options);
  }
}

/** `dispose()` of a lock that is held or waited for. The lock is as it was. */
export class LockBusyError extends LockError {
  constructor(text: string, options?: ErrorOptions) {
    super('ERR_LOCK_BUSY', text, options);
  }
}

const REBUILD: Record<string, (text: string, options?: ErrorOptions) => LockError> = {
  ERR_LOCK_TIMEOUT: (text, options) => new LockTimeoutError(text, options),
  ERR_LOCK_DEADLOCK: (text, options) => new DeadlockError(text, options),
  ERR_LOCK_LOST: (text, options) => new LockLostError(text, options),
  ERR_LOCK_BACKEND: (text, options) => new BackendUnavailableError(text, options),
  ERR_LOCK_NAME: (text, options) => new NameConflictError(text, options),
  ERR_SPACE_FULL: (text, options) => new SpaceFullError(text, options),
  ERR_LOCK_HANDLE: (text, options) => new InvalidHandleError(text, options),
  ERR_NATIVE_ADDON: (text, options) => new NativeAddonError(text, options),
  ERR_LOCK_UNSUPPORTED: (text, options) => new UnsupportedError(text, options),
  ERR_LOCK_BUSY: (text, options) => new LockBusyError(text, options),
};
