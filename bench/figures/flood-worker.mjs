/** Asks for one permit again and again, blocking or in several async tasks; see weighted-turn.mjs. */
import { setImmediate as turnOfTheLoop } from 'node:timers/promises';
import { parentPort, workerData } from 'node:worker_threads';
import { Semaphore } from 'mortise';
import { TurnLog } from './turn-log.mjs';

const { first, tasks } = workerData;
const semaphore = Semaphore.from(workerData.semaphore);
const log = new TurnLog(workerData.flood, workerData.memory);

function blockingTask(task) {
  for (;;) {
    const round = log.ask();
    const guard = semaphore.acquireSync();
    log.got(task, round);
    log.sleepUntilResumed(log.stops(task));
    guard.release();
  }
}

/** Holds its permit across a turn of the event loop, so that the tasks' holds overlap. */
async function asyncTask(task) {
  for (;;) {
    const round = log.ask();
    const guard = await semaphore.acquire();
    log.got(task, round);
    do await turnOfTheLoop();
    while (log.stops(task) > 0);
    guard.release();
  }
}

parentPort.postMessage('ready');
if (tasks === 0) blockingTask(first);
else for (let task = 0; task < tasks; task++) void asyncTask(first + task);
