/** One loop for each style of lock: ask, note how long it took, be inside, leave, be outside; once at least. */

/** @param {import('./visitor.mjs').Visitor} visitor */
function blocking(visitor) {
  const { lock, tally } = visitor;
  const { timed } = visitor.load;
  do {
    const exclusive = visitor.nextIsExclusive;
    const asked = timed ? performance.now() : 0;
    const hold = lock.enter(exclusive);
    if (timed) tally.waits.record(performance.now() - asked);
    visitor.inside(exclusive);
    lock.leave(hold);
    visitor.outside();
  } while (!visitor.stopped);
}

/** @param {import('./visitor.mjs').Visitor} visitor */
async function awaiting(visitor) {
  const { lock, tally } = visitor;
  const { timed } = visitor.load;
  do {
    const exclusive = visitor.nextIsExclusive;
    const asked = timed ? performance.now() : 0;
    const hold = await lock.enter(exclusive);
    if (timed) tally.waits.record(performance.now() - asked);
    visitor.inside(exclusive);
    lock.leave(hold);
    visitor.outside();
  } while (!visitor.stopped);
}

/** For locks that are held while a function runs. @param {import('./visitor.mjs').Visitor} visitor */
function blockingBody(visitor) {
  const { lock, tally } = visitor;
  const { timed } = visitor.load;
  let asked = 0;
  const body = () => {
    if (timed) tally.waits.record(performance.now() - asked);
    visitor.inside(true);
  };
  do {
    if (timed) asked = performance.now();
    lock.run(body);
    visitor.outside();
  } while (!visitor.stopped);
}

/** The same with a promise. @param {import('./visitor.mjs').Visitor} visitor */
async function awaitingBody(visitor) {
  const { lock, tally } = visitor;
  const { timed } = visitor.load;
  let asked = 0;
  const body = async () => {
    if (timed) tally.waits.record(performance.now() - asked);
    visitor.inside(true);
  };
  do {
    if (timed) asked = performance.now();
    await lock.run(body);
    visitor.outside();
  } while (!visitor.stopped);
}

/** By style of lock, see `OpenLock` in locks.mjs. */
export const loops = { blocking, awaiting, blockingBody, awaitingBody };
