/**
 * One lock on several independent servers: whoever has it on more than half of them has it (Redlock, Salvatore
 * Sanfilippo). Nobody waits for a server that does not answer: a majority decides, and each is asked for a twentieth of
 * the lock's time at most.
 *
 * There is no queue: several servers would have several orders, and could each keep their lock for another one.
 */
import { forget } from '../remote/forget.js';
import type { LockStore, Occupancy } from './lock-store.js';
import { NoQuorum, askAll, inWords, isAnswered, type Answer } from './quorum.js';
import type { Attempt, Refused, Store, Taken } from '../remote/store.js';

/** Milliseconds that one server is waited for, at least and at the most, and as a part of the ttl. */
const LEAST_PATIENCE = 10;
const MOST_PATIENCE = 500;
const PATIENCE = 0.05;
/** Milliseconds until another look, at random so that those who compete do not meet again. */
const SOONEST_LOOK = 5;
const LATEST_LOOK = 40;

type Answers<T> = readonly (Answer<T> | undefined)[];

export class QuorumStore implements Store {
  readonly description: string;
  readonly parts: readonly LockStore[];
  readonly #majority: number;
  readonly #ttl: number;

  constructor(description: string, stores: readonly LockStore[], ttl: number) {
    this.description = description;
    this.parts = stores;
    this.#majority = Math.floor(stores.length / 2) + 1;
    this.#ttl = ttl;
  }

  async attempt(token: string, ttl: number): Promise<Attempt> {
    const isTaken = (attempt: Attempt): boolean => attempt.taken;
    const answers = await this.#ask(ttl, (store) => store.attempt(token, ttl, false), isTaken);
    if (this.#count(answers, isTaken) < this.#majority) return this.#refused(token, answers);
    const taken = answers.filter(isAnswered).map(({ value }) => value as Taken);
    const fence = taken.reduce((most, it) => (it.taken && it.fence > most ? it.fence : most), 0n);
    // Whoever comes next has a majority of its own, and one of its servers at least has to know this fence.
    const told = await this.#ask(ttl, (store) => store.raiseFence(token, fence), Boolean);
    if (this.#count(told, Boolean) < this.#majority) return this.#refused(token, answers, told);
    return { taken: true, fence, abandoned: taken.some((it) => it.taken && it.abandoned) };
  }

  async extend(token: string, ttl: number): Promise<boolean> {
    const answers = await this.#ask(ttl, (store) => store.extend(token, ttl), Boolean);
    return this.#verdict(answers, 'extended', 'lost');
  }

  /** Told to all; a majority decides. Those that do not answer are told again in the background. */
  async release(token: string): Promise<boolean> {
    const tell = (store: LockStore): Promise<boolean> => {
      const released = store.release(token);
      released.catch(() => forget(store, token, this.#ttl));
      return released;
    };
    return this.#verdict(await this.#ask(this.#ttl, tell, Boolean), 'released', 'not held');
  }

  /** What a majority knows of the lock; undefined if nobody has it. @throws NoQuorum */
  async look(): Promise<Occupancy | undefined> {
    const answers = await this.#ask(
      this.#ttl,
      (store) => store.look(),
      () => false,
    );
    const seen = answers.filter(isAnswered).map(({ value }) => value);
    const holder = seen.find(
      ({ token }) => token !== '' && seen.filter((other) => other.token === token).length >= this.#majority,
    );
    if (holder !== undefined || seen.length >= this.#majority) return holder;
    throw new NoQuorum(
      answers,
      inWords(answers, () => 'answered'),
    );
  }

  /** Asks until a majority says yes, or cannot any more. */
  #ask<T>(
    ttl: number,
    ask: (store: LockStore) => Promise<T>,
    isYes: (value: T) => boolean,
  ): Promise<Answers<T>> {
    const patience = Math.min(Math.max(ttl * PATIENCE, LEAST_PATIENCE), MOST_PATIENCE);
    const most = this.parts.length - this.#majority;
    return askAll(this.parts, patience, ask, (answers) => {
      const no = answers.filter((it) => it !== undefined && !(isAnswered(it) && isYes(it.value))).length;
      return this.#count(answers, isYes) >= this.#majority || no > most;
    });
  }

  #count<T>(answers: Answers<T>, isYes: (value: T) => boolean): number {
    return answers.filter((it) => isAnswered(it) && isYes(it.value)).length;
  }

  /** True or false if a majority says so. */
  #verdict(answers: Answers<boolean>, yes: string, no: string): boolean {
    if (this.#count(answers, Boolean) >= this.#majority) return true;
    const refusals = this.#count(answers, (value) => !value);
    if (refusals > this.parts.length - this.#majority) return false;
    throw new NoQuorum(
      answers,
      inWords(answers, (value) => (value ? yes : no)),
    );
  }

  /** Gives back what it has, or may have. */
  #refused(token: string, answers: Answers<Attempt>, told?: Answers<boolean>): Refused {
    this.parts.forEach((store, place) => {
      const answer = answers[place];
      if (!isAnswered(answer) || answer.value.taken) forget(store, token, this.#ttl);
    });
    const reason = inWords(answers, (attempt) => (attempt.taken ? 'acquired' : attempt.reason));
    const decisive: Answers<unknown> = told ?? answers;
    const failed = decisive.filter((it) => it !== undefined && !isAnswered(it)).length;
    const lookAfter = SOONEST_LOOK + Math.random() * (LATEST_LOOK - SOONEST_LOOK);
    const refused: Refused = { taken: false, lookAfter, reason, isSpent: true };
    if (failed <= this.parts.length - this.#majority) return refused;
    return { ...refused, failure: new NoQuorum(decisive, reason) };
  }
}
