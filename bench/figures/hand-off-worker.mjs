/**
 * One of two threads that wake each other in turn, and measure each hand-off: from just before the release, or
 * the notify, of the one to the moment the other is on its way again. Between waking and being woken each works
 * for as long as it takes the other to give up spinning and fall asleep.
 *
 * raw: one says 1 and sleeps until it is 0; the other says 0 and sleeps until it is 1.
 *
 * mutex: three of them in rotation, so that every acquire has to wait for the other thread's release. The first
 * thread holds 0 and 2 and the second 1. The first releases 0 and wants 1; the second, which slept on 0, now
 * has it, releases 1 and wants 2; the first releases 2 and wants 0; and so on.
 */
import { parentPort, workerData } from 'node:worker_threads';
import { Mutex } from 'mortise';
import { work } from '../contention/work.mjs';

const { side, memory, handles, stepsToSleep } = workerData;
const words = new Int32Array(memory);
const TURN = 0;
const GATE = 32;
/** When each side last released, in nanoseconds that both sides count from the same moment. */
const released = new Float64Array(memory, 256, 2);
const mutexes = handles.map((handle) => Mutex.from(handle));
let worked = 1;
let taken = 0;

const now = () => Number(process.hrtime.bigint());

/** Call it right before waking the other. */
function leaving() {
  worked = work(stepsToSleep, worked);
  released[side] = now();
}

/** Call it right after being woken. */
function arrived() {
  taken += now() - released[1 - side];
}

function rawFirst(turns) {
  for (let turn = 0; turn < turns; turn++) {
    leaving();
    Atomics.store(words, TURN, 1);
    Atomics.notify(words, TURN, 1);
    while (Atomics.load(words, TURN) === 1) Atomics.wait(words, TURN, 1);
    arrived();
  }
}

function rawSecond(turns) {
  for (let turn = 0; turn < turns; turn++) {
    while (Atomics.load(words, TURN) === 0) Atomics.wait(words, TURN, 0);
    arrived();
    leaving();
    Atomics.store(words, TURN, 0);
    Atomics.notify(words, TURN, 1);
  }
}

function mutexFirst(turns, [older, newer]) {
  for (let turn = 0, next = 1; turn < turns; turn++, next = (next + 2) % 3) {
    leaving();
    older.release();
    older = newer;
    newer = mutexes[next].acquireSync();
    arrived();
  }
  older.release();
  newer.release();
}

function mutexSecond(turns, [held]) {
  for (let turn = 0, next = 0; turn < turns; turn++, next = (next + 2) % 3) {
    const got = mutexes[next].acquireSync();
    arrived();
    leaving();
    held.release();
    held = got;
  }
  held.release();
}

/** Both threads go on when both have come. */
function meet() {
  const arrived = Atomics.add(words, GATE, 1) + 1;
  Atomics.notify(words, GATE);
  const both = arrived + (arrived % 2);
  for (let seen = arrived; seen < both; seen = Atomics.load(words, GATE)) Atomics.wait(words, GATE, seen);
}

parentPort.on('message', ({ kind, turns }) => {
  const holds =
    kind === 'raw' ? [] : (side === 0 ? [0, 2] : [1]).map((index) => mutexes[index].acquireSync());
  meet();
  taken = 0;
  if (kind === 'raw') (side === 0 ? rawFirst : rawSecond)(turns);
  else (side === 0 ? mutexFirst : mutexSecond)(turns, holds);
  parentPort.postMessage(taken / 1e6);
});
