/**
 * Who waits for whom, and for ever: a graph without a clock, without threads, without I/O.
 *
 * A wait is *stuck* if it could not be served even when all that is not stuck were released. The stuck ones are found by
 * taking away, again and again, those who could be served (Holt, "Some Deadlock Properties of Computer Systems", 1972):
 * what is left waits for itself, in one or more cycles. So permits that others may give back, and readers who go on, are
 * taken into account, and a wait for a mere queue is none for ever.
 */
import { partyKey, type Hold, type Wait } from './wait.js';

/** One step of a cycle: this wait, and what keeps it from being served. */
export interface Edge {
  readonly wait: Wait;
  /** What the next one holds of the lock; undefined: it stands before it in the queue. */
  readonly hold: Hold | undefined;
  /** False: a bare guard of the next one's thread, which may be another task's. */
  readonly certain: boolean;
}

/** Each waits for the next one, and the last for the first. */
export type Cycle = readonly Edge[];

/** A cycle, and all that it rests on. */
export interface Knot {
  readonly cycle: Cycle;
  /** Does it rest on no bare guard? */
  readonly certain: boolean;
  /** The stuck waits that it leads to, its own included: only because each of them is stuck, the others are. */
  readonly waits: readonly Wait[];
  /** Their holds, and those of bare guards among them, by id. */
  readonly holds: readonly string[];
}

/** What a thread's bare guards hold, by `partyKey`. */
export type BareHolds = ReadonlyMap<string, readonly Hold[]>;

/** One cycle of each knot of waits that hold each other up; those that rest on what is certain come first. */
export function findKnots(waits: readonly Wait[], bare: BareHolds): Knot[] {
  const certain = knotsOf(new Graph(waits, new Map()));
  const known = new Set(certain.flatMap(({ cycle }) => cycle.map(({ wait }) => wait)));
  if (bare.size === 0) return certain;
  const possible = knotsOf(new Graph(waits, bare)).filter(
    ({ cycle }) => !cycle.some(({ wait }) => known.has(wait)),
  );
  return [...certain, ...possible];
}

/** Names a cycle: the same as long as the same waits wait for the same holds. */
export function keyOf(cycle: Cycle): string {
  return cycle
    .map(({ wait, hold }) => `${wait.id}<${hold?.id ?? ''}`)
    .sort()
    .join(' ');
}

class Graph {
  /** Those that are stuck, sorted, so that every thread finds the same cycle. */
  readonly #stuck: Set<Wait>;
  /** By lock: the waits for it, and those whose tasks hold it. */
  readonly #wanting = new Map<string, Wait[]>();
  readonly #holding = new Map<string, Wait[]>();
  /** By lock: what bare guards hold of it, and the waits of the same thread. */
  readonly #bare = new Map<string, { hold: Hold; waits: Wait[] }[]>();

  constructor(waits: readonly Wait[], bare: BareHolds) {
    const sorted = [...waits].sort(
      (a, b) => compare(partyKey(a.party), partyKey(b.party)) || a.order - b.order,
    );
    this.#stuck = new Set(sorted);
    for (const wait of sorted) {
      add(this.#wanting, wait.subject.id, wait);
      for (const id of new Set(wait.holds.map(({ subject }) => subject.id))) add(this.#holding, id, wait);
    }
    for (const [party, holds] of bare) {
      const own = sorted.filter((wait) => wait.bare && partyKey(wait.party) === party);
      for (const hold of holds) add(this.#bare, hold.subject.id, { hold, waits: own });
    }
    for (let before = -1; before !== this.#stuck.size;) {
      before = this.#stuck.size;
      for (const wait of sorted)
        if (this.#stuck.has(wait) && this.#canBeServed(wait)) this.#stuck.delete(wait);
    }
  }

  get hasBare(): boolean {
    return this.#bare.size > 0;
  }

  get stuck(): Iterable<Wait> {
    return this.#stuck;
  }

  /** Of a stuck wait: what holds it up. */
  *edges(wait: Wait): Generator<[Edge, Wait]> {
    const { id } = wait.subject;
    // Else it is the queue alone, and no reader waits for another one's hold.
    if (!this.#hasRoom(wait)) {
      for (const other of this.#stuckAmong(this.#holding.get(id)))
        yield [{ wait, hold: other.holds.find(({ subject }) => subject.id === id), certain: true }, other];
      for (const [hold, others] of this.#stuckBare(wait))
        for (const other of others) yield [{ wait, hold, certain: false }, other];
    }
    for (const other of this.#stuckAmong(this.#wanting.get(id)))
      if (isAhead(other, wait)) yield [{ wait, hold: undefined, certain: true }, other];
  }

  #canBeServed(wait: Wait): boolean {
    for (const other of this.#stuckAmong(this.#wanting.get(wait.subject.id)))
      if (isAhead(other, wait)) return false;
    return this.#hasRoom(wait);
  }

  /** Is there enough of the lock besides what the stuck ones hold? */
  #hasRoom(wait: Wait): boolean {
    const { id, capacity } = wait.subject;
    // By id: the waits of one task that branched all have its holds.
    const held = new Map<string, number>();
    for (const { holds } of this.#stuckAmong(this.#holding.get(id)))
      for (const hold of holds) if (hold.subject.id === id) held.set(hold.id, hold.weight);
    for (const [hold] of this.#stuckBare(wait)) held.set(hold.id, hold.weight);
    let sum = 0;
    for (const units of held.values()) sum += units;
    return wait.weight <= capacity - sum;
  }

  *#stuckAmong(waits: readonly Wait[] = []): Generator<Wait> {
    for (const wait of waits) if (this.#stuck.has(wait)) yield wait;
  }

  /**
   * What bare guards hold of the lock that `wait` waits for, and the waits of the tasks that may have them. They have been
   * held for so long that their task waits as well, most likely: it is one of those, so that all of them must be stuck.
   */
  *#stuckBare(wait: Wait): Generator<[Hold, Wait[]]> {
    for (const { hold, waits } of this.#bare.get(wait.subject.id) ?? []) {
      // Nobody is taken to wait for what he holds himself.
      const others = waits.filter((other) => other.subject.id !== wait.subject.id);
      if (others.length > 0 && waits.every((other) => this.#stuck.has(other))) yield [hold, others];
    }
  }
}

function add<T>(lists: Map<string, T[]>, key: string, item: T): void {
  const list = lists.get(key);
  if (list === undefined) lists.set(key, [item]);
  else list.push(item);
}

function compare(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}

/** Must `wait` be served after `other`? Both wait for the same lock then, and it is first in, first out. */
function isAhead(other: Wait, wait: Wait): boolean {
  if (other === wait || !wait.subject.fifo || other.subject.id !== wait.subject.id) return false;
  // A thread that reads already gets further blocking reads past the queue.
  const passes = wait.mode === 'read' && wait.blocking && holdsSome(wait);
  if (passes) return false;
  if (partyKey(other.party) === partyKey(wait.party)) return other.order < wait.order;
  // Only the foremost of each thread stands in the queue.
  if (other.ticket === undefined) return false;
  return wait.ticket === undefined || ((other.ticket - wait.ticket) | 0) < 0;
}

function holdsSome({ holds, subject: { id } }: Wait): boolean {
  return holds.some(({ subject }) => subject.id === id);
}

/** A short cycle through each of them. */
function knotsOf(graph: Graph): Knot[] {
  const knots: Knot[] = [];
  const done = new Set<Wait>();
  for (const start of graph.stuck) {
    if (done.has(start)) continue;
    done.add(start);
    const paths = pathsFrom(graph, start);
    const cycle = paths.get(start);
    if (cycle === undefined) continue; // It waits for a knot, and is not part of it.
    const waits = [...paths.keys()];
    const holds = new Set(waits.flatMap((wait) => wait.holds.map(({ id }) => id)));
    for (const path of paths.values())
      for (const { hold } of path) if (hold !== undefined) holds.add(hold.id);
    // What is there without bare guards was found without them.
    knots.push({ cycle, certain: !graph.hasBare, waits, holds: [...holds] });
    for (const other of waits) if (pathsFrom(graph, other).has(start)) done.add(other);
  }
  return knots;
}

/** A shortest way to each wait that can be reached from this one, itself included if it can. */
function pathsFrom(graph: Graph, start: Wait): Map<Wait, Edge[]> {
  const paths = new Map<Wait, Edge[]>();
  let reached: [Wait, Edge[]][] = [[start, []]];
  while (reached.length > 0) {
    const next: [Wait, Edge[]][] = [];
    for (const [wait, path] of reached)
      for (const [edge, other] of graph.edges(wait)) {
        if (paths.has(other)) continue;
        const longer = [...path, edge];
        paths.set(other, longer);
        next.push([other, longer]);
      }
    reached = next;
  }
  return paths;
}
