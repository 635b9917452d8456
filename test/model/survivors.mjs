/**
 * Mutants that the model does not find, and need not: with a reason that can be checked against the code, by module in
 * `survivors/`. `kind` is one of:
 *
 * - `equivalent`: nobody can tell the mutant from the library;
 * - `speed`: it does the same, later or with more work than the library, and nothing promises how much;
 * - a file of tests: the model leaves this out by design, and that test fails on the mutant.
 */
import { readFileSync, readdirSync } from 'node:fs';

const folder = new URL('survivors/', import.meta.url);

/** @type {{ kind: string, reason: string, ids: string[] }[]} */
export const survivors = readdirSync(folder).flatMap((name) => {
  const { module, survivors: groups } = JSON.parse(readFileSync(new URL(name, folder), 'utf8'));
  return groups.map(({ ids, ...group }) => ({ ...group, ids: ids.map((id) => `${module} ${id}`) }));
});
