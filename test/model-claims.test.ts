/** Each claim of the model fails when it does not hold: here nobody runs, it is only told what has happened. */
import { describe, expect, test } from 'vitest';
import type { Geometry } from '../src/space/layout.js';
import { Claims } from './model/claims.mjs';
import { LatchRule, guardsIn } from './model/latches.mjs';
import { Machine } from './model/machine.mjs';
import { modeOf, realmOf } from './model/realm.mjs';
import { bits, layout } from './model/space.mjs';

interface Scene {
  claims: Claims;
  /** A thread dies that owns so many locks, alone. */
  die: (index: number, owned?: number) => void;
}

const guard = (fence: bigint, abandoned = false): { fence: bigint; abandoned: boolean } => ({
  fence,
  abandoned,
});

function setScene(subject: object = {}, inOrder?: (index: number) => void): Scene {
  const machine = new Machine(4);
  const claims = new Claims(machine, subject, inOrder);
  const die = (index: number, owned = 1): void => {
    claims.lose(index, owned);
    machine.kill(index);
  };
  return { claims, die };
}

/** What a lock may do, and what it must not do next. */
const violations: [name: string, claim: string, subject: object, act: (scene: Scene) => void][] = [
  [
    'two are inside',
    'thread 0 and thread 2 are both inside',
    {},
    ({ claims }) => {
      claims.enterAlone(0, guard(1n));
      claims.enterAlone(2, guard(2n));
    },
  ],
  ...[false, true].flatMap((isSecond): typeof violations => [
    [
      `two are inside the ${isSecond ? 'second' : 'first'} of two locks`,
      'thread 0 and thread 2 are both inside',
      {},
      ({ claims }) => {
        claims.enterOneOfTwo(1, guard(1n), !isSecond);
        claims.enterOneOfTwo(0, guard(1n), isSecond);
        claims.enterOneOfTwo(2, guard(2n), isSecond);
      },
    ],
    [
      `two are inside the ${isSecond ? 'second' : 'first'} of two locks without fences`,
      'thread 0 and thread 2 are both inside',
      { isFenced: false },
      ({ claims }) => {
        claims.enterOneOfTwo(0, guard(0n), isSecond);
        claims.enterOneOfTwo(2, guard(0n), isSecond);
      },
    ],
    [
      `nobody is told of a death in the ${isSecond ? 'second' : 'first'} of two locks`,
      'thread 1 was not told that thread 0 died inside',
      {},
      ({ claims, die }) => {
        claims.enterOneOfTwo(0, guard(1n), isSecond);
        die(0);
        claims.enterOneOfTwo(1, guard(2n), isSecond);
      },
    ],
  ]),
  [
    'nobody is told of a death',
    'thread 3 was not told that thread 2 died inside',
    {},
    ({ claims, die }) => {
      claims.enterAlone(2, guard(1n));
      die(2);
      claims.enterAlone(3, guard(2n));
    },
  ],
  [
    'a death is told twice',
    '2 owners were told of 1 deaths',
    {},
    ({ claims, die }) => {
      claims.enterAlone(0, guard(1n));
      die(0);
      claims.enterAlone(1, guard(2n, true));
      claims.leaveAlone(1);
      claims.enterAlone(2, guard(3n, true));
    },
  ],
  [
    'a fence comes twice',
    'thread 1 has fence 1 after fence 1',
    {},
    ({ claims }) => {
      claims.enterAlone(0, guard(1n));
      claims.leaveAlone(0);
      claims.enterAlone(1, guard(1n));
    },
  ],
  [
    'a fence is left out where they are counted',
    'thread 1 has fence 9 after fence 7',
    { fence: 7 },
    ({ claims }) => claims.enterAlone(1, guard(9n)),
  ],
  [
    'somebody writes while others read',
    'thread 1 writes while thread 0 reads',
    {},
    ({ claims }) => {
      claims.enterAsReader(2, guard(0n));
      claims.enterAsReader(0, guard(0n));
      claims.leaveAsReader(2);
      claims.enterAsWriter(1, guard(1n));
    },
  ],
  [
    'somebody reads while another one writes',
    'thread 1 reads while thread 0 writes',
    {},
    ({ claims }) => {
      claims.enterAsWriter(0, guard(1n));
      claims.enterAsReader(1, guard(1n));
    },
  ],
  [
    'a reader is not told of a death',
    'reader 1 was not told that thread 0 died inside',
    {},
    ({ claims, die }) => {
      claims.enterAsWriter(0, guard(1n));
      die(0);
      claims.enterAsReader(1, guard(1n));
    },
  ],
  [
    'a reader is told of a death that a writer was told of',
    'reader 2 was told of a death that did not happen, or that a writer was told of',
    {},
    ({ claims, die }) => {
      claims.enterAsWriter(0, guard(1n));
      die(0);
      claims.enterAsWriter(1, guard(2n, true));
      claims.leaveAlone(1);
      claims.enterAsReader(2, guard(2n, true));
    },
  ],
  [
    'a reader has a fence that no writer had',
    'reader 1 has fence 1 after fence 0',
    {},
    ({ claims }) => claims.enterAsReader(1, guard(1n)),
  ],
  [
    'more read than there is room for',
    '2 read where 1 may',
    { places: 1 },
    ({ claims }) => {
      claims.enterAsReader(0, guard(0n));
      claims.enterAsReader(3, guard(0n));
    },
  ],
  [
    'a fence changes with a downgrade',
    'fence 1 has become 2 with a downgrade',
    {},
    ({ claims }) => claims.downgrade(1n, guard(2n)),
  ],
  [
    'a death is told again with a downgrade',
    'a death was told again with a downgrade',
    {},
    ({ claims }) => claims.downgrade(1n, guard(1n, true)),
  ],
  [
    'more permits are held than there are',
    '4 of 3 permits are held',
    { permits: 3 },
    ({ claims, die }) => {
      claims.take(0, 1);
      claims.take(3, 2);
      die(3, 0);
      claims.take(2, 2);
      claims.giveBack(0, 1);
      claims.take(0, 1);
      claims.take(1, 1);
    },
  ],
  [
    'one thread takes more permits than there are',
    '3 of 2 permits are held',
    { permits: 2 },
    ({ claims }) => {
      claims.take(0, 1);
      claims.take(0, 2);
    },
  ],
  [
    'two have the latch',
    'thread 0 and thread 1 both have the latch',
    {},
    ({ claims, die }) => {
      claims.enterLatch(3);
      die(3, 0);
      claims.enterLatch(0);
      claims.enterLatch(1);
    },
  ],
  [
    'one name is two locks',
    "thread 0 has 'a' open in cell 0, thread 1 'a' in cell 1",
    {},
    ({ claims }) => {
      claims.openNamed(0, 'a', { cell: { index: 0 } });
      claims.openNamed(1, 'a', { cell: { index: 1 } });
    },
  ],
  [
    'two names are one lock',
    "thread 0 has 'a' open in cell 0, thread 1 'b' in cell 0",
    {},
    ({ claims }) => {
      claims.openNamed(0, 'a', { cell: { index: 0 } });
      claims.openNamed(1, 'b', { cell: { index: 0 } });
    },
  ],
  [
    'two are inside one name',
    "thread 0 and thread 1 are both inside 'a'",
    {},
    ({ claims }) => {
      claims.enterNamed(0, 'a', { cell: { index: 0 } }, guard(1n));
      claims.enterNamed(1, 'a', { cell: { index: 0 } }, guard(2n));
    },
  ],
  [
    'nobody is told of a death inside a name',
    "thread 1 was not told that thread 0 died inside 'a'",
    {},
    ({ claims, die }) => {
      claims.enterNamed(0, 'a', { cell: { index: 0 } }, guard(1n));
      die(0);
      claims.enterNamed(1, 'a', { cell: { index: 0 } }, guard(2n));
    },
  ],
  [
    'a cell is made anew while somebody is inside',
    'thread 0 is inside cell 0, which has been made anew',
    {},
    ({ claims }) => {
      claims.enterNamed(0, 'a', { cell: { index: 0 } }, guard(1n));
      claims.enterNamed(1, 'b', { cell: { index: 0 } }, guard(1n));
    },
  ],
];

describe('Claims', () => {
  test.each(violations)('fail when %s', (_name, claim, subject, act) => {
    expect(() => act(setScene(subject))).toThrow(claim);
  });

  test('hold when one comes after the other, and is told of the dead once', () => {
    const { claims, die } = setScene({ permits: 2 });
    claims.enterAlone(0, guard(1n));
    die(0);
    claims.enterAlone(1, guard(2n, true));
    claims.leaveAlone(1);
    claims.enterAsReader(2, guard(2n));
    claims.enterAsReader(3, guard(2n));
    claims.leaveAsReader(2);
    claims.leaveAsReader(3);
    claims.enterAsWriter(2, guard(3n));
    claims.leaveAlone(2);
    claims.take(2, 1);
    claims.take(3, 1);
    expect(claims.sections).toBe(7);
    expect(claims.told.get('')).toBe(1);
  });

  test('tell who is inside, until somebody was told that it has died', () => {
    const { claims, die } = setScene();
    claims.enterOneOfTwo(0, guard(1n), false);
    claims.enterOneOfTwo(1, guard(1n), true);
    expect([claims.inside, claims.insideSecond]).toEqual([1, 2]);
    claims.leaveOneOfTwo(0, false);
    die(1);
    expect([claims.inside, claims.insideSecond]).toEqual([0, 2]);
    claims.enterOneOfTwo(2, guard(2n, true), true);
    expect([claims.inside, claims.insideSecond]).toEqual([0, 4]);
  });

  test('ask at each permit whether it is in order', () => {
    const { claims } = setScene({ permits: 1 }, (index) => {
      throw new Error(`thread ${index} has passed`);
    });
    expect(() => claims.take(2, 1)).toThrow('thread 2 has passed');
  });

  test('know who has left, and count the dead among them', () => {
    const { claims, die } = setScene();
    claims.hasLeft(0);
    expect(claims.haveAllLeft([0, 3])).toBe(false);
    die(3, 0);
    expect(claims.haveAllLeft([0, 3])).toBe(true);
  });
});

describe('The rule of the latches', () => {
  const module = realmOf(0, modeOf())('space/memory.js') as {
    createMemory: (locks: number, threads: number) => { words: Int32Array; geometry: Geometry };
  };
  const memory = module.createMemory(2, 4);
  const { words, geometry } = memory;
  const word = layout.cellAt(geometry, 1) + layout.CELL_WORD;
  const latch = layout.cellAt(geometry, 1) + layout.CELL_LATCH;
  const otherLatch = layout.cellAt(geometry, 0) + layout.CELL_LATCH;
  const threads = [0, 1, 4].map((index) => ({ index }));

  const begin = (): LatchRule => {
    words.fill(0);
    const rule = new LatchRule(memory, guardsIn(memory));
    rule.reset();
    return rule;
  };
  /** The thread with that place writes a value. */
  const write = (rule: LatchRule, thread: number, at: number, value: number, kind = 'store'): void => {
    const old = words[at];
    words[at] = value;
    rule.check(threads[thread], words, at, kind, old);
  };

  test.each([0, 1, 2])('lets thread %i of those that have a latch do what is under it', (thread) => {
    const rule = begin();
    write(rule, thread, layout.HEADER_LATCH, 7, 'compareExchange');
    write(rule, thread, layout.HEADER_CELLS_USED, 1);
    expect(rule.isGuarded(threads[thread], { at: layout.HEADER_CELLS_USED, kind: 'store' })).toBe(true);
    write(rule, thread, latch, 7, 'compareExchange');
    write(rule, thread, word, bits.QUEUED, 'or');
    write(rule, thread, latch, 0, 'exchange');
    write(rule, thread, layout.HEADER_LATCH, 0, 'exchange');
    expect(rule.isGuarded(threads[thread], { at: layout.HEADER_CELLS_USED, kind: 'store' })).toBe(false);
  });

  test('stops what is not under the latch of the space', () => {
    const rule = begin();
    write(rule, 0, layout.HEADER_LATCH, 7, 'compareExchange');
    expect(() => write(rule, 1, layout.HEADER_CELLS_USED, 1)).toThrow('without the space latch');
  });

  test.each([
    ['nobody has one', undefined, 0],
    ['it has that of another cell', otherLatch, 0],
    ['another thread has it', latch, 1],
  ])('stops who changes QUEUED: %s', (_name, taken, thread) => {
    const rule = begin();
    if (taken !== undefined) write(rule, thread, taken, 7, 'compareExchange');
    expect(() => write(rule, 0, word, bits.QUEUED, 'or')).toThrow('changes QUEUED without the latch');
  });

  test('stops who releases what it does not have', () => {
    const rule = begin();
    write(rule, 1, latch, 7, 'compareExchange');
    expect(() => write(rule, 0, latch, 0, 'exchange')).toThrow('releases a latch that it does not have');
  });
});
