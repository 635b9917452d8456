/** A thread of a team: opens the lock once, then runs the rounds it is told to. */
import { parentPort, workerData } from 'node:worker_threads';
import { Control } from './control.mjs';
import { loadLock } from './locks.mjs';
import { loops } from './loops.mjs';
import { Visitor } from './visitor.mjs';

const warmUpVisits = 3000;

const { name, shared, control: memory, threads, index } = workerData;
const lockModule = await loadLock(name);

await compileFirst();
const lock = lockModule.open(shared);
const control = new Control(threads, memory);
const visitor = new Visitor(control, control.tallies[index], lock);

parentPort.on('message', async ({ round, load }) => {
  parentPort.postMessage('ready');
  visitor.begin(round, load);
  await loops[lock.style](visitor);
  visitor.end();
  parentPort.postMessage('done');
});
parentPort.postMessage('open');

/** Lets V8 see the loop on a lock of this thread's own, so that a short round is not spent on compiling it. */
async function compileFirst() {
  const { shared: own, dispose } = lockModule.create();
  const control = new Control(1);
  const visitor = new Visitor(control, control.tallies[0], lockModule.open(own));
  for (const timed of [true, false, true, false]) {
    const round = control.prepare();
    control.openGate();
    visitor.begin(round, { inside: 0, outside: 0, timed }, warmUpVisits);
    await loops[visitor.lock.style](visitor);
    visitor.end();
  }
  dispose?.();
}
