/** What the rows of one text tell together. */
import { hostname } from 'node:os';
import { now } from '../parker/clock.js';
import type { Holder, NameStats, Participant, RecentOperation } from '../manager/statistics.js';
import type { LockMode } from '../manager/limits.js';
import type { Read } from './board.js';
import { BUCKETS, Histogram } from './histogram.js';
import {
  ABANDONED,
  ACQUISITIONS,
  CONTENDED,
  FENCE,
  HELD,
  HELD_SINCE,
  HOLD,
  HOLD_BUCKETS,
  LOST,
  MEASURES_ALL,
  NOTED,
  OPERATIONS,
  RECENT,
  RECENT_COUNT,
  RELEASES,
  SERIAL,
  THREAD_ID,
  TIMEOUTS,
  WAIT,
  WAITING,
  WAITING_SINCE,
  WAIT_BUCKETS,
} from './layout.js';

/** What a row counts, and whose it is. */
export interface Subject {
  readonly name: string;
  readonly mode: LockMode;
  readonly backend: string | undefined;
}

const COUNTS = [ACQUISITIONS, RELEASES, TIMEOUTS, ABANDONED, LOST, CONTENDED] as const;
const host: string = hostname();

export class Tally {
  readonly subject: Subject;
  /** As that of the rows: those of another one count something else. */
  readonly serial: number;
  readonly holders: Holder[] = [];
  readonly waiters: Participant[] = [];
  readonly #recent: RecentOperation[] = [];
  readonly #counts: number[] = COUNTS.map(() => 0);
  readonly #wait = new Histogram();
  readonly #hold = new Histogram();
  #measuresAll = false;

  /** When it was read, in milliseconds since the epoch. */
  readonly #time: number;

  constructor(subject: Subject, serial: number, time: number) {
    this.#time = time;
    this.subject = subject;
    this.serial = serial;
  }

  static of(row: Read, subject: Subject): Tally {
    return new Tally(subject, row.words[SERIAL] as number, Date.now());
  }

  add(row: Read): void {
    const { values, words } = row;
    for (const [index, at] of COUNTS.entries())
      this.#counts[index] = (this.#counts[index] as number) + (values[at] as number);
    addTo(this.#wait, row, WAIT, WAIT_BUCKETS);
    addTo(this.#hold, row, HOLD, HOLD_BUCKETS);
    this.#measuresAll ||= words[MEASURES_ALL] === 1;
    this.#addParticipants(row);
    this.#addRecent(row);
  }

  /** What came after `before`. */
  since(before: Tally | undefined): NameStats {
    const earlier = before?.serial === this.serial ? before : new Tally(this.subject, this.serial, 0);
    const count = (index: number): number =>
      (this.#counts[index] as number) - (earlier.#counts[index] as number);
    return {
      ...this.subject,
      acquisitions: count(0),
      releases: count(1),
      timeouts: count(2),
      abandoned: count(3),
      lost: count(4),
      contended: this.#measuresAll ? null : count(5),
      holders: sum(this.holders),
      waiters: sum(this.waiters),
      wait: this.#wait.since(earlier.#wait),
      hold: this.#hold.since(earlier.#hold),
      recent: this.#recent.filter(({ at }) => at > earlier.#time).sort((a, b) => a.at - b.at),
    };
  }

  #addParticipants({ values, words, label }: Read): void {
    const { mode } = this.subject;
    const threadId = words[THREAD_ID] as number;
    const about = { mode, threadId, pid: process.pid, host, label };
    const held = values[HELD] as number;
    const waiting = values[WAITING] as number;
    const isExclusive = mode === 'lock' || mode === 'write';
    const written = values[FENCE] as number;
    const fence = isExclusive && Number.isInteger(written) ? BigInt(written) : undefined;
    if (held > 0)
      this.holders.push({ ...about, count: held, since: wallTime(values[HELD_SINCE] as number), fence });
    if (waiting > 0)
      this.waiters.push({ ...about, count: waiting, since: wallTime(values[WAITING_SINCE] as number) });
  }

  #addRecent({ values, words, label }: Read): void {
    const noted = values[NOTED] as number;
    for (let index = Math.max(0, noted - RECENT_COUNT); index < noted; index++) {
      const at = RECENT + (index & (RECENT_COUNT - 1)) * 3;
      this.#recent.push({
        what: OPERATIONS[values[at] as number] ?? 'acquired',
        at: wallTime(values[at + 1] as number),
        duration: values[at + 2] as number,
        threadId: words[THREAD_ID] as number,
        label,
      });
    }
  }
}

function sum(participants: readonly Participant[]): number {
  return participants.reduce((sum, { count }) => sum + count, 0);
}

/** Of milliseconds of the clock, since the epoch. */
function wallTime(time: number): number {
  return Date.now() - (now() - time);
}

function addTo(histogram: Histogram, { values, words }: Read, at: number, buckets: number): void {
  const least = values[at + 1] as number;
  if (least === 0) return;
  histogram.sum += values[at] as number;
  histogram.min = Math.min(histogram.min, least);
  histogram.max = Math.max(histogram.max, values[at + 2] as number);
  for (let bucket = 0; bucket < BUCKETS; bucket++)
    histogram.buckets[bucket] = (histogram.buckets[bucket] as number) + (words[buckets + bucket] as number);
}
