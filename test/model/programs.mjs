/**
 * What the threads of a model do, written as a user of the library would. It is transformed like the library
 * itself, so a step inside it is an operation too. `api` has this thread's `lock`, its `index`, the `claims`, which
 * throw when they do not hold, and what else a subject gives it.
 */

/** How a lock is acquired: blocking, async, or only tried. */
const ways = {
  sync: (lock, options) => lock.acquireSync(options),
  async: (lock, options) => lock.acquire(options),
  try: (lock, options) => lock.tryAcquireSync(options),
  'try async': (lock, options) => lock.tryAcquire(options),
};

/** A timeout and an abort give no guard. */
function isRefusal({ code }) {
  return code === 'ERR_LOCK_TIMEOUT' || code === 'ABORTED';
}

/** A step that touches nothing of the library's: others may come in between. */
function pause({ scratch }) {
  Atomics.load(scratch, 0);
}

function release(guard) {
  if (!guard.release()) throw new Error('release() of a held guard returned false');
  if (guard.release()) throw new Error('release() of a released guard returned true');
}

export async function useMutex(api, how, rounds, options) {
  const { lock, claims, index } = api;
  for (let round = 0; round < rounds; round++) {
    let guard = null;
    try {
      const taken = ways[how](lock, options);
      guard = how.endsWith('async') ? await taken : taken;
    } catch (error) {
      if (!isRefusal(error)) throw error;
    }
    if (guard === null) continue;
    claims.enterAlone(index, guard);
    pause(api);
    claims.leaveAlone(index);
    release(guard);
  }
}

/** Enters again inside, and releases in either order. */
export async function useReentrantMutex(api, how, rounds) {
  const { lock, claims, index } = api;
  for (let round = 0; round < rounds; round++) {
    if (how === 'sync') {
      const outer = lock.acquireSync();
      claims.enterAlone(index, outer);
      const inner = lock.acquireSync();
      pause(api);
      release(round % 2 === 0 ? inner : outer);
      pause(api);
      claims.leaveAlone(index);
      release(round % 2 === 0 ? outer : inner);
    } else
      await lock.withLock(async (outer) => {
        claims.enterAlone(index, outer);
        const inner = await lock.acquire();
        pause(api);
        release(inner);
        pause(api);
        claims.leaveAlone(index);
      });
  }
}

export async function useSemaphore(api, how, rounds, options) {
  const { lock, claims, index } = api;
  for (let round = 0; round < rounds; round++) {
    let guard = null;
    try {
      const taken = ways[how](lock, options);
      guard = how.endsWith('async') ? await taken : taken;
    } catch (error) {
      if (!isRefusal(error)) throw error;
    }
    if (guard === null) continue;
    claims.take(index, options.weight);
    pause(api);
    claims.giveBack(index, options.weight);
    release(guard);
  }
}

/** `read`, `write`, or `downgrade`: writes and goes on as a reader. */
export async function useReadWriteLock(api, what, how, rounds, options) {
  const { lock, claims, index } = api;
  for (let round = 0; round < rounds; round++) {
    let guard = null;
    try {
      const taken = ways[how](what === 'read' ? lock.reader : lock.writer, options);
      guard = how.endsWith('async') ? await taken : taken;
    } catch (error) {
      if (!isRefusal(error)) throw error;
    }
    if (guard === null) continue;
    if (what !== 'read') {
      claims.enterAsWriter(index, guard);
      pause(api);
      claims.leaveAlone(index);
      if (what === 'downgrade') guard = guard.downgrade();
    }
    if (what !== 'write') {
      claims.enterAsReader(index, guard);
      pause(api);
      claims.leaveAsReader(index);
    }
    release(guard);
  }
}

/** Takes one lock inside another: always the first one first. */
export async function useTwoLocks(api, how) {
  const { lock, second, claims, index } = api;
  const isAsync = how.endsWith('async');
  const outerTaken = ways[how](lock);
  const outer = isAsync ? await outerTaken : outerTaken;
  claims.enterAlone(index, outer);
  const innerTaken = ways[how](second);
  const inner = isAsync ? await innerTaken : innerTaken;
  claims.enterSecond(index, inner);
  pause(api);
  claims.leaveSecond(index);
  release(inner);
  claims.leaveAlone(index);
  release(outer);
}

/** Takes the second lock only. */
export async function useSecondLock(api, how) {
  const { second, claims, index } = api;
  const taken = ways[how](second);
  const guard = how.endsWith('async') ? await taken : taken;
  claims.enterSecond(index, guard);
  pause(api);
  claims.leaveSecond(index);
  release(guard);
}

/** The latch behind the locks, by itself. */
export async function useLatch(api, rounds) {
  const { claims, index, scratch, latch } = api;
  for (let round = 0; round < rounds; round++) {
    latch.acquire();
    claims.enterLatch(index);
    pause(api);
    claims.leaveLatch(index);
    latch.release();
  }
  if (scratch.length === 0) throw new Error('no memory');
}

/** Attaches, makes or finds a lock by name, uses it, and disposes of it. */
export async function useName(api, name, disposes, rounds) {
  const { claims, index, attach, open } = api;
  const attachment = attach();
  for (let round = 0; round < rounds; round++) {
    const lock = open(attachment, name);
    const guard = lock.acquireSync();
    claims.enterNamed(index, name, lock, guard);
    pause(api);
    claims.leaveNamed(index, name);
    release(guard);
    if (!disposes) continue;
    try {
      lock.dispose();
    } catch (error) {
      if (error.code !== 'ERR_LOCK_BUSY') throw error;
    }
  }
}
