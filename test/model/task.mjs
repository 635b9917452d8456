/** One task of a run: a subject with a budget under one strategy. For this thread, or for a pool of them. */
import { exhaustive } from './exhaustive.mjs';
import { BATCH, Failure, executeChoices, pct, random } from './explore.mjs';
import { bounded, complete, everything, small } from './plan.mjs';
import { explain, shrink } from './report.mjs';

/** How a case is called on the command line. */
export const nameOf = ({ subject, budget }) => {
  const faults = Object.entries(budget).map(([kind, count]) => `${kind} ${count}`);
  return faults.length === 0 ? subject.name : `${subject.name}; ${faults.join(', ')}`;
};

const cases = new Map([...everything, ...small, ...complete, ...bounded].map((one) => [nameOf(one), one]));

export function caseOf(name) {
  const found = cases.get(name);
  if (found === undefined) throw new RangeError(`there is no case ${name}`);
  return found;
}

const strategies = { random, pct, exhaustive };

/**
 * @param {object} task `strategy`; `name` of the case; what the strategy takes; `counter`: a shared word, counts
 * executions
 * @typedef {object} Result what the strategy returns, with `seconds`; or only `failure`, in words
 * @property {string} [failure]
 * @property {number} [executions]
 * @property {number} [steps]
 * @property {number} [sections]
 * @property {number} [deaths]
 * @property {number} [states]
 * @property {boolean} [complete]
 * @returns {Result}
 */
export default function runTask({ strategy, name, counter, ...options }) {
  const { subject, budget } = caseOf(name);
  const start = performance.now();
  const count = counter && new Int32Array(counter);
  const progress = count && ((executions) => Atomics.add(count, 0, executions));
  return explained(() => {
    const result = strategies[strategy](subject, { budget, progress, ...options });
    progress?.(result.executions % BATCH);
    const { finals, ...figures } = result;
    return { ...figures, finals: finals?.size, seconds: (performance.now() - start) / 1000 };
  });
}

/** Runs one execution again, by its seed or its choices. */
export function replayCase({ name, strategy, seed, choices }) {
  const { subject, budget } = caseOf(name);
  return explained(() => {
    if (choices !== undefined) return { impossible: executeChoices(subject, budget, choices).impossible };
    strategies[strategy](subject, { budget, seed, executions: 1 });
    return {};
  });
}

function explained(explore) {
  try {
    return explore();
  } catch (error) {
    if (!(error instanceof Failure)) throw error;
    return { failure: explain(shrink(error), nameOf(error)), message: error.message, seed: error.seed };
  }
}
