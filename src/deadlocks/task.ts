/** What the tasks of this thread hold and wait for. */
import { AsyncLocalStorage } from 'node:async_hooks';
import { hostname } from 'node:os';
import { threadId } from 'node:worker_threads';
import type { Guard } from '../lock.js';
import { now } from '../parker/clock.js';
import type { Requests } from './census.js';
import { partyKey, type Hold, type Mode, type Party, type Subject, type Wait } from './wait.js';

export const self: Party = Object.freeze({ host: hostname(), process: process.pid, thread: threadId });

/** Where something was asked for: formatted only when somebody reads it. */
export interface Site {
  readonly stack?: string;
}

/** Frames of a stack, ours included, which are left out when it is read. */
const FRAMES = 14;
/** Where this package lies. */
const PACKAGE = new URL('../', import.meta.url).href;

/** Where the running code is. */
export function siteOf(): Site {
  const site: Site = {};
  const before = Error.stackTraceLimit;
  Error.stackTraceLimit = FRAMES;
  Error.captureStackTrace(site, siteOf);
  Error.stackTraceLimit = before;
  return site;
}

/** In one millisecond: more would cost more than all the rest. */
const MAX_SITES = 8;
let millisecond = 0;
let sites = 0;

/** As {@link siteOf}, of a hold that most likely nobody will ask about; undefined: there are too many just now. */
export function siteOfHold(): Site | undefined {
  const time = Date.now();
  if (time !== millisecond) {
    millisecond = time;
    sites = 0;
  }
  return sites++ < MAX_SITES ? siteOf() : undefined;
}

/** Its frames, without ours and those of Node.js. */
export function textOf(site: Site | undefined): string | undefined {
  const [, ...frames] = site?.stack?.split('\n') ?? [];
  return (
    frames.filter((frame) => !frame.includes(PACKAGE) && !frame.includes('node:')).join('\n') || undefined
  );
}

let numbers = 0;
let tasks = 0;

/** A hold that this thread has noted. */
export class NotedHold {
  readonly subject: Subject;
  readonly mode: Mode;
  /** No body surrounds it: nobody knows which task will release it. */
  readonly isBare: boolean;
  readonly #id: string = `${partyKey(self)}/${++numbers}`;
  readonly #weight: number;
  readonly #since: number = Date.now();
  readonly #site: Site | undefined;
  /** Weak, of a bare one: it may be lost, which its lock tells people. */
  readonly #guard: Guard | WeakRef<Guard>;

  constructor(subject: Subject, mode: Mode, weight: number, guard: Guard | WeakRef<Guard>, site?: Site) {
    this.subject = subject;
    this.mode = mode;
    this.isBare = guard instanceof WeakRef;
    this.#weight = weight;
    this.#guard = guard;
    this.#site = site;
  }

  get isHeld(): boolean {
    const guard = this.#guard instanceof WeakRef ? this.#guard.deref() : this.#guard;
    return guard?.held ?? false;
  }

  told(): Hold {
    const { subject, mode } = this;
    const where = textOf(this.#site);
    return { id: this.#id, subject, mode, weight: this.#weight, since: this.#since, where };
  }
}

/** What surrounds running code: the holds of the task it belongs to, innermost first. */
export class Scope {
  readonly hold: NotedHold;
  readonly outer: Scope | undefined;
  readonly task: number;

  constructor(hold: NotedHold, outer: Scope | undefined) {
    this.hold = hold;
    this.outer = outer;
    this.task = outer?.task ?? ++tasks;
  }
}

const scopes = new AsyncLocalStorage<Scope | undefined>();

/** Of the code that asks. Undefined: no body of `withLock` surrounds it. */
export function currentScope(): Scope | undefined {
  return scopes.getStore();
}

/** Runs `body` as part of a task that holds it, besides what its task holds already. */
export function within<T>(hold: NotedHold, body: () => T): T {
  return inScope(new Scope(hold, scopes.getStore()), body);
}

export function inScope<T>(scope: Scope, body: () => T): T {
  return scopes.run(scope, body);
}

export function* holdsOf(scope: Scope | undefined): Generator<NotedHold> {
  for (let at = scope; at !== undefined; at = at.outer) if (at.hold.isHeld) yield at.hold;
}

export interface AboutWait {
  readonly requests?: Requests | undefined;
  /** No body will run with what it gets. */
  readonly isBare?: boolean;
  /** Ends it with an error. */
  readonly end?: ((error: Error) => void) | undefined;
}

/** One request that waits. */
export class NotedWait {
  readonly subject: Subject;
  /** Ends it with an error; undefined: it cannot be ended. */
  readonly end: ((error: Error) => void) | undefined;
  readonly since: number = Date.now();
  /** By the monotonic clock. */
  readonly begun: number = now();
  /** It was told of once already. */
  isLongTold = false;
  readonly #number: number = ++numbers;
  readonly #mode: Mode;
  readonly #weight: number;
  readonly site: Site = siteOf();
  readonly #scope: Scope | undefined = currentScope();
  readonly #requests: Requests | undefined;
  /** What it gets will be a bare guard, in code outside of any task. */
  readonly isBare: boolean;

  constructor(subject: Subject, mode: Mode, weight: number, about: AboutWait = {}) {
    this.subject = subject;
    this.#mode = mode;
    this.#weight = weight;
    this.#requests = about.requests;
    this.isBare = about.isBare === true && this.#scope === undefined;
    this.end = about.end;
  }

  get id(): string {
    return `${partyKey(self)}/${this.#number}`;
  }

  /** `isForemost` of those of this thread for the same lock. `holds`: of a thread that blocks, all it has. */
  told(isForemost: boolean, blocking?: readonly Hold[]): Wait {
    const { subject } = this;
    const scope = this.#scope;
    return {
      id: this.id,
      subject,
      mode: this.#mode,
      weight: this.#weight,
      since: this.since,
      where: textOf(this.site),
      party: self,
      task: blocking === undefined ? scope?.task : undefined,
      bare: this.isBare && blocking === undefined,
      blocking: blocking !== undefined,
      order: this.#number,
      ticket: isForemost ? this.#requests?.ticket : undefined,
      endable: this.end !== undefined,
      holds: blocking ?? Array.from(holdsOf(scope), (hold) => hold.told()),
    };
  }
}
