/** An exclusive lock on one server, or on the one shard of a cluster that its keys belong to. */
import type { Driver } from './driver.js';
import { LOCK_ACQUIRE, LOCK_EXTEND, LOCK_FENCE, LOCK_INFO, LOCK_RELEASE } from './script.js';
import type { Attempt, Store } from './store.js';
import { OWNER } from './token.js';

/** Who has a lock; the token is empty if nobody does. */
export interface Occupancy {
  readonly token: string;
  readonly owner: string;
  readonly since: number;
  readonly left: number;
  readonly waiters: number;
}

/** A client may have been told to give numbers as text. */
export function toBigInt(number: unknown): bigint {
  return BigInt(typeof number === 'number' ? number : String(number));
}

/** The owner of a lock as messages tell it. */
export function heldBy(owner: unknown): string {
  const words = String(owner);
  return words === '' ? 'others wait for it' : `held by ${words}`;
}

export class LockStore implements Store {
  readonly description: string;
  readonly #driver: Driver;
  readonly #keys: string[];

  constructor(driver: Driver, description: string, key: string) {
    this.description = description;
    this.#driver = driver;
    this.#keys = [key];
  }

  async attempt(token: string, ttl: number, queues: boolean): Promise<Attempt> {
    const args = [`${token} ${Date.now()} ${OWNER}`, String(ttl)];
    if (queues) args.push('1');
    const reply = await this.#driver.run(LOCK_ACQUIRE, this.#keys, args);
    if (!Array.isArray(reply)) return { taken: true, fence: toBigInt(reply), abandoned: false };
    const [code, value, owner] = reply as unknown[];
    if (Number(code) === 1) return { taken: true, fence: toBigInt(value), abandoned: true };
    return { taken: false, lookAfter: Number(value), reason: heldBy(owner) };
  }

  async extend(token: string, ttl: number): Promise<boolean> {
    return Number(await this.#driver.run(LOCK_EXTEND, this.#keys, [token, String(ttl)])) === 1;
  }

  /** Makes the next fence larger than this one. False: the lock is not the token's any more. */
  async raiseFence(token: string, fence: bigint): Promise<boolean> {
    return Number(await this.#driver.run(LOCK_FENCE, this.#keys, [token, String(fence)])) === 1;
  }

  async release(token: string): Promise<boolean> {
    return Number(await this.#driver.run(LOCK_RELEASE, this.#keys, [token])) === 1;
  }

  async look(): Promise<Occupancy> {
    const reply = (await this.#driver.run(LOCK_INFO, this.#keys, [])) as unknown[];
    const [token, owner, since, left, waiters] = reply.map(String) as [
      string,
      string,
      string,
      string,
      string,
    ];
    return { token, owner, since: Number(since), left: Number(left), waiters: Number(waiters) };
  }
}
