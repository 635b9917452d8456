import { addAbortListener, once } from 'node:events';
import { setImmediate as turnOfTheLoop } from 'node:timers/promises';
import { Worker } from 'node:worker_threads';
import { Semaphore } from 'mortise';
import { count, duration } from '../units.mjs';
import { exactly } from './figure.mjs';
import { TurnLog } from './turn-log.mjs';

const permits = 10;
const rounds = 400;
const blockingTasks = 3; // each in a thread of its own
const asyncTasks = 4; // together in one
const flood = blockingTasks + asyncTasks;
/** A step that takes longer, in milliseconds, is said never to come. */
const patience = 5_000;

/**
 * Whether a request for all permits is served in its turn under a flood of requests for one.
 *
 * In each round the tasks of the flood stop for a moment, each while it holds its permit, so that three of the
 * ten are free and nobody asks. Then the large request is made; once this thread is refused one of the free
 * permits, it is queued. This thread announces the round and lets the flood go on. Whoever of it reads the
 * announcement before it asks has demonstrably asked later. The large request's owner notes its round while it
 * holds all permits; a request that asked later and, when it is granted, does not find that note was granted
 * out of turn.
 *
 * The large request blocks and awaits in turn; so do the tasks of the flood.
 * @param {(share: number) => void} onProgress @param {AbortSignal} signal
 * @returns {Promise<import('./figure.mjs').Figure[]>}
 */
export async function weightedTurn(onProgress, signal) {
  const semaphore = new Semaphore(permits);
  const log = new TurnLog(flood);
  const shared = { semaphore: semaphore.handle, memory: log.memory, flood };
  const heavy = start('./heavy-worker.mjs', shared);
  const workers = [heavy];
  for (let first = 0; first < blockingTasks; first++) {
    workers.push(start('./flood-worker.mjs', { ...shared, first, tasks: 0 }));
  }
  workers.push(start('./flood-worker.mjs', { ...shared, first: blockingTasks, tasks: asyncTasks }));
  const end = () => Promise.all(workers.map((worker) => worker.terminate()));
  const aborted = addAbortListener(signal, () => void end());
  let served = 0;
  let longest = 0;
  const overtaken = { blocking: 0, async: 0 };
  try {
    await Promise.all(workers.map((worker) => once(worker, 'message')));
    for (let round = 1; round <= rounds; round++) {
      log.pause(round);
      if (!log.allStopped(round, patience)) break;
      const outOfTurnBefore = log.totals().outOfTurn;
      const blocking = round % 2 === 0;
      heavy.postMessage({ round, blocking });
      if (!isRefused(semaphore)) break;
      const queued = performance.now();
      log.announce(round);
      log.resume(round);
      if (!log.isGranted(round, patience)) break;
      if (log.totals().outOfTurn > outOfTurnBefore) overtaken[blocking ? 'blocking' : 'async']++;
      longest = Math.max(longest, performance.now() - queued);
      served = round;
      onProgress(round / rounds);
      await turnOfTheLoop();
      signal.throwIfAborted();
    }
  } finally {
    aborted[Symbol.dispose]();
    await end();
  }
  const { later, outOfTurn, grants } = log.totals();
  const detail =
    `${served} of ${rounds} served after at most ${duration(longest)}, and before ${count(later - outOfTurn)} ` +
    `of ${count(later)} requests for one permit that came later; ${count(grants)} of these in all` +
    (outOfTurn === 0
      ? ''
      : `; overtaken in ${overtaken.blocking} rounds when it blocks and ${overtaken.async} when it awaits`);
  const inTurn = served === rounds && later > 0 && outOfTurn === 0;
  return [exactly('weight-10 request under a flood served in its turn', inTurn ? 100 : 0, 100, '%', detail)];
}

/** Whether, within the time it has, one of the free permits is refused: somebody is in the queue. */
function isRefused(semaphore) {
  const end = performance.now() + patience;
  for (;;) {
    const guard = semaphore.tryAcquireSync();
    if (guard === null) return true;
    guard.release();
    if (performance.now() > end) return false;
  }
}

function start(file, workerData) {
  return new Worker(new URL(file, import.meta.url), { workerData });
}
