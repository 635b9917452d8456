/**
 * The worker that looks for one mutant after another. An execution is counted in `counter` when it begins, so that
 * whoever waits for the answer sees that a mutant does not come to an end.
 */
import { parentPort, workerData } from 'node:worker_threads';
import { exhaustive } from './exhaustive.mjs';
import { Failure, executeSeed } from './explore.mjs';
import { attempts } from './mutant-cases.mjs';
import { mutated } from './mutants.mjs';
import { small } from './plan.mjs';
import { changeModule, sources } from './realm.mjs';

const counter = new Int32Array(workerData);
const count = () => Atomics.add(counter, 0, 1);

function attempt({ one: { subject, budget }, strategy, seed, executions, limit }) {
  if (strategy === 'exhaustive') exhaustive(subject, { budget, limit, started: count });
  else
    for (let own = seed; own < seed + executions; own++) {
      count();
      executeSeed(strategy, subject, budget, own);
    }
}

/** How it was found, or that it was not. */
function look({ file, mutant, favourites }) {
  changeModule(mutant && { path: file, text: mutated(sources, mutant) });
  for (const one of attempts(file, favourites)) {
    const { name, strategy } = one;
    // What opening the locks leaves in the memory depends on the code.
    delete one.one.subject.opened;
    try {
      attempt(one);
    } catch (error) {
      const { message, seed } = error;
      const found = { name, strategy, seed, message: error instanceof Failure ? message : String(error) };
      return { ...found, kind: kindOf(error) };
    }
  }
  return null;
}

/** A claim that does not hold, or an exception of the code itself. */
function kindOf(error) {
  const { cause } = error;
  return !(error instanceof Failure) || (cause !== undefined && cause.name !== 'Error')
    ? 'exception'
    : 'claim';
}

executeSeed('random', small[0].subject, {}, 1);
parentPort.postMessage('ready');
parentPort.on('message', (task) => {
  count();
  parentPort.postMessage(look(task));
});
