/**
 * What executions come to: every operation of the concurrent modules, and of a CAS both ends. An exploration that never
 * sees a dead holder's latch taken over, or a count made anew, says nothing about it.
 */
import { executeSeed } from './explore.mjs';
import { sources } from './realm.mjs';

const isConcurrent = (file) => /^(parker|primitives|space)\//.test(file);

/** @returns {string[]} operations that no execution has come to, or to only one end of, and modules that none has loaded */
export function unreached(cases, executions) {
  /** By place: was it carried out, and how did it end? */
  const places = new Map();
  const modes = new Set();
  const note = (world, thread) => {
    const { next, wokenBy } = thread;
    modes.add(world.mode);
    const site = world.mode.sites[next.site];
    if (site === undefined || wokenBy !== undefined) return undefined;
    const ends = places.get(String(site)) ?? places.set(String(site), new Set()).get(String(site));
    const { kind, words, at, a } = next;
    if (kind === 'compareExchange') ends.add(words[at] === (a | 0) ? 'taken' : 'failed');
    else ends.add(kind);
    return undefined;
  };
  const watch = (world, choice) => {
    const thread = world.machine.threads[choice];
    return thread && note(world, thread);
  };
  for (const { subject, budget } of cases)
    for (const strategy of ['random', 'pct'])
      for (let seed = 1; seed <= executions; seed++) executeSeed(strategy, subject, budget, seed, { watch });
  const missing = new Set();
  for (const { sites } of modes)
    for (const site of sites) {
      if (!isConcurrent(site.file) || site.kind.includes('plain')) continue;
      const ends = places.get(String(site)) ?? new Set();
      const wanted = site.kind === 'compareExchange' ? ['taken', 'failed'] : [site.kind];
      for (const end of wanted) if (!ends.has(end)) missing.add(`${site.file} ${site.functionName}: ${end}`);
    }
  const isLoaded = (file) => [...modes].some(({ modules }) => modules.has(file));
  for (const [file, text] of sources)
    if (isConcurrent(file) && text.includes('Atomics.') && !isLoaded(file))
      missing.add(`${file}: not loaded`);
  return [...missing].sort();
}

const BETWEEN_PROCESSES = 'memory that processes share: test/space-open-death.test.ts and the stress';

/** What no execution comes to, and why. */
export const expected = {
  'parker/process.js prepare: load': BETWEEN_PROCESSES,
  'parker/process.js unpark: add': BETWEEN_PROCESSES,
  'primitives/semaphore.js availableSync: load': 'for people: no program of the model asks',
  'space/memory.js createMemory: hidden store': 'a space is made before its threads begin',
  'space/memory.js writeHeader: hidden store': 'a space is made before its threads begin',
  'space/processes.js attachAs: load': BETWEEN_PROCESSES,
  'space/region-file.js: not loaded': BETWEEN_PROCESSES,
  'space/region.js: not loaded': BETWEEN_PROCESSES,
};
