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
const { bounded } = await import('./plan.mjs');

let executions = 0;
for (let seed = 1; seed < 20_000; seed += 500)
  for (const { subject, budget } of bounded)
    for (const strategy of [random, pct])
      try {
        executions += strategy(subject, { budget, seed, executions: 500 }).executions;
      } catch (error) {
        if (!(error instanceof Failure)) throw error;
        executions += error.seed - seed + 1;
        console.log(
          JSON.stringify({ found: error.message, strategy: strategy.name, seed: error.seed, executions }),
        );
        process.exit();
      }
console.log(JSON.stringify({ executions }));
