/** One name of a manager: what it stands for, and the faces that are given out for it. */
import { show } from '../deadline.js';
import { LockBusyError } from '../errors.js';
import type { Lock, LockInfo } from '../lock.js';
import type { Backend, BackendLock, BackendReadWriteLock } from './backend.js';
import type { Limits, LockMode } from './limits.js';
import { ManagedLock, ManagedSemaphore, type Source } from './managed-lock.js';

/** What a name can be. */
export type Kind = 'lock' | 'read-write lock' | 'semaphore';

/** What a name stands for. */
export interface Description {
  readonly name: string;
  readonly kind: Kind;
  /** Undefined: a lock of the user's own, which was registered. */
  readonly backend: Backend | undefined;
  readonly key: string;
  /** Of a semaphore. */
  readonly permits: number | undefined;
}

/** What is behind a name. */
export type Opened = Lock | BackendLock | BackendReadWriteLock;

/** What the faces of a name open it by. */
export interface Opener {
  open(named: Named): Opened;
  /** The lock as it is used: with somebody who looks for deadlocks, unless nobody shall. */
  attended(lock: Lock, mode: LockMode, description: Description): Lock;
}

export class Named implements Source {
  readonly description: Description;
  readonly #opener: Opener;
  /** The faces: of a lock, */
  readonly lock: ManagedLock | undefined;
  /** of a read-write lock, */
  readonly reader: ManagedLock | undefined;
  readonly writer: ManagedLock | undefined;
  /** of a semaphore. */
  readonly semaphore: ManagedSemaphore | undefined;
  #opened: Opened | undefined;

  constructor(description: Description, limits: Limits, opener: Opener, own?: Opened) {
    this.description = description;
    this.#opener = opener;
    const { name, kind } = description;
    const face = (mode: 'lock' | 'read' | 'write'): ManagedLock =>
      new ManagedLock(name, mode, this, limits[mode]);
    this.lock = kind === 'lock' ? face('lock') : undefined;
    this.reader = kind === 'read-write lock' ? face('read') : undefined;
    this.writer = kind === 'read-write lock' ? face('write') : undefined;
    this.semaphore =
      kind === 'semaphore' ? new ManagedSemaphore(name, 'semaphore', this, limits.semaphore) : undefined;
    if (own !== undefined) this.#attach(own);
  }

  /** How it is asked for in this mode; without one, what excludes most. */
  face(mode?: LockMode): ManagedLock | ManagedSemaphore | undefined {
    const { lock, reader, writer, semaphore } = this;
    if (mode === undefined) return lock ?? semaphore ?? writer;
    return { lock, read: reader, write: writer, semaphore }[mode];
  }

  get isOpen(): boolean {
    return this.#opened !== undefined;
  }

  get place(): string {
    return this.backendId ?? 'a lock that was registered';
  }

  get backendId(): string | undefined {
    return this.description.backend?.id;
  }

  get canBlock(): boolean {
    const { backend } = this.description;
    if (backend !== undefined) return backend.capabilities.sync;
    const own = this.#opened as Lock | BackendReadWriteLock;
    return 'acquireSync' in ('reader' in own ? own.reader : own);
  }

  /** What the lock says of itself, if it is open and can say so at once. */
  info(): LockInfo | undefined {
    return this.isOpen && this.canBlock ? this.face()?.infoSync() : undefined;
  }

  open(): void {
    this.#attach(this.#opener.open(this));
  }

  /**
   * Closes the lock behind it unless it is in use. The faces open it again when they are used.
   * @throws what its backend says, and then is as it was.
   */
  close(): 'closed' | 'busy' | Promise<'closed' | 'busy'> {
    const { backend } = this.description;
    const opened = this.#opened;
    if (backend === undefined) return 'busy';
    if (opened === undefined) return 'closed';
    // Before, and not after: whoever comes while a remote one is being closed opens it anew.
    this.#attach(undefined);
    const failed = (error: unknown): 'busy' => {
      if (this.#opened === undefined) this.#attach(opened);
      if (error instanceof LockBusyError) return 'busy';
      throw error;
    };
    try {
      const closing = (opened as BackendLock).dispose();
      return closing === undefined ? 'closed' : closing.then(() => 'closed' as const, failed);
    } catch (error) {
      return failed(error);
    }
  }

  /** For messages. */
  describe(): string {
    return describe(this.description);
  }

  #attach(opened: Opened | undefined): void {
    this.#opened = opened;
    const attach = (face: ManagedLock | ManagedSemaphore | undefined, lock: Lock | undefined): void => {
      face?.attach(lock && this.#opener.attended(lock, face.mode, this.description));
    };
    attach(this.lock ?? this.semaphore, opened as Lock | undefined);
    attach(this.reader, (opened as BackendReadWriteLock | undefined)?.reader);
    attach(this.writer, (opened as BackendReadWriteLock | undefined)?.writer);
  }
}

/** A name and what it stands for, for messages. */
export function describe({ kind, backend, key, name, permits }: Description): string {
  const of = permits === undefined ? '' : ` of ${permits} permits`;
  const at = backend === undefined ? 'registered' : `on ${backend.id}`;
  return `a ${kind}${of}, ${at}${key === name ? '' : ` under the key ${show(key)}`}`;
}
