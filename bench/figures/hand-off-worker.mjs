/**
 * One of two threads that wake each other in turn.
 *
 * raw: one says 1 and sleeps until it is 0; the other says 0 and sleeps until it is 1.
 *
 * mutex: three of them in rotation, so that every acquire has to wait for the other thread's release. The first
 * thread holds 0 and 2 and the second 1. The first releases 0 and wants 1; the second, which slept on 0, now
 * has it, releases 1 and wants 2; the first releases 2 and wants 0; and so on.
 */
import { parentPort, workerData } from 'node:worker_threads';
import { Mutex } from 'mortise';

const { side, memory, handles } = workerData;
const words = new Int32Array(memory);
const TURN = 0;
const GATE = 32;
const mutexes = handles.map((handle) => Mutex.from(handle));

function rawFirst(turns) {
  for (let turn = 0; turn < turns; turn++) {
    Atomics.store(words, TURN, 1);
    Atomics.notify(words, TURN, 1);
    while (Atomics.load(words, TURN) === 1) Atomics.wait(words, TURN, 1);
  }
}

function rawSecond(turns) {
  for (let turn = 0; turn < turns; turn++) {
    while (Atomics.load(words, TURN) === 0) Atomics.wait(words, TURN, 0);
    Atomics.store(words, TURN, 0);
    Atomics.notify(words, TURN, 1);
  }
}

function mutexFirst(turns, [older, newer]) {
  for (let turn = 0, next = 1; turn < turns; turn++, next = (next + 2) % 3) {
    older.release();
    older = newer;
    newer = mutexes[next].acquireSync();
  }
  older.release();
  newer.release();
}

function mutexSecond(turns, [held]) {
  for (let turn = 0, next = 0; turn < turns; turn++, next = (next + 2) % 3) {
    const got = mutexes[next].acquireSync();
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
  const start = performance.now();
  if (kind === 'raw') (side === 0 ? rawFirst : rawSecond)(turns);
  else (side === 0 ? mutexFirst : mutexSecond)(turns, holds);
  parentPort.postMessage(performance.now() - start);
});
