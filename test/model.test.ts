/** The model checker on the library itself: small cases completely, and whether it finds what it is there for. */
import { describe, expect, test } from 'vitest';
import { exhaustive } from './model/exhaustive.mjs';
import { faults } from './model/faults.mjs';
import { Failure } from './model/explore.mjs';
import { findFault, withFault } from './model/find-fault.mjs';
import { small } from './model/plan.mjs';
import { latch, mutex, readWriteLock, recounted, semaphore, wholeLatch } from './model/subjects.mjs';
import { layout } from './model/space.mjs';
import { names } from './model/spaces.mjs';
import runTask, { nameOf, replayCase } from './model/task.mjs';
import type { World } from './model/world.mjs';

type Subject = ReturnType<typeof names>;

const disposed = names([
  ['a', true],
  ['a', true],
]);

describe('Every claim holds in all schedules', () => {
  for (const one of small)
    test(`of ${nameOf(one)}`, { timeout: 600_000 }, () => {
      const result = runTask({ strategy: 'exhaustive', name: nameOf(one), limit: 1_000_000 });
      if (result.failure !== undefined) throw new Error(result.failure);
      expect(result.complete).toBe(true);
      expect(result.states).toBeGreaterThan(20);
    });
});

describe('Remembering states leaves out no state: the same are reached without it', () => {
  for (const [subject, budget] of [
    [latch(2), {}],
    [latch(2), { deaths: 1 }],
    [latch(2), { clock: 1 }],
    [mutex(['sync', 'sync']), {}],
  ] as const)
    test(nameOf({ subject, budget }), { timeout: 600_000 }, () => {
      const remembered = exhaustive(subject, { budget });
      const plain = exhaustive(subject, { budget, remember: false, collect: true });
      expect(plain.complete).toBe(true);
      expect(plain.states).toBe(remembered.states);
      expect(plain.executions).toBeGreaterThan(3 * remembered.executions);
    });
});

describe('Taking local steps at once leaves out no end', () => {
  for (const [subject, budget] of [
    [semaphore(['sync', 'sync'], [1, 2], 2), { deaths: 1 }],
    [semaphore(['sync', 'sync'], [1, 2], 2), { kills: 1, clock: 1 }],
    [readWriteLock(['read', 'write']), { kills: 1, busy: 1 }],
    [semaphore(['sync', 'async'], [1, 2], 2), {}],
    [readWriteLock(['read', 'write']), { deaths: 1 }],
    [mutex(['sync', 'async']), { kills: 1 }],
    [mutex(['async', 'async'], 1, { abortable: true }), { aborts: 1 }],
    [readWriteLock(['read async', 'downgrade']), { kills: 1 }],
    [semaphore(['sync', 'try'], [2, 1], 2), { kills: 1 }],
    [{ ...disposed, isSymmetric: false }, {}],
    [{ ...wholeLatch(disposed), isSymmetric: false }, { clock: 1 }],
    [{ ...wholeLatch(disposed), isSymmetric: false }, { kills: 1 }],
  ] as const)
    test(nameOf({ subject, budget }), { timeout: 600_000 }, () => {
      const whole = exhaustive(subject, { budget, reduce: false });
      const reduced = exhaustive(subject, { budget });
      expect([...reduced.finals].sort()).toEqual([...whole.finals].sort());
      expect(reduced.states).toBeLessThan(whole.states);
    });
});

describe('Of threads that are alike, the last begins: that leaves out no end, but for who is who', () => {
  /** What the memory holds, without what tells which thread has which entry; and what has become of the one that has it. */
  const endOf = ({ words, counted, machine, memory }: World) => {
    const entries = Array.from({ length: memory.geometry.threads }, (_, entry) => layout.threadAt(entry));
    const identity = entries.flatMap((entry) =>
      [layout.THREAD_TID, layout.THREAD_START, layout.THREAD_NODE_ID].map((at) => entry + at),
    );
    const used = entries.filter((entry) => words[entry + layout.THREAD_INCARNATION] !== 0);
    const fates = used.map((entry) => machine.threads[words[entry + layout.THREAD_NODE_ID]!]?.state);
    return [
      ...fates,
      ...counted.filter((at: number) => !identity.includes(at)).map((at: number) => words[at]),
    ].join();
  };
  const endsOf = (subject: Subject, budget: object) => {
    const ends = new Set<string>();
    const atEnd = (world: World) => {
      subject.atEnd(world);
      ends.add(endOf(world));
    };
    const { states } = exhaustive({ ...subject, atEnd }, { budget });
    return { ends: [...ends].sort(), states };
  };
  for (const budget of [{}, { clock: 1 }, { kills: 1 }])
    test(nameOf({ subject: disposed, budget }), { timeout: 600_000 }, () => {
      const subject = wholeLatch(disposed);
      const all = endsOf({ ...subject, isSymmetric: false }, budget);
      const ordered = endsOf(subject, budget);
      expect(subject.isSymmetric).toBe(true);
      expect(ordered.ends).toEqual(all.ends);
      expect(ordered.states).toBeLessThan(0.6 * all.states);
    });
});

describe('Going through all executions finds', () => {
  for (const [name, subject, budget] of [
    ['a dead owner is not reported', mutex(['sync', 'sync']), { kills: 1 }],
    ['a dead owner is not reported', mutex(['async', 'async']), { deaths: 1 }],
    ['a dead writer is not reported', readWriteLock(['write', 'write']), { kills: 1 }],
    ['recounting counts the dead', semaphore(['sync', 'sync'], [1, 2], 2), { kills: 1 }],
    ['recounting does not wait for those in doubt', recounted(semaphore(['sync'], [1], 2)), {}],
  ] as const)
    test(`${name}, ${subject.name}`, () => {
      const fault = faults.find((one) => one.name === name)!;
      expect(() => withFault(fault, () => exhaustive(subject, { budget }))).toThrow(Failure);
    });
});

describe('A failure of a complete exploration fails again, step by step', () => {
  for (const [name, one] of [
    ['a dead owner is not reported', 'mutex sync, sync x 1; kills 1'],
    ['a thread that slept takes the latch without SLEEPERS', 'latch, 3 threads x 1'],
    ['recounting does not wait for those in doubt', 'semaphore of 2, sync 1 x 1, and a recount'],
    ['settle does not look again when the word has changed', 'mutex sync, sync x 1'],
  ] as const)
    test(`${name}, ${one}`, () => {
      const fault = faults.find((one) => one.name === name)!;
      withFault(fault, () => {
        const { failure } = runTask({ strategy: 'exhaustive', name: one, limit: 100_000 });
        const choices = /--choices (\S+)/.exec(failure!)![1]!.split('.').map(Number);
        expect(failure).not.toContain('did not fail again');
        expect(replayCase({ name: one, strategy: undefined, seed: undefined, choices }).failure).toContain(
          failure!.split('\n')[0],
        );
      });
    });
});

describe('A bound on preemptions leaves out no end of those without', () => {
  for (const preemptions of [0, 1])
    test(`${preemptions} preemptions`, () => {
      const subject = readWriteLock(['read', 'write']);
      const whole = exhaustive(subject, { preemptions, reduce: false });
      const reduced = exhaustive(subject, { preemptions });
      expect([...whole.finals].filter((end) => !reduced.finals.has(end))).toEqual([]);
    });
});

describe('Taking a latch in one operation leaves out no end', () => {
  for (const subject of [
    mutex(['sync', 'sync'], 2),
    semaphore(['sync', 'async'], [1, 2], 2),
    readWriteLock(['read', 'downgrade']),
    disposed,
  ])
    test(subject.name, () => {
      const real = exhaustive(subject, {});
      const whole = exhaustive(wholeLatch(subject), {});
      expect([...real.finals].sort()).toEqual([...whole.finals].sort());
      expect(whole.states).toBeLessThan(real.states);
    });
});

describe('SIGKILL before each store leads to all ends that terminate() leads to', () => {
  for (const subject of [mutex(['sync', 'async']), semaphore(['sync', 'sync'], [1, 2], 2)])
    test(subject.name, () => {
      const killed = exhaustive(subject, { budget: { kills: 1 } }).finals;
      const terminated = exhaustive(subject, { budget: { deaths: 1 } }).finals;
      expect(terminated.size).toBeGreaterThan(20);
      expect([...terminated].filter((end) => !killed.has(end))).toEqual([]);
    });
});

describe('The checker finds', () => {
  for (const fault of faults)
    test(fault.name, { timeout: 600_000 }, () => {
      expect(findFault(fault).found).toBeDefined();
    });
});
