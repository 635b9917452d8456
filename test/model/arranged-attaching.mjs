/** Situations in which the entry of a dead thread is given to another one, see `arranged.mjs`. */
import { layout } from './space.mjs';
import { names } from './spaces.mjs';
import { untold, watched } from './subjects.mjs';

function attached(what, programs) {
  const users = [
    ['a', false],
    ['b', false],
  ];
  return {
    ...names(users),
    name: `names: ${what}`,
    isArranged: true,
    threads: programs.map((program) => [program]),
  };
}

export const attaching = [
  // Thread 1 finds thread 0 dead; before it can bury it, thread 2 has, and thread 3 has its entry.
  attached('one that was found dead is buried by another, and its entry taken', [
    (code, api) => code.attachAndDie(api, 'a'),
    (code, api) => code.attachAndStay(api, 1, 'a', { pauses: true }),
    (code, api) => code.attachAndBury(api, 2, 0, { delay: 21 }),
    (code, api) => code.attachAndStay(api, 4, 'a', { stay: 10 }),
  ]),
  // Thread 2 dies in a latch of thread 0's lock, which is none of its own, and thread 4 has its entry.
  attached('the entry of one who died in a latch is taken', [
    (code, api) => code.attachAndDie(api, 'a'),
    (code, api) => code.attachAndStay(api, 1, 'a'),
    (code, api) => code.attachAndBury(api, 2, 0, { dies: true }),
    (code, api) => code.attachAndBury(api, 4, 2),
    (code, api) => code.attachUntil(api, 6, 8),
  ]),
  attached('one dies when an entry is within reach, and not taken', [
    (code, api) => code.attachLate(api, 1),
    (code, api) => code.dieAttaching(api, layout.HEADER_THREADS_USED),
  ]),
  attached('an entry is taken again, and those after it are still within reach', [
    (code, api) => code.attachAndDie(api, 'b'),
    (code, api) => code.attachAndDie(api, 'a', { from: 1, to: 6 }),
    (code, api) => code.attachAndStay(api, 2, 'a'),
    (code, api) => code.attachAndBury(api, 3, 0),
    (code, api) => code.attachUntil(api, 5, 7),
  ]),
  // The number of thread 2 is that by which the system knows thread 0.
  watched(
    attached('a parent that is told of a death frees the latch of no other', [
      (code, api) => code.attachSlowly(api, 1),
      (code, api) => code.attachLate(api, 1),
      (code, api) => code.dieAtOnce(api),
    ]),
  ),
  // The parent has entry 0.
  untold(
    attached('one dies when it has taken an entry', [(code, api) => code.dieAttaching(api, api.stateAt(1))]),
  ),
];
