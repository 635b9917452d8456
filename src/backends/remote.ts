/** Locks whose code is loaded when one is first used: it takes longer than opening a lock may. */
import { LockBusyError } from '../errors.js';
import type { AcquireOptions, Guard, Lock, LockInfo, SemaphoreAcquireOptions } from '../lock.js';
import type { BackendLock, BackendSemaphore } from '../manager/backend.js';

/** A lock as it is loaded. */
export type Loaded<O = AcquireOptions> = Lock & { tryAcquire(options?: O): Promise<Guard | null> };

/** Calls it the first time, and again after it has failed. */
export function once<T>(make: () => Promise<T>): () => Promise<T> {
  let made: Promise<T> | undefined;
  return () =>
    (made ??= make().catch((error: unknown) => {
      made = undefined;
      throw error;
    }));
}

export class RemoteLock<
  O extends AcquireOptions = AcquireOptions,
  L extends Loaded<O> = Loaded<O>,
> implements BackendLock {
  readonly name: string;
  readonly #open: () => Promise<L>;
  /** Once it is open. */
  #lock: L | undefined;
  /** Acquires that have not settled, and bodies that have not ended. */
  #underWay = 0;

  constructor(name: string, open: () => Promise<L>) {
    this.name = name;
    this.#open = once(async () => (this.#lock = await open()));
  }

  acquire(options?: O): Promise<Guard> {
    return this.#counted(async () => (await this.opened()).acquire(options));
  }

  tryAcquire(options?: O): Promise<Guard | null> {
    return this.#counted(async () => (await this.opened()).tryAcquire(options));
  }

  withLock<T>(body: (guard: Guard) => T | Promise<T>, options?: O): Promise<T> {
    return this.#counted(async () => (await this.opened()).withLock(body, options));
  }

  async isLocked(): Promise<boolean> {
    return (await this.opened()).isLocked();
  }

  async isOwned(): Promise<boolean> {
    return (await this.#lock?.isOwned()) ?? false;
  }

  async info(): Promise<LockInfo> {
    return (await this.opened()).info();
  }

  dispose(): Promise<void> {
    return disposeAll(this);
  }

  /** Is it held or waited for through this object? */
  async isInUse(): Promise<boolean> {
    return this.#underWay > 0 || (await this.isOwned());
  }

  /** @internal */
  protected opened(): L | Promise<L> {
    return this.#lock ?? this.#open();
  }

  async #counted<T>(operation: () => Promise<T>): Promise<T> {
    this.#underWay++;
    try {
      return await operation();
    } finally {
      this.#underWay--;
    }
  }
}

export type LoadedSemaphore = Loaded<SemaphoreAcquireOptions> & { available(): Promise<number> };

export class RemoteSemaphore
  extends RemoteLock<SemaphoreAcquireOptions, LoadedSemaphore>
  implements BackendSemaphore
{
  readonly permits: number;

  constructor(name: string, permits: number, open: () => Promise<LoadedSemaphore>) {
    super(name, open);
    this.permits = permits;
  }

  async available(): Promise<number> {
    return (await this.opened()).available();
  }
}

/** Nothing is left to close once they are not in use. @throws LockBusyError */
export async function disposeAll(...locks: RemoteLock[]): Promise<void> {
  for (const lock of locks)
    if (await lock.isInUse())
      throw new LockBusyError(`the lock '${lock.name}' cannot be closed: it is held or waited for`);
}
