/** A lock as the search for deadlocks sees it used: what it does is what the lock behind it does. */
import { PLAIN, WEIGHTED, blockingDeadline, checkDeadline } from '../deadline.js';
import type { Guard, Lock, LockInfo, SemaphoreAcquireOptions, SyncGuard, SyncLock } from '../lock.js';
import { onAbort } from '../primitives/abort.js';
import type { Requests, ThreadCensus } from './census.js';
import { detector } from './detector.js';
import { NotedHold, NotedWait, siteOf, siteOfHold, within, type Site } from './task.js';
import { EVERYTHING, type Mode, type Subject } from './wait.js';
import type { Watcher } from './watcher.js';

type Options = SemaphoreAcquireOptions;
type End = (error: Error) => void;

/**
 * All that a lock may have: what the one behind it does not have is not asked for. A guard whose release is awaited
 * passes through as it is.
 */
type Any = Omit<SyncLock, 'withLock'> & {
  withLock<T>(body: (guard: SyncGuard) => T | Promise<T>, options?: Options): Promise<T>;
  readonly permits: number;
  tryAcquire(options?: Options): Promise<SyncGuard | null>;
  tryAcquireSync(options?: Options): SyncGuard | null;
  available(): Promise<number>;
  availableSync(): number;
};

export class AttendedLock implements Any {
  readonly #inner: Any;
  /** As its backend has made it: what a census knows. */
  readonly #behind: Lock;
  readonly #mode: Mode;
  /** What an acquire may be told. */
  readonly #known: object;
  readonly #subject: Subject;
  readonly #watcher: Watcher;
  /** Undefined: it does not tell who holds it, so each guard is noted. */
  readonly #census: ThreadCensus | undefined;
  readonly #requests: Requests | undefined;
  /** One attempt to take it, where that is known to do no more than a blocking acquire of the lock itself does first. */
  readonly #attempt: (() => SyncGuard | null) | undefined;
  /** Is an async acquire nothing but that of the lock behind it, unless it has to wait? */
  readonly #isPlain: boolean;

  constructor(
    { lock, behind }: { lock: Lock; behind: Lock },
    mode: Mode,
    subject: Subject,
    watcher: Watcher,
    census: ThreadCensus | undefined,
  ) {
    this.#inner = lock as Any;
    this.#behind = behind;
    this.#mode = mode;
    this.#known = mode === 'semaphore' ? WEIGHTED : PLAIN;
    this.#subject = subject;
    this.#watcher = watcher;
    this.#census = census;
    this.#requests = census?.requests(behind);
    // Somebody who stands in front, and counts, has to be asked.
    this.#attempt = lock === behind ? census?.firstAttempt(behind) : undefined;
    this.#isPlain = census !== undefined && watcher.policy === 'report' && !watcher.orderInversions;
  }

  acquire(options?: Options): Promise<SyncGuard> {
    if (!this.#isPlain) return this.#acquireSlow(options);
    const acquiring = this.#inner.acquire(options);
    return this.#isWaiting ? this.#noted(acquiring, this.#wait(options, true)) : acquiring;
  }

  async tryAcquire(options?: Options): Promise<SyncGuard | null> {
    const guard = await (options === undefined ? this.#inner.tryAcquire() : this.#inner.tryAcquire(options));
    return guard === null ? null : this.#given(guard, options);
  }

  withLock<T>(body: (guard: SyncGuard) => T | Promise<T>, options?: Options): Promise<T> {
    if (typeof body !== 'function') return this.#inner.withLock(body, options);
    this.#noteOrder();
    const site = siteOfHold();
    let wait: NotedWait | undefined;
    const run = async (guard: SyncGuard): Promise<T> => {
      if (wait !== undefined) detector().waited(wait);
      const hold = this.hold(guard, options, wait?.site ?? site);
      detector().hold(hold);
      try {
        return await within(hold, () => body(guard));
      } finally {
        detector().letGo(hold);
      }
    };
    return this.#endable(options, (given, end) => {
      const running = this.#inner.withLock(run, given);
      if (!this.#isWaiting) return running;
      wait = this.#wait(options, false, end);
      return this.#noted(running, wait);
    });
  }

  acquireSync(options?: Options): SyncGuard {
    if (this.#isPlain) return this.#tried(options) ?? this.#block(options);
    return this.#given(this.#acquireBlocking(options), options);
  }

  tryAcquireSync(options?: Options): SyncGuard | null {
    const guard = this.#inner.tryAcquireSync(options);
    return guard === null ? null : this.#given(guard, options);
  }

  withLockSync<T>(body: (guard: SyncGuard) => T, options?: Options): T {
    if (typeof body !== 'function') return this.#inner.withLockSync(body, options);
    const guard = this.#acquireBlocking(options);
    const hold = this.hold(guard, options, siteOfHold());
    detector().hold(hold);
    try {
      return within(hold, () => body(guard));
    } finally {
      detector().letGo(hold);
      guard.release();
    }
  }

  /** What a guard of this lock holds, for a task that is known. */
  hold(guard: Guard, options: Options | undefined, site?: Site): NotedHold {
    return new NotedHold(this.#subject, this.#mode, this.#weight(options), guard, site);
  }

  get #isWaiting(): boolean {
    return this.#requests?.isPending ?? true;
  }

  #acquireSlow(options: Options | undefined): Promise<SyncGuard> {
    this.#noteOrder();
    const site = this.#requests === undefined ? siteOf() : undefined;
    const guard = this.#endable(options, (given, end) => {
      const acquiring = this.#inner.acquire(given);
      return this.#isWaiting ? this.#noted(acquiring, this.#wait(options, true, end)) : acquiring;
    });
    return this.#requests === undefined ? guard.then((it) => this.#given(it, options, site)) : guard;
  }

  #wait(options: Options | undefined, isBare: boolean, end?: End): NotedWait {
    const about = { requests: this.#requests, isBare, end };
    const wait = new NotedWait(this.#subject, this.#mode, this.#weight(options), about);
    detector().wait(wait, this.#watcher);
    return wait;
  }

  async #noted<T>(waiting: Promise<T>, wait: NotedWait): Promise<T> {
    try {
      return await waiting;
    } finally {
      detector().waited(wait);
    }
  }

  /** Where the policy is to end waits: runs it with a signal of our own, which follows that of the options. */
  #endable<T>(
    options: Options | undefined,
    run: (options: Options | undefined, end?: End) => Promise<T>,
  ): Promise<T> {
    return this.#watcher.policy === 'error' ? this.#ending(options, run) : run(options);
  }

  async #ending<T>(options: Options = {}, run: (options: Options, end?: End) => Promise<T>): Promise<T> {
    const { signal } = checkDeadline(options, this.#known);
    if (signal?.aborted === true) return run(options);
    const ending = new AbortController();
    const forget = signal && onAbort(signal, () => ending.abort(signal.reason));
    try {
      return await run({ ...options, signal: ending.signal }, (error) => ending.abort(error));
    } finally {
      forget?.();
    }
  }

  #acquireBlocking(options: Options | undefined): SyncGuard {
    this.#noteOrder();
    if (this.#census === undefined) return this.#inner.acquireSync(options);
    return this.#tried(options) ?? this.#block(options);
  }

  /** `tryAcquireSync` looks at the word before it tries, which alone costs a third of what the lock does. */
  #tried(options: Options | undefined): SyncGuard | null {
    if (this.#attempt === undefined || options?.weight !== undefined)
      return this.#inner.tryAcquireSync(options);
    if (options !== undefined) blockingDeadline(options, this.#known);
    return this.#attempt() ?? this.#inner.tryAcquireSync(options);
  }

  /** After an attempt that failed. */
  #block(options: Options | undefined): SyncGuard {
    if (options?.timeout === 0) return this.#inner.acquireSync(options);
    const wait = new NotedWait(this.#subject, this.#mode, this.#weight(options));
    const retract = (this.#census as ThreadCensus).announce(this.#behind);
    try {
      detector().beforeBlocking(wait, this.#watcher);
      return this.#inner.acquireSync(options);
    } finally {
      retract();
      detector().checkLength(wait, this.#watcher);
    }
  }

  /** A guard that no body surrounds. Where locks do not tell who holds them, it is noted until it is released. */
  #given(guard: SyncGuard, options: Options | undefined, site?: Site): SyncGuard {
    if (this.#requests !== undefined || !Object.isExtensible(guard)) return guard;
    const hold = new NotedHold(
      this.#subject,
      this.#mode,
      this.#weight(options),
      new WeakRef(guard),
      site ?? siteOf(),
    );
    detector().hold(hold);
    const release = guard.release.bind(guard);
    guard.release = (): boolean => {
      detector().letGo(hold);
      return release();
    };
    return guard;
  }

  #noteOrder(): void {
    if (this.#watcher.orderInversions) detector().order.note(this.#subject, this.#mode);
  }

  #weight(options: Options | undefined): number {
    if (this.#mode === 'semaphore') return options?.weight ?? 1;
    return this.#mode === 'read' ? 1 : EVERYTHING;
  }

  get name(): string | undefined {
    return this.#inner.name;
  }
  get permits(): number {
    return this.#inner.permits;
  }
  isLocked(): Promise<boolean> {
    return this.#inner.isLocked();
  }
  isOwned(): Promise<boolean> {
    return this.#inner.isOwned();
  }
  info(): Promise<LockInfo> {
    return this.#inner.info();
  }
  isLockedSync(): boolean {
    return this.#inner.isLockedSync();
  }
  isOwnedSync(): boolean {
    return this.#inner.isOwnedSync();
  }
  infoSync(): LockInfo {
    return this.#inner.infoSync();
  }
  available(): Promise<number> {
    return this.#inner.available();
  }
  availableSync(): number {
    return this.#inner.availableSync();
  }
}
