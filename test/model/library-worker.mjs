/** A worker that runs programs of subjects with the library itself, each of its operations at its gate. */
import { parentPort, workerData } from 'node:worker_threads';
import { Gate, performGated } from './gate.mjs';
import { OPERATIONS, STARTING, encode } from './operations.mjs';
import { loadReal, openReal } from './real-realm.mjs';
import { subjectsOfLocks } from './plan.mjs';

const { control, events, modules } = workerData;
const gate = new Gate(control, events);
const timers = new Set();
const realms = [];
/** Of the schedule that runs. */
let schedule;
/** Opening locks is not part of a schedule. */
let running = false;
let programEnded = false;

const atomics = Object.fromEntries(
  OPERATIONS.map((kind) => [kind, (words, at, a, b) => perform(kind, words, at, a, b)]),
);

function perform(kind, words, at, a, b) {
  if (!running) return Atomics[kind](words, at, a, b);
  gate.announce(OPERATIONS.indexOf(kind), words.buffer === schedule.buffer ? at : -1, encode(a), encode(b));
  // The clock stands still: whoever sleeps is notified in the end.
  const result = performGated(gate, kind, words, at, a, b, b > 0 ? Infinity : b);
  gate.standWhenIdle(placeNow);
  gate.tell(encode(result));
  return result;
}

const placeNow = () => (programEnded && timers.size === 0 ? 'ended' : 'awaiting');

parentPort.on('message', (message) => {
  if (message === 'leave') parentPort.close();
  else
    run(message).catch((error) => {
      gate.stand('failed');
      process.nextTick(() => {
        throw error;
      });
    });
});

const scratch = new Int32Array(new SharedArrayBuffer(8));
/** Operations are compared here, not judged. */
const claims = new Proxy({}, { get: () => () => {} });

async function run(message) {
  schedule = message;
  running = false;
  programEnded = false;
  const { index, buffer } = schedule;
  const isThere = (tid) => schedule.living[tid - 1] === 1;
  realms[index] ??= loadReal(modules, index, { atomics, now: () => schedule.now, isThere, timers });
  const load = realms[index];
  const subject = subjectsOfLocks[schedule.subject];
  const api = { index, claims, scratch, nap: 0, ...openReal(load, buffer, subject, index === 0) };
  if (subject.abortable) api.signal = new AbortController().signal;
  const code = load('programs.js');
  gate.announce(...STARTING);
  gate.pass();
  running = true;
  gate.standWhenIdle(placeNow);
  await Promise.all(subject.threads[index].map((program) => program(code, api)));
  programEnded = true;
  gate.standWhenIdle(placeNow);
}
