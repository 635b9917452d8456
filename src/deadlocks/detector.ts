/**
 * Looks for deadlocks, in every thread that waits or wants to know.
 *
 * Each thread tells the others what its tasks wait for and hold, again at every look as long as they wait (`Bulletin`);
 * of a thread that blocks, the locks themselves tell. No such picture is of one moment. But waits and holds have names
 * that are never given twice, so that what was seen twice was there in between (`Proof`). Only a cycle that is proven so is
 * told of. It lasts until somebody is ended, so that it is found whenever it is looked for.
 */
import { channel } from 'node:diagnostics_channel';
import { debuglog } from 'node:util';
import { DeadlockError } from '../errors.js';
import { clearInterval, now, setInterval, setTimeout } from '../parker/clock.js';
import { show } from '../deadline.js';
import { findKnots, type Cycle, type Knot } from './graph.js';
import {
  inWords,
  namesOf,
  ownerOf,
  reportOf,
  useOf,
  type DeadlockReport,
  type LongWaitReport,
} from './report.js';
import { News } from './news.js';
import { Orders } from './order.js';
import { Proof } from './proof.js';
import { Sources, isOwn } from './sources.js';
import { self, type NotedHold, type NotedWait } from './task.js';
import { partyKey, type Bulletin, type Hold, type Wait } from './wait.js';
import type { Watcher } from './watcher.js';

const debug = debuglog('mortise');
const deadlocks = channel('mortise:deadlock');

/** Looks in one interval: one to tell the others, one to find it, one to see it again, one in reserve. */
const LOOKS = 5;
/** Looks after which a wait has lasted: most are over before, and nobody on a server is told of them. Timers may be early. */
const LASTING_LOOKS = 0.9;
/** Milliseconds for which a listener goes on looking when it has heard that somebody may block. */
const ATTENTION = 1000;
/** Milliseconds for which nobody says again that he may block, in detail. */
const HUSH = 10;
/** Milliseconds after which a bare guard is taken for that of a task that waits. */
const LASTING = 30;
/** Ticks after which too, so that its task has had its turn though the thread was kept from running for long. */
const TURNS = 2;

interface BareSince {
  readonly time: number;
  readonly tick: number;
}

export class Detector {
  readonly sources: Sources = new Sources();
  readonly order: Orders;
  readonly #waits = new Map<NotedWait, Watcher>();
  readonly #holds = new Set<NotedHold>();
  readonly #listeners = new Set<Watcher>();
  readonly #news: News;
  readonly #proof: Proof = new Proof();
  /** Cycles that were there at the last look, and have been told of. */
  #told = new Set<string>();
  /** Since when holds of bare guards have been seen, and no waiting task of this thread has gone on. */
  #bareSince = new Map<string, BareSince>();
  #ticks = 0;
  /** How many ask just now. */
  #asking = 0;
  #timer: NodeJS.Timeout | undefined;
  #period = Infinity;
  #attentiveUntil = 0;
  #lastBlocked = 0;

  constructor() {
    this.#news = new News(this.sources, {
      heard: (bulletin) => this.#heard(bulletin),
      asked: () => this.#publish(this.#bulletin()),
      learned: (order) => this.order.learn(order),
      called: () => this.#called(),
    });
    this.order = new Orders(
      (order) => {
        this.#news.listen();
        this.#news.tell(order);
      },
      (report, backends) => {
        for (const watcher of this.#listeners)
          if (watcher.orderInversions && watcher.isConcernedBy(backends))
            watcher.tell('order-inversion', report.names, report);
      },
    );
  }

  /** What a task holds. Not that of bare guards, where locks themselves tell of it. */
  hold(hold: NotedHold): void {
    this.#holds.add(hold);
  }

  letGo(hold: NotedHold): void {
    this.#holds.delete(hold);
  }

  wait(wait: NotedWait, watcher: Watcher): void {
    this.#waits.set(wait, watcher);
    this.#keepLooking(watcher.interval);
  }

  waited(wait: NotedWait): void {
    this.#waits.delete(wait);
    // Its task goes on with whatever else it has, and waits for nothing just now.
    if (wait.isBare) this.#bareSince.clear();
  }

  /** Its manager has another listener, or one less. */
  listen(watcher: Watcher): void {
    if (watcher.audiences.size === 0) this.#listeners.delete(watcher);
    else {
      this.#listeners.add(watcher);
      this.#news.listen();
    }
  }

  /**
   * This thread is about to block, and has announced it: is it the one that closes a cycle of blocked threads? Of two
   * that close one together, at least one sees the other, since each announces itself before it looks.
   * @throws DeadlockError if the policy says so.
   */
  beforeBlocking(wait: NotedWait, watcher: Watcher): void {
    const holds = this.#allHeld();
    if (holds.length === 0) return;
    const own = wait.told(false, holds);
    this.#tellOfBlocking(own);
    const begun = now();
    for (let seen = ''; ;) {
      const blocked = this.sources
        .blocked()
        .filter(({ wait }) => !isOwn(wait))
        .map((one) => ({ ...one, wait: this.#news.detailed(one.wait) }));
      const waits = [own, ...blocked.map((one) => one.wait)];
      // Where this thread stands in its own way alone, the lock will say so.
      const knot = findKnots(waits, new Map()).find(
        (one) => one.waits.length > 1 && one.cycle.some((edge) => edge.wait === own),
      );
      if (knot === undefined) return;
      const undecided = blocked.filter((one) => one.undecided && knot.waits.includes(one.wait));
      if (undecided.length > 0) {
        // Each of them looks as well. One of us has to block first, so that another sees for certain what he asks for.
        const yields = undecided.every((one) => partyKey(one.wait.party) < partyKey(self));
        if (now() - begun > (yields ? 100 : 1000)) return;
        this.sources.pause();
        continue;
      }
      const key = [...knot.waits.map(({ id }) => id), ...knot.holds].sort().join(' ');
      if (key !== seen) {
        seen = key;
        continue;
      }
      const report = this.#tell(knot);
      if (watcher.policy === 'error') throw errorOf(wait, report);
      return;
    }
  }

  /** All there is, whether it was told of or not. */
  async detect(): Promise<DeadlockReport[]> {
    this.#news.listen();
    const period = Math.min(this.#period, 20);
    // What was proven before may be over.
    this.#proof.forget();
    let found: Knot[] = [];
    // On a server, others tell of a wait when it has lasted.
    const { isSlow } = this.#news;
    const enough = isSlow ? LOOKS : 2;
    this.#asking++;
    for (let looks = 1; looks <= (isSlow ? 3 : 2) * LOOKS; looks++) {
      await this.#news.ask(this.#bulletin(), this.#proof.awaited);
      await new Promise((resolve) => setTimeout(resolve, period));
      found = this.#look(this.#bulletin());
      if (looks > enough && this.#proof.unproven === 0) break;
    }
    this.#asking--;
    this.#publish(this.#bulletin());
    return found.map(reportOf);
  }

  #tick(): void {
    this.#ticks++;
    for (const [wait, watcher] of this.#waits) this.checkLength(wait, watcher);
    if (this.#waits.size > 0) this.#news.listen();
    const own = this.#bulletin();
    this.#publish(own);
    this.#look(own);
    if (this.#waits.size > 0 || (this.#listeners.size > 0 && this.#isAttentive())) return;
    clearInterval(this.#timer);
    this.#timer = undefined;
    this.#period = Infinity;
  }

  #publish(own: Bulletin): void {
    this.#news.publish(own, {
      lasting: this.#lasting(own),
      interval: this.#period * LOOKS,
      awaited: this.#proof.awaited,
      isAsking: this.#asking > 0,
    });
  }

  /** Nobody waits for whom nothing is known to be held. */
  #lasting({ at, waits, bare }: Bulletin): string[] {
    const old = new Set<string>();
    for (const wait of this.#waits.keys())
      if (at - wait.begun >= LASTING_LOOKS * this.#period) old.add(wait.id);
    const lasting = waits.filter(
      (wait) => old.has(wait.id) && (wait.holds.length > 0 || (wait.bare && bare.length > 0)),
    );
    return lasting.length === 0 ? [] : [...lasting, ...bare].map(({ id }) => id);
  }

  #isAttentive(): boolean {
    return now() < this.#attentiveUntil || this.#news.someWait;
  }

  #keepLooking(interval: number): void {
    const period = Math.max(1, interval / LOOKS);
    if (period >= this.#period) return;
    clearInterval(this.#timer);
    this.#period = period;
    this.#timer = setInterval(() => this.#tick(), period).unref();
  }

  #heard({ waits, blocking }: Bulletin): void {
    if (waits.length === 0 && blocking === undefined) return;
    if (blocking !== undefined) this.#attentiveUntil = now() + ATTENTION;
    for (const { interval } of this.#listeners) this.#keepLooking(interval);
    if (this.#proof.unproven > 0) this.#look(this.#bulletin());
  }

  #called(): void {
    const own = this.#bulletin();
    this.#look(own);
    if (own.waits.length > 0) this.#publish(own);
  }

  /** Returns the cycles that are there for certain, and tells of those that nobody was told of. */
  #look(own: Bulletin): Knot[] {
    const begun = now();
    const blocked = this.sources.blocked().filter(({ undecided }) => !undecided);
    const blockers = new Set(blocked.map(({ wait }) => partyKey(wait.party)));
    const others = this.#news.others().filter(({ party }) => !blockers.has(partyKey(party)));
    const bulletins = [own, ...others];
    const waits = [
      ...blocked.map(({ wait }) => this.#news.detailed(wait)),
      ...bulletins.flatMap((bulletin) => bulletin.waits),
    ];
    const bare = new Map(bulletins.map((bulletin) => [partyKey(bulletin.party), bulletin.bare]));
    const { seen, proven } = this.#proof.look(waits, bare, bulletins, begun);
    const told = this.#told;
    this.#told = new Set(seen.filter((key) => told.has(key)));
    for (const [key, knot] of proven) {
      if (this.#told.has(key)) continue;
      this.#told.add(key);
      this.#tell(knot);
    }
    return [...proven.values()];
  }

  /** Tells whoever listens, and ends who has to be. */
  #tell({ cycle, certain }: Knot): DeadlockReport {
    const report = reportOf({ cycle, certain });
    debug('manager: %s', inWords(report));
    const backends = this.sources.together(cycle.map(({ wait }) => wait.subject.backend));
    const names = namesOf(report);
    for (const watcher of this.#listeners)
      if (watcher.isConcernedBy(backends)) watcher.tell('deadlock', names, report);
    deadlocks.publish(report);
    if (!report.certain) return report;
    const victim = victimOf(cycle);
    for (const wait of this.#waits.keys()) if (wait.id === victim?.id) wait.end?.(errorOf(wait, report));
    return report;
  }

  /** Tells, once, that it waits for too long. */
  checkLength(wait: NotedWait, watcher: Watcher): void {
    const waited = now() - wait.begun;
    if (wait.isLongTold || waited < watcher.threshold) return;
    wait.isLongTold = true;
    const told = wait.told(false);
    const report: LongWaitReport = { owner: ownerOf(told), waitsFor: useOf(told), waited };
    debug('manager: %s has been waited for for %d ms', show(report.waitsFor.name), waited);
    watcher.tell('long-wait', [report.waitsFor.name], report);
  }

  #bulletin(): Bulletin {
    const queues = new Set<string>();
    const waits: Wait[] = [];
    for (const wait of this.#waits.keys()) {
      const { id } = wait.subject;
      waits.push(wait.told(!queues.has(id)));
      queues.add(id);
    }
    const bare = waits.length === 0 ? [] : this.#bareHolds();
    const mayMatter = (wait: Wait): boolean => bare.length > 0 || wait.subject.fifo || wait.holds.length > 0;
    return { party: self, at: now(), waits: waits.filter(mayMatter), bare, blocking: undefined };
  }

  /** What has been held here for a while, and by no task as far as anybody knows. */
  #bareHolds(): Hold[] {
    const noted = new Map<string, number>();
    const bare: Hold[] = [];
    for (const hold of this.#holds) {
      if (!hold.isHeld) continue;
      const told = hold.told();
      if (hold.isBare) bare.push(told);
      else noted.set(told.subject.id, (noted.get(told.subject.id) ?? 0) + told.weight);
    }
    for (const hold of this.sources.held()) {
      const weight = hold.weight - (noted.get(hold.subject.id) ?? 0);
      if (weight > 0) bare.push({ ...hold, weight });
    }
    const time = now();
    const seen = new Map(bare.map(({ id }) => [id, this.#bareSince.get(id) ?? { time, tick: this.#ticks }]));
    this.#bareSince = seen;
    return bare.filter(({ id }) => {
      const since = seen.get(id) as BareSince;
      return time - since.time >= LASTING && this.#ticks - since.tick >= TURNS;
    });
  }

  /** What this thread holds, by whatever task. */
  #allHeld(): Hold[] {
    const held = new Map(this.sources.held().map((hold) => [hold.subject.id, hold]));
    for (const hold of this.#holds) {
      if (!hold.isHeld) continue;
      const told = hold.told();
      const seen = held.get(told.subject.id);
      held.set(
        told.subject.id,
        seen === undefined ? told : { ...seen, since: told.since, where: told.where },
      );
    }
    return [...held.values()];
  }

  #tellOfBlocking(blocking: Wait): void {
    const at = now();
    if (at - this.#lastBlocked < HUSH) return;
    this.#lastBlocked = at;
    this.#news.listen();
    this.#news.tell({ party: self, at, waits: [], bare: [], blocking });
  }
}

/** The same in every thread: of those that can be ended the one that began to wait last. */
function victimOf(cycle: Cycle): Wait | undefined {
  let victim: Wait | undefined;
  for (const { wait } of cycle) {
    if (!wait.endable) continue;
    const [since, last] = [wait.since ?? 0, victim?.since ?? 0];
    if (victim === undefined || since > last || (since === last && wait.id > victim.id)) victim = wait;
  }
  return victim;
}

function errorOf({ subject: { name } }: NotedWait, report: DeadlockReport): DeadlockError {
  return new DeadlockError(`the lock ${show(name)} would be waited for for ever: ${inWords(report)}`);
}

let thisThreads: Detector | undefined;

export function detector(): Detector {
  return (thisThreads ??= new Detector());
}
