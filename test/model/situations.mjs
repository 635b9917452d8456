/** What the threads of arranged situations do, see `arranged.mjs`; otherwise as `programs.mjs`. */
import { isRefusal, pause, release, ring, until, ways } from './programs.mjs';

/** Looks every millisecond. */
function untilQueued(api, thread) {
  while (!api.waits(thread)) Atomics.wait(api.scratch, 0, 0, 1);
}

/** Does it give up? It does not keep what it gets. */
function isRefused(lock, timeout) {
  try {
    lock.acquireSync({ timeout });
  } catch (error) {
    return isRefusal(error);
  }
  return false;
}

/** A `side` of a read-write lock, or the lock. */
const sideOf = (lock, side) => (side === undefined ? lock : lock[side]);

/** Those who read or write are counted as inside. */
function enter({ claims, index }, side, guard) {
  if (side === 'writer') claims.enterAsWriter(index, guard);
  if (side === 'reader') claims.enterAsReader(index, guard);
}

function leave({ claims, index }, side, guard) {
  if (side === 'writer') claims.leaveAlone(index);
  if (side === 'reader') claims.leaveAsReader(index);
  release(guard);
}

/** Holds the lock from the `from`th ring until the `to`th, and rings when it has it. */
export async function holdBetween(api, from, to, { second = false, side, rings = false, ...options } = {}) {
  until(api, from);
  const guard = sideOf(second ? api.second : api.lock, side).acquireSync(options);
  enter(api, side, guard);
  ring(api);
  until(api, to);
  leave(api, side, guard);
  if (rings) ring(api);
}

/** Asks for one lock in its event loop, and blocks in another. */
export async function askAndBlock(api, from) {
  until(api, from);
  const asked = api.lock.acquire();
  ring(api);
  const other = api.second.acquireSync();
  release(other);
  const guard = await asked;
  release(guard);
}

/** Asks in its event loop, and does something else until the `to`th ring. */
export async function askAndBeBusy(api, from, to) {
  until(api, from);
  const asked = api.lock.acquire();
  ring(api);
  until(api, to);
  const guard = await asked;
  release(guard);
}

/** Takes it once, within so many milliseconds, and rings. */
export async function takeSoon(
  api,
  from,
  { how = 'sync', side, queued, limit = 0, slowness = 0, endsStarving = false, ...options } = {},
) {
  until(api, from);
  if (queued !== undefined) untilQueued(api, queued);
  api.beSlow(slowness);
  const start = api.clock();
  const taken = ways[how](sideOf(api.lock, side), options);
  const guard = how.endsWith('async') ? await taken : taken;
  const waited = api.clock() - start;
  if (waited > limit) throw new Error(`it had to wait for ${waited} ms, not ${limit}`);
  if (endsStarving && api.isStarving()) throw new Error('nobody starves any more, and nobody may barge');
  ring(api);
  release(guard);
}

/** Takes it, and dies. */
export async function takeAndDie(api, { side, from = 0, second = false, after, ...options } = {}) {
  until(api, from);
  const guard = sideOf(second ? api.second : api.lock, side).acquireSync(options);
  ring(api);
  if (after !== undefined) Atomics.wait(api.scratch, 0, 0, after);
  api.die();
  pause(api);
  release(guard);
}

/** Tries until it has it, which must be within so many milliseconds. */
export async function trySoon(api, from, how, { side, limit, abandoned = false, delay, ...options }) {
  const { clock, scratch } = api;
  until(api, from);
  if (delay !== undefined) Atomics.wait(scratch, 0, 0, delay);
  const start = clock();
  for (;;) {
    let guard = null;
    try {
      const taken = ways[how](sideOf(api.lock, side), options);
      guard = how.endsWith('async') ? await taken : taken;
    } catch (error) {
      if (!isRefusal(error)) throw error;
    }
    if (clock() - start > limit) throw new Error(`it has tried for ${clock() - start} ms`);
    if (guard !== null) {
      if (guard.abandoned !== abandoned) throw new Error(`abandoned is ${guard.abandoned}`);
      release(guard);
      return;
    }
    Atomics.wait(scratch, 0, 0, 5);
  }
}

/** Has to give up after its timeout: not earlier, and not later. */
export async function giveUp(api, from, how, { side, ...options }) {
  const { clock, index } = api;
  until(api, from);
  const start = clock();
  let code;
  try {
    const taken = ways[how](sideOf(api.lock, side), options);
    if (how.endsWith('async')) await taken;
  } catch (error) {
    code = error.code;
  }
  const waited = clock() - start;
  if (code !== 'ERR_LOCK_TIMEOUT') throw new Error(`thread ${index} did not give up: ${code}`);
  if (waited !== options.timeout) throw new Error(`thread ${index} gave up after ${waited} ms`);
  ring(api);
}

/** Its signal is aborted: it gives up within so many milliseconds. */
export async function giveUpAborted(api, from, { side, limit, ...options }) {
  const { clock, index, signal } = api;
  until(api, from);
  const start = clock();
  let code;
  try {
    await sideOf(api.lock, side).acquire({ ...options, signal });
  } catch (error) {
    code = error.code;
  }
  if (code !== 'ABORTED') throw new Error(`thread ${index} was not aborted: ${code}`);
  if (clock() - start > limit) throw new Error(`thread ${index} gave up after ${clock() - start} ms`);
  ring(api);
}

/** Aborts that thread's signal when it stands in the queue. */
export async function abortQueued(api, thread) {
  untilQueued(api, thread);
  api.abort(thread);
}

/** Requests of one event loop have their turns in the order in which they were made. */
export async function takeInOrder(api, from, count) {
  until(api, from);
  const taken = [];
  const all = [];
  for (let i = 0; i < count; i++) all.push(takeNumber(api, i, taken));
  ring(api);
  for (let i = 0; i < count; i++) await all[i];
  if (taken.join() !== [...taken.keys()].join()) throw new Error(`requests were served as ${taken.join()}`);
}

async function takeNumber({ lock }, number, taken) {
  const guard = await lock.acquire();
  taken.push(number);
  release(guard);
}

/**
 * As `takeSoon`, and stays inside until the `to`th ring. `queued`: asks after that thread stands in the queue; `lingers`:
 * so many milliseconds more, and is paused on its way out when it gives a latch back.
 */
export async function stayUntil(
  api,
  from,
  to,
  { how = 'sync', side, queued, delay, again, ringsAt, lingers, ...options } = {},
) {
  until(api, from);
  if (queued !== undefined) untilQueued(api, queued);
  if (delay !== undefined) Atomics.wait(api.scratch, 0, 0, delay);
  const lock = sideOf(api.lock, side);
  const taken = ways[how](lock, options);
  const guard = how.endsWith('async') ? await taken : taken;
  enter(api, side, guard);
  ring(api);
  if (ringsAt !== undefined) await ringAt(api, ringsAt);
  until(api, to);
  if (again !== undefined) {
    untilQueued(api, again);
    const second = lock.acquireSync();
    release(second);
  }
  if (lingers !== undefined) {
    Atomics.wait(api.scratch, 0, 0, lingers);
    api.meet('exchange', 'pause after');
  }
  leave(api, side, guard);
}

/** Writes, and becomes a reader once that thread queues; a reader who waits comes in as well. */
export async function downgradeUntil(api, queued, to) {
  const write = api.lock.writer.acquireSync();
  enter(api, 'writer', write);
  ring(api);
  untilQueued(api, queued);
  api.claims.leaveAlone(api.index);
  const read = write.downgrade();
  until(api, to);
  release(read);
}

/** As `downgradeUntil`, and is paused when it has just become a reader. */
export async function downgradeSlowly(api, queued) {
  const write = api.lock.writer.acquireSync();
  ring(api);
  untilQueued(api, queued);
  api.meet('compareExchange', 'pause after');
  const read = write.downgrade();
  release(read);
}

/** Asks after that thread stands in the queue, and notes when it has it. */
export async function takeAfter(api, from, queued, order, { how = 'sync', side, delay, ...options } = {}) {
  until(api, from);
  if (queued !== undefined) untilQueued(api, queued);
  if (delay !== undefined) Atomics.wait(api.scratch, 0, 0, delay);
  const taken = ways[how](sideOf(api.lock, side), options);
  const guard = how.endsWith('async') ? await taken : taken;
  takeTurn(api.claims, api.index, order);
  release(guard);
}

function takeTurn({ turns }, index, order) {
  turns.push(index);
  if (turns.length !== order) throw new Error(`thread ${index} came as number ${turns.length}, not ${order}`);
}

/** Barges again and again while another one waits, and time passes. It must not pass it often. */
export async function barge(api, rounds, waiter, most, elapses) {
  const { lock, waits, elapse, scratch, wakes } = api;
  let passed = 0;
  if (elapses) {
    const first = lock.acquireSync();
    ring(api);
    untilQueued(api, waiter);
    release(first);
  }
  for (let round = 0; round < rounds; round++) {
    const guard = lock.acquireSync();
    if (waits(waiter)) passed++;
    if (elapses) checkWakes(waiter, wakes(waiter));
    if (passed > most) throw new Error(`thread ${waiter} was passed ${passed} times`);
    if (elapses) elapse(0.5);
    else Atomics.wait(scratch, 0, 0, 1);
    release(guard);
  }
}

/** One wake-up for each time that it slept, and one more when it has been passed too long. */
function checkWakes(waiter, { unparks, sleeps }) {
  if (unparks > Math.max(1, sleeps) + 1) throw new Error(`thread ${waiter} was woken again and again`);
}

/** Rings when all of these stand in the queue. */
export async function ringAfter(api, threads) {
  for (const thread of threads) untilQueued(api, thread);
  ring(api);
}

/** Asks twice in its event loop, and gives the first one up: the second has its place, and comes within so many milliseconds. */
export async function giveUpFirst(api, from, timeout, limit) {
  const { lock, clock } = api;
  until(api, from);
  const first = lock.acquire({ timeout });
  const second = lock.acquire();
  let hasGivenUp = false;
  try {
    await first;
  } catch (error) {
    hasGivenUp = isRefusal(error);
  }
  if (!hasGivenUp) throw new Error('it did not give up');
  ring(api);
  const start = clock();
  const guard = await second;
  if (clock() - start > limit) throw new Error(`it had to wait for ${clock() - start} ms`);
  release(guard);
}

/** Asks in its event loop, and then blocking, which it gives up: the first request keeps its place. */
export async function askAndGiveUp(api, from, order, timeout) {
  const { lock, claims } = api;
  until(api, from);
  const asked = lock.acquire();
  ring(api);
  untilQueued(api, api.index + 1);
  if (!isRefused(lock, timeout)) throw new Error('it did not give up');
  ring(api);
  const guard = await asked;
  takeTurn(claims, api.index, order);
  release(guard);
}

/** Must not get it: others wait for what is free. */
export async function tryInVain(api, queued, how, options) {
  const { lock } = api;
  untilQueued(api, queued);
  const taken = ways[how](lock, options);
  const guard = how.endsWith('async') ? await taken : taken;
  if (guard !== null) throw new Error(`thread ${api.index} has passed thread ${queued}`);
  ring(api);
}

/** Rings after so many milliseconds. */
export async function ringAt(api, time) {
  Atomics.wait(api.scratch, 0, 0, time);
  ring(api);
}

/** Dies around the CAS that takes the lock, in doubt whether it has it; then the bell rings. */
export async function dieTaking(api, from, what, { side, ...options } = {}) {
  until(api, from);
  api.meet('compareExchange', what);
  sideOf(api.lock, side).acquireSync(options);
}

/** Releases late in the slice of the thread that queues, and is paused between its CAS and the note of it. */
export async function releaseSlowly(api, from, queued, { side, delay = 18, pauses = true, ...options } = {}) {
  until(api, from);
  const guard = sideOf(api.lock, side).acquireSync(options);
  ring(api);
  untilQueued(api, queued);
  Atomics.wait(api.scratch, 0, 0, delay);
  if (pauses) api.meet('compareExchange', 'pause after');
  release(guard);
}

/** Takes it within so many milliseconds, and is told of a death, or not. */
export async function takeTold(api, from, abandoned, limit, { side, ...options } = {}) {
  const { clock } = api;
  until(api, from);
  const start = clock();
  const guard = sideOf(api.lock, side).acquireSync(options);
  if (clock() - start > limit) throw new Error(`it had to wait for ${clock() - start} ms, not ${limit}`);
  if (guard.abandoned !== abandoned) throw new Error(`abandoned is ${guard.abandoned}`);
  enter(api, side, guard);
  ring(api);
  leave(api, side, guard);
}

/** Asks for two locks in its event loop; the first comes at once, the holder of the second is dead. */
export async function askForBoth(api, from, limit) {
  until(api, from);
  const start = api.clock();
  const first = api.lock.acquire();
  const second = api.second.acquire();
  ring(api);
  const one = await first;
  release(one);
  const other = await second;
  if (api.clock() - start > limit) throw new Error(`it had to wait for ${api.clock() - start} ms`);
  release(other);
}

/** Asks again after the lock was released, when its first request waits still. */
export async function askAgain(api, from, to) {
  until(api, from);
  const taken = [];
  const first = takeNumber(api, 0, taken);
  ring(api);
  until(api, to);
  const second = takeNumber(api, 1, taken);
  await first;
  await second;
  if (taken.join() !== '0,1') throw new Error(`requests were served as ${taken.join()}`);
}

/** Barges while no time passes: nobody is starving. */
export async function bargeAtOnce(api, rounds) {
  const { lock, isStarving, clock } = api;
  const start = clock();
  for (let round = 0; round < rounds; round++) {
    const guard = lock.acquireSync();
    for (let i = 0; i < 4; i++) {
      pause(api);
      if (isStarving() && clock() === start) throw new Error('somebody starves after no time');
    }
    release(guard);
  }
}

/** Is not kept from passing the one who waits, which has not waited for long; `passes`: it does pass it. */
export async function bargePast(api, waiter, passes = true) {
  const { lock, scratch, isStarving } = api;
  const guard = lock.acquireSync();
  ring(api);
  untilQueued(api, waiter);
  if (isStarving()) throw new Error(`thread ${waiter} starves at once`);
  Atomics.wait(scratch, 0, 0, 1);
  release(guard);
  if (!passes) return;
  const again = lock.tryAcquireSync();
  if (again === null) throw new Error(`nobody may pass thread ${waiter}`);
  release(again);
}

/** Is told that it would wait for itself. */
export async function askInVain({ lock }, side, options) {
  const face = sideOf(lock, side);
  const guard = face.acquireSync(options);
  let code;
  try {
    face.acquireSync(options);
  } catch (error) {
    code = error.code;
  }
  if (code !== 'ERR_LOCK_DEADLOCK') throw new Error(`it was not told: ${code}`);
  release(guard);
}

/** Reads, and must not read once more: there is no room. */
export async function rereadInVain(api, waiter) {
  const { lock } = api;
  const guard = lock.reader.acquireSync();
  ring(api);
  untilQueued(api, waiter);
  if (!isRefused(lock.reader, 5)) throw new Error('there was no room');
  release(guard);
}

/** Takes it, and dies while it counts what the dead have held. */
export async function dieCounting(api, from, { side, what = 'die after', ...options } = {}) {
  until(api, from);
  api.meet('or', what);
  sideOf(api.lock, side).acquireSync(options);
}

/** Dies when it is about to sleep in the queue. */
export async function dieWaiting(api, from, { side, ...options } = {}) {
  until(api, from);
  api.meet('wait', 'die before');
  sideOf(api.lock, side).acquireSync(options);
}

/** Asks for the second lock in its event loop, blocks for the first one, and waits on. */
export async function blockAndAwait(api, from) {
  until(api, from);
  const asked = api.second.acquire();
  ring(api);
  const other = api.lock.acquireSync();
  release(other);
  ring(api);
  const guard = await asked;
  release(guard);
}

/** Wakes somebody who waits, for nothing, and goes out later. */
export async function wakeForNothing(api, waiter, { side, ...options } = {}) {
  const guard = sideOf(api.lock, side).acquireSync(options);
  enter(api, side, guard);
  ring(api);
  untilQueued(api, waiter);
  Atomics.wait(api.scratch, 0, 0, 1);
  api.wake(waiter);
  Atomics.wait(api.scratch, 0, 0, 1);
  leave(api, side, guard);
}

/** Gives up, and is paused before it tells who is first in the queue now. */
export async function giveUpSlowly(api, from, timeout, pauses) {
  until(api, from);
  // First it notes itself.
  if (pauses) api.meet('store', 'pause before', 1, api.firstAt);
  let isRefused = false;
  try {
    api.lock.acquireSync({ timeout });
  } catch (error) {
    isRefused = isRefusal(error);
  }
  if (!isRefused) throw new Error('it did not give up');
}

/** Barges while time passes, without sleeping itself. */
export async function bargeBusily(api, from, rounds) {
  const { lock, elapse } = api;
  until(api, from);
  for (let round = 0; round < rounds; round++) {
    const guard = lock.acquireSync();
    elapse(1);
    pause(api);
    pause(api);
    release(guard);
  }
}

/** Its stack is full when it has released, and is about to take the latch to wake who waits: a microtask does it. */
export async function releaseOnFullStack(api, queued, { side, ...options } = {}) {
  const guard = sideOf(api.lock, side).acquireSync(options);
  enter(api, side, guard);
  ring(api);
  untilQueued(api, queued);
  let isFull = false;
  api.meet('compareExchange', 'overflow', 0, api.latchAt);
  try {
    leave(api, side, guard);
  } catch (error) {
    isFull = error instanceof RangeError;
  }
  if (!isFull || guard.held) throw new Error('it did not release on a full stack');
}

/** Its stack is full when it has just got it: then it has nothing, though it blocks until others have had it. */
export async function failAndBlock(api, from, to) {
  until(api, from);
  let isFull = false;
  try {
    api.lock.acquireSync();
  } catch (error) {
    isFull = error instanceof RangeError;
  }
  if (!isFull) throw new Error('it did not fail on a full stack');
  ring(api);
  until(api, to);
}

/** Releases to one whose stack is full when it has got it and settles, and needs it again when that has failed. */
export async function releaseAndFail(api, queued, to) {
  const { lock, meet, wordAt } = api;
  const guard = lock.acquireSync();
  ring(api);
  untilQueued(api, queued);
  meet('load', 'overflow', 2, wordAt, queued);
  release(guard);
  until(api, to);
  const again = lock.acquireSync();
  release(again);
  ring(api);
}

/** Holds it until these stand in the queue. */
export async function holdUntilQueued(api, threads, { side, ...options } = {}) {
  const guard = sideOf(api.lock, side).acquireSync(options);
  enter(api, side, guard);
  ring(api);
  for (const thread of threads) untilQueued(api, thread);
  leave(api, side, guard);
}
