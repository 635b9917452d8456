import { contendInChild } from './in-child.mjs';
import { loadLock } from './locks.mjs';
import { StuckError, Team } from './team.mjs';

/**
 * @typedef {object} Plan
 * @property {number[]} threads the numbers of threads to try, in ascending order
 * @property {number} seconds for each, with work inside and outside, every wait recorded
 * @property {number} emptySeconds for each, with empty sections and no clocks
 * @property {number} inside steps of work in the critical section
 * @property {number} outside steps of work between two of them
 *
 * @typedef {import('./team.mjs').RoundResult & { emptyPerSecond: number }} Row for one number of threads
 *
 * @typedef {object} Contention
 * @property {string} name
 * @property {string} title
 * @property {Row[]} rows
 * @property {string | null} missing why there are no rows: the running Node.js does not have it
 * @property {string | null} stuck how it failed to come to an end, after the rows: a wait for ever, or a crash
 */

/**
 * Puts one lock under contention, in a child process if it needs flags of its own.
 * @param {string} name
 * @param {Plan} plan
 * @param {{ signal?: AbortSignal, onRow?: (row: Row) => void }} [options]
 * @returns {Promise<Contention>}
 */
export async function contend(name, plan, { signal, onRow } = {}) {
  const { title, flags } = await loadLock(name);
  const flagged = (flags ?? []).every((flag) => process.execArgv.includes(flag));
  const result = flagged
    ? await contendHere(name, plan, { signal, onRow })
    : await contendInChild(name, plan, { signal, onRow, flags });
  return { name, title, ...result };
}

async function contendHere(name, plan, { signal, onRow }) {
  const { isAvailable } = await loadLock(name);
  if (isAvailable?.() === false)
    return { rows: [], missing: `not in Node.js ${process.version}`, stuck: null };
  const rows = [];
  const team = await Team.start(name, Math.max(...plan.threads), signal);
  try {
    for (const threads of plan.threads) {
      const load = { inside: plan.inside, outside: plan.outside, timed: true };
      const result = await team.run({ threads, seconds: plan.seconds, load });
      const nothing = { inside: 0, outside: 0, timed: false };
      const empty = await team.run({ threads, seconds: plan.emptySeconds, load: nothing });
      const row = { ...result, emptyPerSecond: empty.perSecond, broken: result.broken ?? empty.broken };
      rows.push(row);
      onRow?.(row);
    }
  } catch (error) {
    if (!(error instanceof StuckError)) throw error;
    return { rows, missing: null, stuck: error.message };
  } finally {
    await team.close();
  }
  return { rows, missing: null, stuck: null };
}
