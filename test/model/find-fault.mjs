/** Seeds one fault into the library and looks for it. */
import { Failure, pct, random } from './explore.mjs';
import { schedules } from './plan.mjs';
import { changeModule, sources } from './realm.mjs';

/** Replaces text in a module: a fault to be found. */
function seeded({ file, from, to }) {
  const source = sources.get(file);
  if (source === undefined || source.split(from).length !== 2)
    throw new Error(`${file} does not have exactly once: ${from}`);
  return { path: file, text: source.replace(from, () => to) };
}

/** Does something while the fault is in the library. */
export function withFault(fault, act) {
  changeModule(seeded(fault));
  try {
    return act();
  } finally {
    changeModule(undefined);
  }
}

/**
 * Few executions of every case first, then more and more.
 * @param {object} fault `file`, `from`, `to`, and `where`: the primitive whose cases are looked at first
 * @returns {{ found?: string, executions: number }} the claim that failed, if any
 */
export const findFault = (fault) => withFault(fault, () => look(fault));

function look(fault) {
  const first = schedules.filter(({ name }) => name === fault.where);
  const others = schedules.filter(({ name }) => name !== fault.where);
  const casesOf = (some) => some.flatMap(({ sync, async }) => [...sync, ...async]);
  let executions = 0;
  const explore = (cases, share) => {
    for (const { subject, budget } of cases)
      for (const strategy of [pct, random]) {
        try {
          executions += strategy(subject, { budget, seed: share, executions: share }).executions;
        } catch (error) {
          if (!(error instanceof Failure)) throw error;
          executions += error.seed - share + 1;
          return error.message;
        }
      }
    return undefined;
  };
  for (let share = 16; share <= 16_384; share *= 2) {
    const found = explore(casesOf(share < 1024 ? first : [...first, ...others]), share);
    if (found !== undefined) return { found, executions };
  }
  return { executions };
}
