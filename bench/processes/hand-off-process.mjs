/**
 * One of the two processes. Three locks go round, and each process takes the next one while it still holds one, so
 * that every acquire has to wait for the other process's release:
 *
 *     first   holds 0      waits for 1, releases 0, waits for 2, releases 1, …
 *     second  holds 1, 2   releases 1, waits for 0, releases 2, waits for 1, …
 *
 * Before each release it holds on for a while, so that the other one sleeps.
 */
import { serve } from './child.mjs';
import { kinds } from './kinds.mjs';

const isFirst = process.argv[2] === '0';
const nothing = new Int32Array(new SharedArrayBuffer(4));
let locks;
let held;

serve(async ({ prepare, path, turns, hold }) => {
  if (prepare !== undefined) {
    locks = kinds[prepare](path, isFirst);
    held = [];
    for (const index of isFirst ? [0] : [1, 2]) held.push(await locks.acquire(index));
    return;
  }
  const released = [];
  const acquired = [];
  let next = isFirst ? 1 : 0;
  const wait = async () => {
    const release = await locks.acquire(next);
    acquired.push(now());
    held.push(release);
    next = (next + 1) % 3;
  };
  const letGo = async () => {
    if (hold === 'spin') spin(0.1);
    else if (locks.isBlocking) Atomics.wait(nothing, 0, 0, 2 + 10 * Math.random());
    else await new Promise((resolve) => setTimeout(resolve, 2 + 10 * Math.random()));
    released.push(now());
    await held.shift()();
  };
  for (let turn = 0; turn < turns; turn++) {
    if (isFirst) await wait();
    await letGo();
    if (!isFirst) await wait();
  }
  for (const release of held) await release();
  locks.close?.();
  return { released, acquired };
});

/** Of the monotonic clock, which all processes share. */
function now() {
  return Number(process.hrtime.bigint()) / 1e6;
}

function spin(milliseconds) {
  const end = now() + milliseconds;
  while (now() < end);
}
