/** What the threads of situations do in which somebody dies while it counts what the dead have held. */
import { isRefusal, release, ring, until } from './programs.mjs';

/** Tries after so many milliseconds, is paused before it counts what the dead have held, and dies as it begins. */
export async function dieTrying(api, from, delay, options) {
  until(api, from);
  ring(api);
  Atomics.wait(api.scratch, 0, 0, delay);
  api.meet('or', 'pause and die');
  api.lock.tryAcquireSync(options);
}

/** Asks in its event loop, gives up, and takes all there are. */
export async function giveUpAndTakeAll(api, from, options) {
  const { lock } = api;
  until(api, from);
  let isRefused = false;
  try {
    const guard = await lock.acquire(options);
    release(guard);
  } catch (error) {
    isRefused = isRefusal(error);
  }
  if (!isRefused) throw new Error('it did not give up');
  const { weight } = options;
  const all = lock.acquireSync({ weight });
  const more = lock.tryAcquireSync({ weight });
  if (more !== null) throw new Error('there are more permits than there were');
  release(all);
}

/** Takes it late in the slice of those who wait, and is paused between its CAS and the note of it. */
export async function takeSlowly(api, from, delay, to) {
  until(api, from);
  Atomics.wait(api.scratch, 0, 0, delay);
  api.meet('compareExchange', 'pause after');
  const guard = api.lock.acquireSync();
  until(api, to);
  release(guard);
}

/** Tries after so many milliseconds, and must not get it. */
export async function tryLate(api, from, delay, { side, ...options } = {}) {
  until(api, from);
  Atomics.wait(api.scratch, 0, 0, delay);
  const guard = (side === undefined ? api.lock : api.lock[side]).tryAcquireSync(options);
  if (guard !== null) throw new Error(`thread ${api.index} has it, and should not`);
  ring(api);
}

/** Tries twice after so many milliseconds; there is enough for one of it. */
export async function tryTwice(api, from, delay, options) {
  until(api, from);
  Atomics.wait(api.scratch, 0, 0, delay);
  const one = api.lock.tryAcquireSync(options);
  const other = api.lock.tryAcquireSync(options);
  if (one !== null && other !== null) throw new Error('there are more permits than there were');
  if (one !== null) release(one);
  if (other !== null) release(other);
}

/** Waits for it, is paused after an operation on the lock's word while it buries the dead, and stays inside a while. */
export async function takePaused(api, from, kind, { side, ...options } = {}) {
  until(api, from);
  api.meet(kind, 'pause after', 0, api.wordAt);
  const guard = (side === undefined ? api.lock : api.lock[side]).acquireSync(options);
  Atomics.wait(api.scratch, 0, 0, 5);
  release(guard);
}

/** Tries after so many milliseconds, and is paused when it begins to count what the dead have held. */
export async function tryPaused(api, from, delay, options) {
  until(api, from);
  Atomics.wait(api.scratch, 0, 0, delay);
  api.meet('or', 'pause after', 0, api.wordAt);
  const guard = api.lock.tryAcquireSync(options);
  if (guard !== null) release(guard);
}

/** Waits for it, finds somebody dead, and dies when it has begun to bury that, or has done so. */
export async function dieBurying(api, from, dead, hasEnded = false) {
  until(api, from);
  api.meet('store', 'die after', hasEnded ? 1 : 0, api.stateAt(dead));
  api.lock.acquireSync();
}

/** Frees it, and dies before it wakes who waits. */
export async function dieReleasing(api, waiter, { side, skips }) {
  const guard = (side === undefined ? api.lock : api.lock[side]).acquireSync();
  ring(api);
  while (!api.waits(waiter)) Atomics.wait(api.scratch, 0, 0, 1);
  api.meet('compareExchange', 'die after', skips, api.wordAt);
  guard.release();
}

/** Holds both locks until the `to`th ring. */
export async function holdBoth(api, to) {
  const one = api.lock.acquireSync();
  const other = api.second.acquireSync();
  ring(api);
  until(api, to);
  release(other);
  release(one);
}

/** Asks for one lock in its event loop, and dies when it blocks for the other. */
export async function askAndDie(api, from) {
  until(api, from);
  const asked = api.lock.acquire();
  api.meet('wait', 'die before');
  api.second.acquireSync();
  await asked;
}

/** Tries again and again once that thread queues. */
export async function tryBesides(api, queued, times) {
  for (let i = 0; i < 3 && !api.waits(queued); i++) Atomics.wait(api.scratch, 0, 0, 1);
  for (let i = 0; i < times; i++) {
    const guard = api.lock.tryAcquireSync();
    if (guard !== null) release(guard);
  }
}
