/** What the threads of situations do that attach while others die, see `arranged-attaching.mjs`. */
import { pause, release, ring, until } from './programs.mjs';

/** Takes the lock of that name, and dies, after the `to`th ring. */
export async function attachAndDie(api, name, { from = 0, to = 0 } = {}) {
  const { attach, open, claims, index } = api;
  until(api, from);
  const attachment = attach();
  const lock = open(attachment, name);
  const guard = lock.acquireSync();
  claims.enterNamed(index, name, lock, guard);
  if (to === 0) {
    // The bell rings when it is dead, not before.
    api.meet('load', 'die before');
    pause(api);
  }
  ring(api);
  until(api, to);
  api.die();
  pause(api);
}

/** Takes the lock of that name, and stays for so many milliseconds. Paused once it has asked who is dead, or not. */
export async function attachAndStay(api, from, name, { pauses = false, stay = 1 } = {}) {
  const { attach, open, claims, index, scratch } = api;
  until(api, from);
  const attachment = attach();
  const lock = open(attachment, name);
  ring(api);
  if (pauses) api.meet('look', 'pause after');
  const guard = lock.acquireSync();
  claims.enterNamed(index, name, lock, guard);
  Atomics.wait(scratch, 0, 0, stay);
  claims.leaveNamed(index, name);
  release(guard);
  if (attachment.isDead(attachment.id)) throw new Error(`thread ${index} lives, and was buried`);
  ring(api);
}

/** Dies at once. */
export async function dieAtOnce(api) {
  // The bell rings when it is dead, not before.
  api.meet('load', 'die before');
  pause(api);
}

/** Is told that a thread has died, and buries it; or dies when it counts what was lost. */
export async function attachAndBury(api, from, worker, { delay, dies = false } = {}) {
  const { attach, scratch } = api;
  until(api, from);
  const attachment = attach();
  ring(api);
  if (delay !== undefined) Atomics.wait(scratch, 0, 0, delay);
  if (dies) api.meet('add', 'die after');
  attachment.reapDead(worker);
  ring(api);
}

/** Attaches, and is there until the `to`th ring. */
export async function attachUntil(api, from, to) {
  until(api, from);
  api.attach();
  ring(api);
  until(api, to);
}

/** Dies when it has stored that word for the first time; the bell rings. */
export async function dieAttaching(api, at) {
  api.meet('store', 'die after', 0, at);
  api.attach();
}

/** Is paused while it attaches. */
export async function attachSlowly(api, from) {
  until(api, from);
  api.meet('store', 'pause after');
  api.attach();
}

/** Attaches when the bell has rung. */
export async function attachLate(api, from) {
  until(api, from);
  const attachment = api.attach();
  if (attachment.id === 0) throw new Error(`thread ${api.index} has no id`);
}
