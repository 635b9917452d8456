/**
 * When a cycle is believed. Each wait and hold has a name that is never given twice: if all that a cycle rests on has been
 * seen, and after that each of those who wait has told of it once more, all of it was there at once, in between.
 */
import { findKnots, keyOf, type Knot } from './graph.js';
import { now } from '../parker/clock.js';
import { isOwn } from './sources.js';
import { partyKey, type Bulletin, type Hold, type Wait } from './wait.js';

/** How many are left out of the picture at the most. */
const MAX_LEFT_OUT = 16;

export class Proof {
  /** How many cycles of the last look have to be seen again. */
  unproven = 0;
  /** By `partyKey`: the others who have to tell of them once more. */
  awaited: ReadonlySet<string> = new Set<string>();
  /** Of each wait and hold that was there at the last look: when it was seen first. */
  #sightings = new Map<string, number>();

  /** What was proven before may be over. */
  forget(): void {
    this.#sightings.clear();
  }

  /**
   * The cycles, by key, that are there for certain; `seen`: the keys of all that there seem to be. `begun`: when the look at
   * those who block did.
   */
  look(
    waits: Wait[],
    bare: Map<string, readonly Hold[]>,
    bulletins: readonly Bulletin[],
    begun: number,
  ): { seen: string[]; proven: Map<string, Knot> } {
    this.#sight([...waits, ...waits.flatMap(({ holds }) => holds), ...[...bare.values()].flat()]);
    const proven = new Map<string, Knot>();
    const seen: string[] = [];
    const dates = new Map(bulletins.map(({ party, at }) => [partyKey(party), at]));
    for (let tries = 0; ; tries++) {
      const knots = findKnots(waits, bare);
      const missing = new Map(knots.map((knot) => [knot, this.#missing(knot, dates, begun)]));
      const open = knots.filter((knot) => missing.get(knot)?.length !== 0);
      if (tries === 0) {
        this.unproven = open.length;
        this.awaited = new Set(tellersOf([...missing.values()].flat()));
      }
      for (const knot of knots) {
        const key = keyOf(knot.cycle);
        seen.push(key);
        if (!open.includes(knot)) proven.set(key, knot);
      }
      // What the dead have told can never be proven, and must not keep the others from it. What is stuck without somebody
      // is stuck with him, so those who told nothing for the longest time are left out, one after the other.
      const last = lastToTell(open, dates);
      if (last === undefined || tries === MAX_LEFT_OUT) return { seen, proven };
      waits = waits.filter(({ party }) => partyKey(party) !== last);
      bare.delete(last);
    }
  }

  #sight(all: readonly Hold[]): void {
    const time = now();
    this.#sightings = new Map(all.map(({ id }) => [id, this.#sightings.get(id) ?? time]));
  }

  /** Of whom it is not known yet that they waited when all of it had been seen. Nobody: all of it was there at one moment. */
  #missing({ certain, waits, holds }: Knot, dates: ReadonlyMap<string, number>, begun: number): Wait[] {
    // This thread does nothing else meanwhile.
    if (certain && waits.every((wait) => isOwn(wait))) return [];
    const ids = [...waits.map(({ id }) => id), ...holds];
    const seen = Math.max(...ids.map((id) => this.#sightings.get(id) ?? Infinity));
    return waits.filter(({ party, blocking }) => {
      const at = blocking ? begun : dates.get(partyKey(party));
      return !(at !== undefined && at > seen);
    });
  }
}

/** Of those who have told of a wait: whoever did so the longest time ago, unless it is this thread. */
function lastToTell(knots: readonly Knot[], dates: ReadonlyMap<string, number>): string | undefined {
  const keys = tellersOf(knots.flatMap(({ waits }) => waits));
  const age = (key: string): number => dates.get(key) ?? 0;
  return keys.length === 0 ? undefined : keys.reduce((last, key) => (age(key) < age(last) ? key : last));
}

/** By `partyKey`: the other threads that tell of these waits themselves. */
function tellersOf(waits: readonly Wait[]): string[] {
  return waits.filter((wait) => !wait.blocking && !isOwn(wait)).map(({ party }) => partyKey(party));
}
