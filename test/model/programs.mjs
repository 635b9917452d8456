/**
 * What the threads of a model do, written as a user of the library would. It is transformed like the library
 * itself, so a step inside it is an operation too. `api` has this thread's `lock`, its `index`, the `claims`, which
 * throw when they do not hold, and what else a subject gives it. Each program acquires in its own body: through an
 * async function, a blocking one would stop at an `await` more.
 */

/** How a lock is acquired: blocking, async, or only tried. */
export const ways = {
  sync: (lock, options) => lock.acquireSync(options),
  async: (lock, options) => lock.acquire(options),
  try: (lock, options) => lock.tryAcquireSync(options),
  'try async': (lock, options) => lock.tryAcquire(options),
};

/** A timeout and an abort give no guard. */
export function isRefusal({ code }) {
  return code === 'ERR_LOCK_TIMEOUT' || code === 'ABORTED';
}

/** Words of `scratch`. */
const NOTHING = 0;
const APPEARED = 1;

/** A step that touches nothing of the library's: others may come in between. A slow thread sleeps meanwhile. */
export function pause({ scratch, nap }) {
  if (nap === 0) Atomics.load(scratch, NOTHING);
  else Atomics.wait(scratch, NOTHING, 0, nap);
}

export function release(guard) {
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
export async function useReentrantMutex(api, how, rounds, options) {
  const { lock, claims, index } = api;
  const body = async (outer) => {
    claims.enterAlone(index, outer);
    const inner = await lock.acquire();
    pause(api);
    release(inner);
    pause(api);
    claims.leaveAlone(index);
  };
  for (let round = 0; round < rounds; round++) {
    let outer = null;
    try {
      if (how === 'async') await lock.withLock(body, options);
      else outer = ways[how](lock, options);
    } catch (error) {
      if (!isRefusal(error)) throw error;
    }
    if (outer === null) continue;
    claims.enterAlone(index, outer);
    const inner = lock.acquireSync();
    pause(api);
    release(round % 2 === 0 ? inner : outer);
    pause(api);
    claims.leaveAlone(index);
    release(round % 2 === 0 ? outer : inner);
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

/** Which claims hold while it is held. */
const held = {
  mutex: ['enterAlone', 'leaveAlone'],
  semaphore: ['take', 'giveBack'],
  reader: ['enterAsReader', 'leaveAsReader'],
  writer: ['enterAsWriter', 'leaveAlone'],
  downgrade: ['enterAsWriter', 'leaveAlone'],
};

/**
 * Calls the library from so deep that its stack can be full: then it has the lock, or has left nothing behind. `again`:
 * tries once more while it holds it; `waits`: after a failure, blocks until one that `rings` is through; `downgrade`: writes,
 * and goes on as a reader.
 */
export async function useOnFullStack(api, role, how, rounds, options) {
  const { lock, claims, index, deep } = api;
  const [what, manner] = role.split(' ');
  const [enter, leave] = held[what];
  const face = what === 'downgrade' ? lock.writer : (lock[what] ?? lock);
  const given = what === 'semaphore' ? options.weight : undefined;
  for (let round = 0; round < rounds; round++) {
    let guard = null;
    deep(true);
    try {
      const taken = ways[how](face, options);
      deep(false);
      guard = how.endsWith('async') ? await taken : taken;
    } catch (error) {
      if (!(error instanceof RangeError) && !isRefusal(error)) throw error;
      deep(false);
      if (manner === 'waits') until(api, 1);
    }
    deep(false);
    if (guard === null) continue;
    claims[enter](index, given ?? guard);
    if (manner === 'again') tryOnFullStack(api, face, given);
    else pause(api);
    if (!guard.held) throw new Error(`the hold of thread ${index} was given back, and not by it`);
    claims[leave](index, given);
    if (what === 'downgrade') downgradeOnFullStack(api, guard);
    else releaseOnFullStack(api, guard);
  }
  if (manner === 'rings') ring(api);
}

function releaseOnFullStack({ deep }, guard) {
  while (guard.held) {
    deep(true);
    try {
      guard.release();
    } catch (error) {
      if (!(error instanceof RangeError)) throw error;
    }
    deep(false);
  }
}

function tryOnFullStack(api, face, weight) {
  const { claims, index, deep } = api;
  let guard = null;
  deep(true);
  try {
    guard = face.tryAcquireSync(weight === undefined ? undefined : { weight });
  } catch (error) {
    if (!(error instanceof RangeError)) throw error;
  }
  deep(false);
  if (guard === null) return;
  if (weight !== undefined) claims.take(index, weight);
  pause(api);
  if (weight !== undefined) claims.giveBack(index, weight);
  releaseOnFullStack(api, guard);
}

function downgradeOnFullStack(api, guard) {
  const { claims, index, deep } = api;
  let reading = null;
  deep(true);
  try {
    reading = guard.downgrade();
  } catch (error) {
    if (!(error instanceof RangeError)) throw error;
  }
  deep(false);
  if (reading === null) {
    releaseOnFullStack(api, guard);
    return;
  }
  claims.enterAsReader(index, reading);
  pause(api);
  if (!reading.held) throw new Error(`the hold of reader ${index} was given back, and not by it`);
  claims.leaveAsReader(index);
  releaseOnFullStack(api, reading);
}

/** Tells another thread that this one is here. */
function appear({ scratch }) {
  Atomics.add(scratch, APPEARED, 1);
  Atomics.notify(scratch, APPEARED);
}

/** Holds what it holds until another thread has appeared. */
function awaitAnother({ scratch }) {
  Atomics.wait(scratch, APPEARED, 0);
}

/**
 * `read`, `reread`: reads again inside, `write`, `downgrade`: writes and goes on as a reader, `share`: as that, until
 * one who does `join` has read as well.
 */
export async function useReadWriteLock(api, what, how, rounds, options) {
  const { lock, claims, index } = api;
  const isWriter = !['read', 'reread', 'join'].includes(what);
  for (let round = 0; round < rounds; round++) {
    let guard = null;
    try {
      const taken = ways[how](isWriter ? lock.writer : lock.reader, options);
      guard = how.endsWith('async') ? await taken : taken;
    } catch (error) {
      if (!isRefusal(error)) throw error;
    }
    if (guard === null) continue;
    if (isWriter) {
      claims.enterAsWriter(index, guard);
      pause(api);
      claims.leaveAlone(index);
      if (what !== 'write') {
        const { fence } = guard;
        guard = guard.downgrade();
        claims.downgrade(fence, guard);
      }
    }
    if (what !== 'write') {
      claims.enterAsReader(index, guard);
      if (what === 'share') awaitAnother(api);
      else if (what === 'join') appear(api);
      else if (what === 'reread') rereadIn(api);
      else pause(api);
      claims.leaveAsReader(index);
    }
    release(guard);
  }
}

/** Reads once more while it reads. */
function rereadIn({ lock }) {
  const again = lock.reader.acquireSync();
  release(again);
}

/** Takes one lock only: the first one, or the second. */
export async function useOneOfTwo(api, how, isSecond) {
  const { lock, second, claims, index } = api;
  const taken = ways[how](isSecond ? second : lock);
  const guard = how.endsWith('async') ? await taken : taken;
  claims.enterOneOfTwo(index, guard, isSecond);
  pause(api);
  claims.leaveOneOfTwo(index, isSecond);
  release(guard);
}

/** Takes one lock inside the other: the first one first, or the second. */
export async function useBoth(api, how, isSecondFirst) {
  const { lock, second, claims, index } = api;
  const isAsync = how.endsWith('async');
  const outerTaken = ways[how](isSecondFirst ? second : lock);
  const outer = isAsync ? await outerTaken : outerTaken;
  claims.enterOneOfTwo(index, outer, isSecondFirst);
  const innerTaken = ways[how](isSecondFirst ? lock : second);
  const inner = isAsync ? await innerTaken : innerTaken;
  claims.enterOneOfTwo(index, inner, !isSecondFirst);
  pause(api);
  claims.leaveOneOfTwo(index, !isSecondFirst);
  release(inner);
  claims.leaveOneOfTwo(index, isSecondFirst);
  release(outer);
}

/** Asks for the first lock; while it waits for it, blocks for the second. */
export async function useSecondAside(api) {
  const { lock, second, claims, index } = api;
  const request = lock.acquire();
  // Once it has it, its event loop must not block: others may wait for it, and hold the second.
  if (!lock.isOwnedSync()) {
    const aside = second.acquireSync();
    claims.enterOneOfTwo(index, aside, true);
    pause(api);
    claims.leaveOneOfTwo(index, true);
    release(aside);
  }
  const guard = await request;
  claims.enterOneOfTwo(index, guard, false);
  pause(api);
  claims.leaveOneOfTwo(index, false);
  release(guard);
}

/** Tells whoever waits for it at the bell. */
export function ring({ words, bell }) {
  Atomics.add(words, bell, 1);
  Atomics.notify(words, bell);
}

/** Waits until the bell has been rung so often. */
export function until({ words, bell }, count) {
  for (;;) {
    const seen = Atomics.load(words, bell);
    if (seen >= count) return;
    Atomics.wait(words, bell, seen);
  }
}

/** Counts anew what is held, as whoever buries a thread does. */
export async function recount({ lock }, times) {
  const { queue } = lock.cell;
  for (let time = 0; time < times; time++) {
    queue.latch();
    queue.recover();
    queue.settle();
    queue.unlatch();
  }
}

/** The latch behind the locks, by itself. */
export async function useLatch(api, rounds) {
  const { claims, index, latch } = api;
  for (let round = 0; round < rounds; round++) {
    latch.acquire();
    claims.enterLatch(index);
    // As after an exception in the middle of a section: it is its own already.
    if (round % 2 === 1) latch.acquire();
    pause(api);
    claims.leaveLatch(index);
    latch.release();
  }
  claims.hasLeft(index);
  ring(api);
}

/** Frees the latch after a thread that had it has died: where the system does not tell, somebody else has to. */
export async function watchLatch(api) {
  const { isOver, dead, breakLatch, words, bell } = api;
  const broken = [];
  for (;;) {
    const seen = Atomics.load(words, bell);
    for (const index of dead()) {
      if (broken.includes(index)) continue;
      broken.push(index);
      breakLatch(index);
    }
    if (isOver()) return;
    Atomics.wait(words, bell, seen, 1);
  }
}

/**
 * What the parent of threads does, as in `runtime.ts`: it is told when one of them has died, and buries it. Where the
 * system does not tell who lives, nobody else does. Those that ended by themselves come last: a parent that buries one
 * and finds a latch taken is not told that its holder has died, see `docs/design.md`.
 */
export async function buryEnded(api) {
  const { attach, breakSpaceLatch, dead, ended, isOver, memory, scratch } = api;
  const attachment = attach();
  const buried = [];
  for (;;) {
    const isLast = isOver();
    for (const worker of isLast ? [...dead(), ...ended()] : dead()) {
      if (buried.includes(worker)) continue;
      buried.push(worker);
      breakSpaceLatch(memory, worker);
      attachment.reapDead(worker);
    }
    if (isLast) return;
    Atomics.wait(scratch, NOTHING, 0, 1);
  }
}
