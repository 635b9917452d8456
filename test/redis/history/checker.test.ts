/** The checker finds what is wrong: in histories made up here, and in those of locks that are broken on purpose. */
import { describe, expect, test } from 'vitest';
import { check } from './checker.mjs';
import { FAULTS } from './simple-lock.mjs';
import { trial } from './trial.mjs';

type Event = Record<string, unknown>;

const TTL = 100;
let operations = 0;

/** A hold of the lock from `from`, proven until `until`; released at `release`, if it was. */
function hold(
  { from, until, fence, release }: { from: number; until: number; fence: number; release?: number },
  more: Event = {},
): Event[] {
  const op = `w/${++operations}`;
  const lock = { lock: 'lock', weight: 1, capacity: 1, fenced: true, ...more };
  const events: Event[] = [
    { at: from - 5, type: 'invoke', op, worker: 'w', ...lock },
    { at: from, type: 'acquired', op, until, ttl: TTL, fence: String(fence) },
  ];
  if (release === undefined) return events;
  return [
    ...events,
    { at: release, type: 'release', op },
    { at: release + 1, type: 'released', op, ok: true },
  ];
}

function resource(at: number, fence: number, write?: number, accepted = true): Event {
  return { at, type: 'resource', op: `w/${at}`, lock: 'lock', fence: String(fence), write, accepted };
}

function violations(...events: (Event | Event[])[]): string[] {
  const history = events.flat().sort((a, b) => Number(a['at']) - Number(b['at']));
  return check(history).violations;
}

const first = hold({ from: 100, until: 195, fence: 7, release: 120 });

describe('the checker', () => {
  test('is content with holds one after the other, and with fences that grow', () => {
    expect(violations(first, hold({ from: 125, until: 220, fence: 8 }))).toEqual([]);
  });

  test('finds holders that overlap within what they could prove', () => {
    const found = violations(
      hold({ from: 100, until: 195, fence: 7 }),
      hold({ from: 150, until: 245, fence: 8 }),
    );
    expect(found).toEqual([expect.stringContaining('lock had 2 of 1 taken at 150.0 ms')]);
  });

  test('lets a holder that was stopped believe for longer than it could prove', () => {
    const stopped = hold({ from: 100, until: 195, fence: 7 });
    const late = { at: 300, type: 'release', op: stopped[0]!['op'] };
    const refused = { at: 301, type: 'released', op: stopped[0]!['op'], ok: false };
    expect(violations(stopped, late, refused, hold({ from: 200, until: 295, fence: 8 }))).toEqual([]);
  });

  test('takes a release that found the lock held for a proof up to then', () => {
    const found = violations(
      hold({ from: 100, until: 195, fence: 7, release: 250 }),
      hold({ from: 200, until: 295, fence: 8 }),
    );
    expect(found).toEqual([expect.stringContaining('2 of 1 taken')]);
  });

  test('counts what an extension proved', () => {
    const [invoke, acquired] = hold({ from: 100, until: 195, fence: 7 });
    const claim = { at: 150, type: 'claim', op: invoke!['op'], until: 245 };
    const found = violations([invoke!, acquired!, claim], hold({ from: 200, until: 295, fence: 8 }));
    expect(found).toEqual([expect.stringContaining('2 of 1 taken')]);
  });

  test('counts weights', () => {
    const share = { lock: 'permits', capacity: 3, fenced: false };
    const two = hold({ from: 100, until: 195, fence: 0 }, { ...share, weight: 2 });
    const one = hold({ from: 110, until: 205, fence: 0 }, { ...share, weight: 1 });
    const more = hold({ from: 120, until: 215, fence: 0 }, { ...share, weight: 1 });
    expect(violations(two, one)).toEqual([]);
    expect(violations(two, one, more)).toEqual([expect.stringContaining('4 of 3 taken')]);
  });

  test('finds a lease that was over when it was returned, and one that was cancelled as well', () => {
    const late = hold({ from: 100, until: 100, fence: 7 });
    expect(violations(late)).toEqual([expect.stringContaining('when it had expired')]);
    const failed = { at: 101, type: 'failed', op: first[0]!['op'], code: 'ERR_LOCK_TIMEOUT' };
    expect(violations(first, failed)).toEqual([expect.stringContaining('failed as well')]);
  });

  test('finds fences that are given twice or go back', () => {
    expect(violations(first, hold({ from: 225, until: 320, fence: 7 }))).toContainEqual(
      expect.stringContaining('gave the fence 7 to'),
    );
    expect(violations(first, hold({ from: 225, until: 320, fence: 6 }))).toEqual([
      expect.stringContaining('the fence 6 after 7'),
    ]);
    const rows = { lock: 'lock', capacity: 10 };
    const writer = hold({ from: 100, until: 195, fence: 7, release: 120 }, { ...rows, weight: 10 });
    const reader = (fence: number): Event[] => hold({ from: 225, until: 320, fence }, { ...rows, weight: 1 });
    expect(violations(writer, reader(7), reader(7))).toEqual([]);
    expect(violations(writer, reader(6))).toEqual([expect.stringContaining('the fence 6 after 7')]);
  });

  test('finds a stale write that was accepted, and an update that was lost', () => {
    expect(violations(first, resource(101, 7), resource(110, 7, 1), resource(130, 6, 2, false))).toEqual([]);
    expect(violations(first, resource(110, 7, 1), resource(130, 6, 2))).toEqual([
      expect.stringContaining('was accepted after 7'),
    ]);
    expect(violations(first, resource(110, 7, 1), resource(130, 8, 1))).toEqual([
      expect.stringContaining('an update was lost'),
    ]);
  });

  test('excuses overlaps with what a server has forgotten, but no fence', () => {
    const before = hold({ from: 100, until: 195, fence: 7 });
    const forgotten = { at: 141, type: 'amnesia', from: 130, to: 140 };
    const claim = { at: 125, type: 'claim', op: before[0]!['op'], until: 220 };
    const after = (fence: number): Event[] => hold({ from: 200, until: 295, fence });
    expect(violations(before, claim, after(8))).toEqual([expect.stringContaining('2 of 1 taken')]);
    expect(violations(before, claim, forgotten, after(8))).toEqual([]);
    expect(violations(before, forgotten, after(6))).toEqual([expect.stringContaining('the fence 6 after 7')]);
  });

  test('finds who was never served, or late, or refused with nothing wrong', () => {
    const healed = { at: 50, type: 'healed' };
    const invoke = { at: 100, type: 'invoke', op: 'w/0', worker: 'w', lock: 'lock', weight: 1, capacity: 1 };
    expect(violations(healed, invoke)).toEqual(['w/0 of lock was never served']);
    expect(violations(healed, invoke, { at: 110, type: 'killed', worker: 'w' })).toEqual([]);
    const served = { at: 20_000, type: 'acquired', op: 'w/0', until: 20_090, ttl: TTL, fence: '1' };
    expect(violations(healed, invoke, served)).toEqual([expect.stringContaining('served late')]);
    const late = { ...invoke, at: 20_000 };
    const failed = { at: 20_001, type: 'failed', op: 'w/0', code: 'ERR_LOCK_BACKEND' };
    expect(violations(healed, late, failed)).toEqual([expect.stringContaining('with nothing wrong')]);
    expect(violations(healed, { ...late, timeout: 1 }, failed)).toEqual([]);
  });

  test('passes on what workers report of themselves', () => {
    expect(violations({ at: 1, type: 'problem', what: 'worker 1 ended with 1' })).toEqual([
      'worker 1 ended with 1',
    ]);
  });
});

describe('real histories', () => {
  const short = { seconds: 2, workers: 4, calm: 300, patience: 3000 };
  const seed = (): number => (Math.random() * 2 ** 31) | 0;

  test('of a simple lock that is sound pass', async () => {
    const it = seed();
    const { violations, counts } = check(
      await trial({ ...short, seed: it, kind: 'sound', patience: 10_000 }),
    );
    expect(violations, `seed ${it}`).toEqual([]);
    expect(counts['holds']).toBeGreaterThan(10);
  }, 60_000);

  /** Of each: what reveals it, and what the checker says then. */
  const broken: Record<(typeof FAULTS)[number], [faults: string[], sign: RegExp]> = {
    'no owner check on release': [['a worker that is stopped'], /2 of 1 taken/],
    'no validity check': [['a slow line'], /of 1 taken/],
    'a fence that restarts': [['a line that is cut'], /gave the fence \d+ to .*, /],
    'a wake-up that is lost': [['answers that are lost', 'a line that is down'], /never served/],
    'a grant in two steps': [['a slow line'], /of 1 taken/],
  };
  test.each(FAULTS)(
    'of the same lock with %s do not',
    async (kind) => {
      const [faults, sign] = broken[kind]!;
      // What goes wrong is up to chance, if not very much: most are found the first time, all within a few.
      for (let tries = 1; tries <= 20; tries++) {
        const { violations } = check(await trial({ ...short, ttl: 120, seed: seed(), kind, faults }));
        if (violations.some((it) => sign.test(it))) return;
      }
      expect.fail(`not found in twenty trials: ${kind}`);
    },
    300_000,
  );
});
