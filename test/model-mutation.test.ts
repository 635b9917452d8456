/** Mutation of the concurrent modules: a few mutants. All of them: `npm run mutate`. */
import { readdirSync } from 'node:fs';
import { afterAll, describe, expect, test } from 'vitest';
import { concurrent, unmutated } from './model/mutated.mjs';
import { MutantRunner } from './model/mutant-runner.mjs';
import { mutantsOf } from './model/mutants.mjs';
import { sources } from './model/realm.mjs';
import { survivors } from './model/survivors.mjs';

const mutants = mutantsOf(sources);
const known = new Map(mutants.map((mutant) => [mutant.id, mutant]));

describe('Mutants', () => {
  test('are made of every concurrent module', () => {
    expect([...new Set(mutants.map(({ file }) => file))].sort()).toEqual([...concurrent.keys()].sort());
  });

  test('are made of no other module of these folders, and there is a reason', () => {
    const modules = ['parker', 'primitives', 'space'].flatMap((folder) =>
      readdirSync(new URL(`../dist/${folder}`, import.meta.url))
        .filter((file) => file.endsWith('.js'))
        .map((file) => `${folder}/${file}`),
    );
    const mutated = [...concurrent.keys()].filter((file) => file.includes('/'));
    expect([...mutated, ...Object.keys(unmutated)].sort()).toEqual(modules.sort());
  });

  test('have ids of their own', () => {
    expect(known.size).toBe(mutants.length);
  });

  test('change what they say', () => {
    for (const { file, start, end, text } of mutants)
      expect(sources.get(file)!.slice(start, end)).not.toBe(text);
  });

  test('are there and are named once, if they may survive', () => {
    const ids = survivors.flatMap((group) => group.ids);
    expect(ids.filter((id) => !known.has(id))).toEqual([]);
    expect(new Set(ids).size).toBe(ids.length);
  });
});

describe('The model kills', { timeout: 60_000 }, () => {
  const runner = new MutantRunner();
  afterAll(() => runner.close());

  for (const id of [
    'space/latch.js releaseLatch: remove: rouse(words, at, 1);',
    'parker/thread.js ThreadParker.unpark: remove: Atomics.add(this.#words, at, 1);',
    'space/words.js mutexRules.bury: drop: (word) => (word & ~OWNER) | ABANDONED  =>  (word) => (word & ~OWNER)',
    'space/cell.js Cell.decline: remove: this.queue.latchAndSettle();',
    'primitives/mutex.js MutexGuard.release: true: if (tether === null)  =>  if (true)',
  ])
    test(id, async () => {
      const mutant = known.get(id)!;
      expect(await runner.look(mutant.file, mutant)).not.toBeNull();
    });
});
