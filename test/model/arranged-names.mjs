/** Situations around names and the cells behind them, see `arranged.mjs`; the steps are those of `play`. */
import { play } from './spaces.mjs';

const kinds = ['mutex', 'semaphore', 'read-write-lock'];
const two = { locks: 2 };

const open = [
  play(
    'one of two lock objects of a thread is disposed of',
    [
      'open a, open a*, dispose a, ring, until 2, take a*, free a*, dispose a*, ring',
      'until 1, open b, take b, ring, until 3, free b, dispose b',
    ],
    two,
  ),
  play('a lock without a name is disposed of, and another thread has its handle', [
    'open -x, post -x, ring, until 2, dispose -x, full b, ring, until 4, open b, dispose b',
    'until 1, receive -x, ring, until 3, take -x, free -x, dispose -x, ring',
  ]),
  ...kinds.map((kind) =>
    play(`a ${kind} is collected while held, and has been disposed of elsewhere`, [
      `open a ${kind}, ring, until 2, take a, collect a, ring, until 4, free a, sweep a, ring`,
      `until 1, open a ${kind}, dispose a, ring, until 3, full b, ring, until 5, open b, dispose b`,
    ]),
  ),
  play('a lock is collected while asked for, and has been disposed of elsewhere', [
    'open a, ring, until 3, ask a, collect a, ring, get a, until 5, free a, sweep a, ring',
    'until 1, open a, ring, until 2, open a*, dispose a*, take a, ring, until 4, free a, forget a, full b, ring, until 6, open b, dispose b',
  ]),
  play('a lock that a thread holds or waits for is not disposed of', [
    'open a, ring, until 2, take a, busy a, ring, until 4, busy a, free a, ring, until 6, dispose a',
    'until 1, open a, ring, until 3, busy a, ask a, ring, until 5, get a, free a, dispose a, ring',
  ]),
];

const reused = [
  play(
    'a handle is opened while its lock is disposed of, and another one comes after it',
    ['open -x, post -x, ring, dispose -x, open b, dispose b', 'until 1, race -x'],
    two,
  ),
  play('a handle does not open what came after it in the same cell', [
    'open -x, post -x, dispose -x, open b, stale -x, dispose b, open c, stale -x, ring, until 2, dispose c',
    'until 1, stale -x, ring',
  ]),
  play('what comes after a lock in the same cell is not disposed of', [
    'open a, dispose a, open -x, post -x, forget -x, ring',
    'until 1, receive -x, take -x, free -x, dispose -x',
  ]),
  ...kinds.map((kind) =>
    play(
      `a ${kind} after a lock of another kind in the same cell`,
      [
        `open a ${kind === 'mutex' ? 'semaphore' : 'mutex'}, dispose a, open b ${kind}, take b, ring, until 2, free b, ring, until 4, dispose b`,
        `until 1, open b ${kind}, ${kind === 'read-write-lock' ? '' : 'wait b, '}ring, take b, free b, until 3, dispose b, ring`,
      ],
      { locks: 1, patience: 1 },
    ),
  ),
  play('a name that is that of another kind', [
    'open a semaphore-of-2, ring, until 2, dispose a, ring, until 4, open b, dispose b',
    'until 1, refuse a mutex, refuse a semaphore, open a semaphore-of-2, take a, free a, dispose a, ring, until 3, open b, take b, free b, dispose b, ring',
  ]),
  play(
    'a cell that is made anew, and those after it',
    [
      'open a, open b, dispose a, open c, take b, ring, until 2, free b, ring, until 4, dispose c, dispose b',
      'until 1, open b, ring, take b, free b, until 3, dispose b, ring',
    ],
    two,
  ),
  play('a full space', [
    'open a, full b, full -x, ring, until 2, dispose a, open b, full a, dispose b',
    'until 1, full b, open a, take a, free a, dispose a, ring',
  ]),
  play('a thread to which a name was refused does not have it open', [
    'open a, ring, until 2, dispose a, open b, dispose b, ring',
    'until 1, refuse a semaphore, ring, until 3',
  ]),
  play(
    'a full space of as many threads as there can be',
    [
      'open a, open -x, full b, ring, until 2, dispose a, dispose -x, open b, dispose b',
      'until 1, open a, dispose a, full b, ring',
    ],
    { locks: 2, room: 2 },
  ),
];

/** Thread 0 dies inside a lock that has been disposed of elsewhere: it is kept for whoever comes for its name. */
const dying = 'open a, ring, until 2, take a, free a, take a, free a, take a, die';
const kept = [
  play('a disposed name whose holder died is kept', [
    dying,
    'until 1, open a, dispose a, ring, until 3, bury, open a, inherit a, free a, take a, free a, dispose a, open b, dispose b',
  ]),
  play('a disposed name whose holder died makes room', [
    dying,
    'until 1, open a, dispose a, ring, until 3, bury, open b, lose a, take b, free b, full a, dispose b, open a, take a, free a, dispose a',
  ]),
  play(
    'a disposed name whose holder died is wanted for another kind',
    [
      dying,
      'until 1, open a, dispose a, ring, until 3, bury, open a semaphore, lose a, ring, until 5, take a, free a, dispose a, open a, take a, free a, dispose a',
      'until 4, open a semaphore, dispose a, ring',
    ],
    two,
  ),
  play(
    'a name that made room is made anew elsewhere',
    [
      dying,
      'until 1, open a, dispose a, ring, until 3, bury, open b, open c, lose a, take c, dispose b, open a, take a, free a, free c, dispose a, dispose c',
    ],
    two,
  ),
  play('a name whose holder died is in use', [
    'open a, ring, until 2, take a, die',
    'until 1, open a, ring, until 3, bury, refuse a semaphore, full b, inherit a, free a, dispose a',
  ]),
  play('a lock without a name whose holder died is not kept', [
    'open -x, post -x, ring, until 2, take -x, die',
    'until 1, receive -x, dispose -x, ring, until 3, bury',
  ]),
];

/** Fences soon go over from the low half to the high one. */
const old = { locks: 2, floor: 2 ** 32 - 3 };
const fences = [
  play(
    'a lower fence is given back after a higher one',
    [
      'open a, open b, take b, free b, take b, free b, dispose b, dispose a, open b, take b, free b, dispose b',
    ],
    two,
  ),
  play(
    'the fence of a name that is made anew goes on in its high half',
    [
      'open b, open c, dispose b, dispose c, open a, take a, free a, take a, free a, open b, take a, free a, take a, free a, dispose a, open c, take c, free c, dispose b, open a, take a, free a, dispose a, dispose c',
    ],
    old,
  ),
  play(
    'the fence of a name goes on where a number only just has room for it',
    ['open a, take a, free a, dispose a, open a, take a, free a, dispose a'],
    { locks: 1, floor: 2 ** 52 },
  ),
  ...['before', 'after'].map((when) =>
    play(
      `a thread dies ${when} it notes half a fence`,
      [
        `open a, take a, free a, dispose a, open b, take b, free b, take b, free b, take b, free b, meet ${when}, dispose b`,
        'until 1, open a, take a, free a, dispose a, bury, open b, take b, free b, dispose b',
      ],
      { ...old, stores: true },
    ),
  ),
];

export const plays = [...open, ...reused, ...kept, ...fences];
