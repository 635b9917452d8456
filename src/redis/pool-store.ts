/** A pool of permits on one server: a semaphore, or a read-write lock, whose writers take all permits there are. */
import { LockError, NameConflictError } from '../errors.js';
import type { Driver } from './driver.js';
import { unavailable } from '../remote/failure.js';
import { POOL_ACQUIRE, POOL_EXTEND, POOL_INFO, POOL_RELEASE, POOL_RESIZE, type Script } from './script.js';
import { heldBy, isOne, toBigInt } from './lock-store.js';
import type { Attempt, Store } from '../remote/store.js';
import { OWNER } from '../remote/owner.js';

/** Milliseconds for which the server remembers a pool that nobody uses. */
const KEEP = 86_400_000;

/** How a pool stands, by the server's clock. */
export interface PoolState {
  /** 0 if the server knows nothing of it. */
  readonly permits: number;
  readonly used: number;
  readonly holders: number;
  /** Milliseconds until all holders have expired. */
  readonly left: number;
  readonly waiters: number;
  /** Of who has all permits; empty if nobody does. */
  readonly owner: string;
  readonly since: number;
}

export class PoolStore implements Store {
  readonly description: string;
  readonly #driver: Driver;
  readonly #keys: string[];
  readonly #permits: number;
  readonly #isFenced: boolean;

  /** `isFenced`: does it matter who had all permits? */
  constructor(driver: Driver, description: string, key: string, permits: number, isFenced: boolean) {
    this.description = description;
    this.#driver = driver;
    this.#keys = [key];
    this.#permits = permits;
    this.#isFenced = isFenced;
  }

  /** @throws NameConflictError; RangeError if there are fewer permits than the token wants. */
  attempt(token: string, ttl: number, queues: boolean): Promise<Attempt> {
    const permits = String(this.#permits);
    const args = [token, String(ttl), String(ttl + KEEP), queues ? '1' : '0', permits, OWNER];
    return this.#run(POOL_ACQUIRE, args, (reply) => this.#attemptOf(reply as unknown[]));
  }

  #attemptOf(reply: unknown[]): Attempt {
    switch (Number(reply[0])) {
      case 0:
        return {
          taken: false,
          lookAfter: Number(reply[1]),
          reason: String(reply[2]) === '' ? '' : heldBy(reply[2]),
        };
      case 1:
        if (!this.#isFenced) return { taken: true, fence: 0n, abandoned: false };
        return { taken: true, fence: toBigInt(reply[1]), abandoned: Number(reply[2]) === 1 };
      case 2:
        throw this.#conflict(`it was made with ${String(reply[1])}`);
      default:
        throw new RangeError(`options.weight must be an integer from 1 to ${String(reply[1])}`);
    }
  }

  extend(token: string, ttl: number): Promise<boolean> {
    return this.#run(POOL_EXTEND, [token, String(ttl), String(ttl + KEEP)], isOne);
  }

  release(token: string): Promise<boolean> {
    return this.#run(POOL_RELEASE, [token], isOne);
  }

  /** @throws NameConflictError, BackendUnavailableError */
  async resize(permits: number): Promise<void> {
    const args = [String(permits), String(this.#permits), String(KEEP)];
    if (!(await this.#asked(this.#run(POOL_RESIZE, args, isOne))))
      throw this.#conflict('it was made with others');
  }

  /** @throws BackendUnavailableError */
  look(): Promise<PoolState> {
    return this.#asked(this.#run(POOL_INFO, [], stateOf));
  }

  #run<T>(script: Script, args: string[], read: (reply: unknown) => T): Promise<T> {
    return this.#driver.run(script, this.#keys, args, read);
  }

  async #asked<T>(reply: Promise<T>): Promise<T> {
    try {
      return await reply;
    } catch (error) {
      throw unavailable(this.description, error);
    }
  }

  #conflict(text: string): LockError {
    return new NameConflictError(`${this.description} cannot have ${this.#permits} permits: ${text}`);
  }
}

function stateOf(reply: unknown): PoolState {
  const values = reply as unknown[];
  const [permits, used, holders, left, waiters] = values.map(Number) as [
    number,
    number,
    number,
    number,
    number,
  ];
  return { permits, used, holders, left, waiters, owner: String(values[5]), since: Number(values[6]) };
}
