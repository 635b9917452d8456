/** An exclusive lock on one server, or on the one shard of a cluster that its keys belong to. */
import type { Driver } from './driver.js';
import { LOCK_ACQUIRE, LOCK_EXTEND, LOCK_FENCE, LOCK_INFO, LOCK_RELEASE } from './script.js';
import type { Attempt, Store } from '../remote/store.js';
import { OWNER } from '../remote/owner.js';

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

/** Has the script done what it was to do? */
export function isOne(reply: unknown): boolean {
  return Number(reply) === 1;
}

/** The owner of a lock as messages tell it. */
export function heldBy(owner: unknown): string {
  const words = String(owner);
  return words === '' ? 'others wait for it' : `held by ${words}`;
}

/** Milliseconds that replicas are waited for: as a part of the ttl, and at the most. */
const REPLICAS_PATIENCE = 0.1;
const MOST_REPLICAS_PATIENCE = 1000;

export class LockStore implements Store {
  readonly description: string;
  readonly #driver: Driver;
  readonly #keys: string[];
  /** How many replicas have to know of an acquisition. */
  readonly #replicas: number;

  constructor(driver: Driver, description: string, key: string, replicas = 0) {
    this.#replicas = replicas;
    this.description = description;
    this.#driver = driver;
    this.#keys = [key];
  }

  attempt(token: string, ttl: number, queues: boolean): Promise<Attempt> {
    const who = `${token} ${Date.now()} ${OWNER}`;
    const args = queues ? [who, String(ttl), '1'] : [who, String(ttl)];
    const attempt = this.#driver.run(LOCK_ACQUIRE, this.#keys, args, attemptOf);
    return this.#replicas > 0 ? this.#verified(token, ttl, attempt) : attempt;
  }

  /** What fewer replicas know of is given back. */
  async #verified(token: string, ttl: number, attempt: Promise<Attempt>): Promise<Attempt> {
    const taken = await attempt;
    if (!taken.taken) return taken;
    const timeout = Math.ceil(Math.min(ttl * REPLICAS_PATIENCE, MOST_REPLICAS_PATIENCE));
    const count = Number(await this.#driver.replicas?.(this.#replicas, timeout));
    if (count >= this.#replicas) return taken;
    await this.release(token);
    const failure = new Error(`${count} of ${this.#replicas} replicas knew of it within ${timeout} ms`);
    return { taken: false, lookAfter: 0, reason: '', isSpent: true, failure };
  }

  extend(token: string, ttl: number): Promise<boolean> {
    return this.#driver.run(LOCK_EXTEND, this.#keys, [token, String(ttl)], isOne);
  }

  /** Makes the next fence larger than this one. False: the lock is not the token's any more. */
  raiseFence(token: string, fence: bigint): Promise<boolean> {
    return this.#driver.run(LOCK_FENCE, this.#keys, [token, String(fence)], isOne);
  }

  release(token: string): Promise<boolean> {
    return this.#driver.run(LOCK_RELEASE, this.#keys, [token], isOne);
  }

  look(): Promise<Occupancy> {
    return this.#driver.run(LOCK_INFO, this.#keys, [], occupancyOf);
  }
}

function occupancyOf(reply: unknown): Occupancy {
  const texts = (reply as unknown[]).map(String) as [string, string, string, string, string];
  const [token, owner, since, left, waiters] = texts;
  return { token, owner, since: Number(since), left: Number(left), waiters: Number(waiters) };
}

function attemptOf(reply: unknown): Attempt {
  if (!Array.isArray(reply)) return { taken: true, fence: toBigInt(reply), abandoned: false };
  const [code, value, owner] = reply as unknown[];
  if (Number(code) === 1) return { taken: true, fence: toBigInt(value), abandoned: true };
  return { taken: false, lookAfter: Number(value), reason: heldBy(owner) };
}
