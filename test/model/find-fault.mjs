/**
 * Seeds one fault and looks for it: `node find-fault.mjs NAME`. Prints how it was found, as JSON; in a process of
 * its own, for the library is loaded with the fault.
 */
import { faults } from './faults.mjs';
import { seedFault, sources } from './realm.mjs';

const fault = faults.find(({ name }) => name === process.argv[2]);
if (fault === undefined) throw new Error(`there is no fault ${process.argv[2]}`);
seedFault(sources, fault);
const { Failure, pct, random } = await import('./explore.mjs');
const { everything } = await import('./plan.mjs');

/** Few executions of every case first. */
let executions = 0;
for (let share = 25; share < 10_000; share *= 2)
  for (const { subject, budget } of everything)
    for (const strategy of [random, pct])
      try {
        executions += strategy(subject, { budget, seed: share, executions: share }).executions;
      } catch (error) {
        if (!(error instanceof Failure)) throw error;
        executions += error.seed - share + 1;
        const { message, seed } = error;
        console.log(JSON.stringify({ found: message, strategy: strategy.name, budget, seed, executions }));
        process.exit();
      }
console.log(JSON.stringify({ executions }));
