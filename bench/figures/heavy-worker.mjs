/** Asks for all permits, once for each message; see weighted-turn.mjs. */
import { parentPort, workerData } from 'node:worker_threads';
import { Semaphore } from 'mortise';
import { TurnLog } from './turn-log.mjs';

const semaphore = Semaphore.from(workerData.semaphore);
const log = new TurnLog(workerData.flood, workerData.memory);
const all = { weight: semaphore.permits };

parentPort.on('message', async ({ round, blocking }) => {
  const guard = blocking ? semaphore.acquireSync(all) : await semaphore.acquire(all);
  log.grant(round);
  guard.release();
});
parentPort.postMessage('ready');
