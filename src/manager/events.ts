/** What happens at the locks of managers, told on channels of `node:diagnostics_channel` to whoever listens. */
import { channel, type Channel } from 'node:diagnostics_channel';
import { debuglog } from 'node:util';
import { show } from '../deadline.js';
import { LockTimeoutError } from '../errors.js';
import type { Guard } from '../lock.js';
import type { LockMode } from './limits.js';

/** What every event tells. The events of one acquisition have the same `id`, which is unique in its thread. */
export interface LockEvent {
  readonly id: number;
  readonly name: string;
  readonly mode: LockMode;
  /** The id of the backend, or `undefined` for a lock that was registered. */
  readonly backend: string | undefined;
  /** Of a semaphore: how many permits; else 1. */
  readonly weight: number;
}

/** `mortise:acquire`: somebody asks for it. What follows is one of acquired, timeout and failed. */
export interface LockAcquireEvent extends LockEvent {
  /** Milliseconds that it waits at most; 0 of a single attempt, `try` forms included. */
  readonly timeout: number;
}

/** `mortise:acquired`, and `mortise:abandoned` as well if the guard says so. */
export interface LockAcquiredEvent extends LockEvent {
  /** Milliseconds. */
  readonly waited: number;
  readonly fence: bigint;
  /** The previous exclusive holder died while holding it. */
  readonly abandoned: boolean;
}

/** `mortise:timeout`: not acquired in time, or at the only attempt. `mortise:failed`: not acquired for another reason. */
export interface LockMissedEvent extends LockEvent {
  /** Milliseconds. */
  readonly waited: number;
  /** What the acquire throws; `undefined` if it is a `try` form, which gives null. */
  readonly error: unknown;
}

/** `mortise:release`; `mortise:lost`: a lease ended before it was released. */
export interface LockReleaseEvent extends LockEvent {
  /** Milliseconds. */
  readonly held: number;
}

const channels = {
  acquire: channel('mortise:acquire'),
  acquired: channel('mortise:acquired'),
  abandoned: channel('mortise:abandoned'),
  timeout: channel('mortise:timeout'),
  failed: channel('mortise:failed'),
  release: channel('mortise:release'),
  lost: channel('mortise:lost'),
};

const debug = debuglog('mortise');
const isLogged = debug.enabled;

/** Does anybody listen? If nobody does, this is all that events cost. */
export function isWatched(): boolean {
  return (
    isLogged ||
    channels.acquire.hasSubscribers ||
    channels.acquired.hasSubscribers ||
    channels.abandoned.hasSubscribers ||
    channels.timeout.hasSubscribers ||
    channels.failed.hasSubscribers ||
    channels.release.hasSubscribers ||
    channels.lost.hasSubscribers
  );
}

let acquisitions = 0;

/** One acquisition, from the asking to the release. */
export class Acquisition {
  readonly #about: LockEvent;
  readonly #asked: number;
  /** When; undefined until then. */
  #acquired: number | undefined;

  constructor(subject: Omit<LockEvent, 'id'>, timeout: number) {
    this.#about = { id: ++acquisitions, ...subject };
    const event: LockAcquireEvent = { ...this.#about, timeout };
    this.#tell(channels.acquire, event);
    this.#asked = performance.now();
  }

  /** From now on the guard says when it is released, or lost. */
  acquired(guard: Guard): void {
    this.#acquired = performance.now();
    const { fence, abandoned } = guard;
    const event: LockAcquiredEvent = { ...this.#about, waited: this.#waited(), fence, abandoned };
    this.#tell(channels.acquired, event);
    if (abandoned) this.#tell(channels.abandoned, event);
    if (!Object.isExtensible(guard)) return; // It is somebody else's, and cannot be told.
    const ended = this.#watchLoss(guard);
    const release = guard.release.bind(guard);
    guard.release = (): boolean | Promise<boolean> => {
      const released = release();
      if (typeof released !== 'boolean') return released.then(ended);
      return ended(released);
    };
  }

  /** A body that runs with the lock held, and says first that it is. */
  within<G extends Guard, R>(body: (guard: G) => R): (guard: G) => R {
    return (guard) => {
      this.acquired(guard);
      return body(guard);
    };
  }

  /** Unless it was acquired: then it is the body that failed. `error`: undefined of a `try` form. */
  missed(error?: unknown): void {
    if (this.#acquired !== undefined) return;
    const event: LockMissedEvent = { ...this.#about, waited: this.#waited(), error };
    const isLate = error === undefined || error instanceof LockTimeoutError;
    this.#tell(isLate ? channels.timeout : channels.failed, event);
  }

  /** Of a lease, which can end by itself. Returns what is told the outcome of a release. */
  #watchLoss(guard: Guard): (released: boolean) => boolean {
    const { signal } = guard as { readonly signal?: AbortSignal };
    const lost = (): void => this.#ended(channels.lost);
    signal?.addEventListener('abort', lost, { once: true });
    return (released) => {
      signal?.removeEventListener('abort', lost);
      if (released) this.#ended(channels.release);
      return released;
    };
  }

  #ended(how: Channel): void {
    const event: LockReleaseEvent = { ...this.#about, held: performance.now() - (this.#acquired as number) };
    this.#tell(how, event);
  }

  #waited(): number {
    return performance.now() - this.#asked;
  }

  #tell(how: Channel, event: LockEvent): void {
    if (isLogged) debug('manager: %s %s', how.name, inLog(event));
    how.publish(event);
  }
}

/** On one line, and with what an error says. */
function inLog(event: LockEvent & { readonly error?: unknown }): string {
  const { error, ...rest } = event;
  return error instanceof Error ? `${show(rest)}: ${error.message}` : show(event);
}
