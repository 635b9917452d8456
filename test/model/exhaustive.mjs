/** All executions of a subject, depth first. */
import { BATCH, Failure, STEPS, execute, withoutReduction } from './explore.mjs';
import { StateSet } from './state-set.mjs';

/**
 * A state that was seen before is not gone into again (`remember`). A step that touches nothing of other threads
 * (`World.isLocal`) is taken at once (`reduce`): it is the same before as after whatever they do.
 * @param {object} options
 * - `budget`: what may happen besides steps;
 * - `preemptions`: how often a thread that could go on may be interrupted;
 * - `collect`: count the states without remembering them, to compare;
 * - `limit`: of executions; `progress(executions)`: called now and then; `started()`: before each execution
 * @returns {{ executions: number, steps: number, sections: number, abandoned: number, states: number,
 * complete: boolean, finals: StateSet }} how much there was; `finals`: the states in which executions ended
 */
export function exhaustive(
  subject,
  {
    budget = {},
    preemptions = Infinity,
    remember = true,
    collect = false,
    reduce = true,
    limit = Infinity,
    progress = undefined,
    started = undefined,
  },
) {
  const seen = new StateSet();
  /** Beside the states in which there is a choice, which are counted. */
  const afterFaults = new StateSet();
  const finals = new StateSet();
  const stack = [[]];
  const result = { executions: 0, steps: 0, sections: 0, abandoned: 0, states: 0, complete: true, finals };
  while (stack.length > 0) {
    if (result.executions >= limit) {
      result.complete = false;
      break;
    }
    const prefix = stack.pop();
    const path = prefix.slice();
    let depth = 0;
    let used = 0;
    let steps = 0;
    const keyOf = (world, left, last) =>
      world.fingerprint(keyOfLeft(left, preemptions < Infinity ? used * STEPS + last + 1 : 0));
    /** After a fault there is often one way on, and there were many ways that led here. */
    const visit = (world, left, last) => {
      steps = world.machine.steps;
      return !remember || depth < prefix.length || !afterFaults.has(keyOf(world, left, last));
    };
    const choose = (options, stepCount, world, left, last) => {
      steps = world.machine.steps;
      const stays = last < 0 ? -1 : options.indexOf(last);
      let choice;
      if (collect && !seen.has(keyOf(world, left, last))) result.states++;
      if (depth < prefix.length) choice = prefix[depth];
      else {
        if (remember) {
          if (seen.has(keyOf(world, left, last))) return -1;
          result.states++;
        }
        choice = stays < 0 ? 0 : stays;
        for (let other = options.length - 1; other >= 0; other--) {
          const interrupts = stays >= 0 && other !== stays && other < stepCount;
          if (other !== choice && !(interrupts && used >= preemptions)) stack.push([...path, other]);
        }
        path.push(choice);
      }
      depth++;
      if (options[choice] < STEPS && stays >= 0 && choice !== stays) used++;
      return choice;
    };
    started?.();
    let world;
    try {
      world = execute(subject, budget, choose, { captures: true, reduce, visit });
    } catch (error) {
      throw error instanceof Failure ? withoutReduction(error) : error;
    }
    result.executions++;
    result.steps += world === null ? steps : world.machine.steps;
    if (world !== null) {
      result.sections += world.sections;
      result.abandoned += world.abandoned;
      finals.has(world.fingerprint(0));
    }
    if (progress !== undefined && result.executions % BATCH === 0) progress(BATCH);
  }
  return result;
}

function keyOfLeft(left, extra) {
  let key = extra;
  for (const count of Object.values(left)) key = key * 3 + count;
  return key;
}
