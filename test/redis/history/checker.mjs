/**
 * Proves from a history that a lock kept its promises, or says where it did not. What the events mean: README.md.
 *
 * What is counted as a hold is what its holder could prove: from when it had the lease in hand until it released, or
 * until the last moment for which the lease said that it is held. A holder that was stopped may believe longer than that;
 * it is the resource that has to refuse it.
 */

/** Milliseconds within which a request has to be served once nothing is wrong any more. */
const PATIENCE = 10_000;

/** @param {any[]} events in the order of time @returns {{ violations: string[], counts: Record<string, number> }} */
export function check(events) {
  const operations = operationsOf(events);
  const amnesias = events.filter(({ type }) => type === 'amnesia');
  const locks = groupedBy(operations, ({ lock }) => lock);
  const violations = events.filter(({ type }) => type === 'problem').map(({ what }) => what);
  for (const [lock, own] of locks) {
    const holds = own.filter(({ acquired }) => acquired !== undefined).map((it) => holdOf(it, amnesias));
    violations.push(...invalid(holds), ...overlaps(lock, holds), ...fences(lock, holds));
    violations.push(...writes(lock, events));
  }
  violations.push(...unserved(operations, events));
  return { violations, counts: countsOf(operations, events) };
}

/** What became of each request. */
function operationsOf(events) {
  const operations = new Map();
  const deaths = new Map(
    events.filter(({ type }) => type === 'killed').map(({ worker, at }) => [worker, at]),
  );
  for (const event of events) {
    if (event.op === undefined || event.type === 'resource') continue;
    if (event.type === 'invoke')
      operations.set(event.op, { ...event, claims: [], diedAt: deaths.get(event.worker) });
    else if (event.type === 'claim') operations.get(event.op).claims.push(event);
    else operations.get(event.op)[event.type] = event;
  }
  return [...operations.values()];
}

/** For how long an operation provably held its lock. */
function holdOf(operation, amnesias) {
  const { acquired, claims, release, released } = operation;
  const until = Math.max(acquired.until, ...claims.map((claim) => claim.until));
  // If the release found the lock held, it was held up to there.
  let end = released?.ok === true ? release.at : Math.min(until, release?.at ?? Infinity);
  // The request that acquired it was sent then, or later.
  const sentAt = Math.max(operation.at, acquired.until - acquired.ttl);
  for (const { from, to } of amnesias) {
    // A server that forgets its locks grants them again: what it granted before is worth nothing from then on.
    if (sentAt < to) end = Math.min(end, from);
  }
  return { ...operation, from: acquired.at, end, sentAt, fence: BigInt(acquired.fence) };
}

/** A lease that is over when it is returned is none. */
function invalid(holds) {
  return holds
    .filter(({ acquired, failed }) => acquired.until <= acquired.at || failed !== undefined)
    .map((hold) =>
      hold.failed === undefined
        ? `${named(hold)} was returned when it had expired`
        : `${named(hold)} was acquired and failed as well`,
    );
}

/** Together, holders have no more than there is. */
function overlaps(lock, holds) {
  const violations = [];
  const steps = holds
    .filter(({ from, end }) => end > from)
    .flatMap((hold) => [
      { at: hold.from, hold, begins: true },
      { at: hold.end, hold, begins: false },
    ])
    .sort((a, b) => a.at - b.at || Number(a.begins) - Number(b.begins));
  const current = new Set();
  for (const { at, hold, begins } of steps) {
    if (!begins) {
      current.delete(hold);
      continue;
    }
    current.add(hold);
    const taken = [...current].reduce((sum, { weight }) => sum + weight, 0);
    if (taken > hold.capacity)
      violations.push(
        `${lock} had ${taken} of ${hold.capacity} taken at ${ms(at)}: ${[...current].map(named).join(', ')}`,
      );
  }
  return violations;
}

/** Whoever acquires later has a larger fence, and no two writers have the same. A reader has the last writer's at least. */
function fences(lock, holds) {
  const violations = [];
  const writers = holds.filter(({ fenced, capacity, weight }) => fenced && weight === capacity);
  const byFence = groupedBy(writers, ({ fence }) => fence);
  for (const [fence, same] of byFence)
    if (same.length > 1 || fence <= 0n)
      violations.push(`${lock} gave the fence ${fence} to ${same.map(named).join(', ')}`);

  const earlier = [...writers].sort((a, b) => a.from - b.from);
  let place = 0;
  let last;
  for (const hold of holds.filter(({ fenced }) => fenced).sort((a, b) => a.sentAt - b.sentAt)) {
    for (; place < earlier.length && earlier[place].from < hold.sentAt; place++)
      if (last === undefined || earlier[place].fence > last.fence) last = earlier[place];
    if (last === undefined || last === hold) continue;
    const isWriter = hold.weight === hold.capacity;
    if (hold.fence < last.fence || (isWriter && hold.fence === last.fence))
      violations.push(
        `${lock} gave ${named(hold)} the fence ${hold.fence} after ${last.fence} to ${named(last)}`,
      );
  }
  return violations;
}

/** The resource accepted nobody after it had seen a larger fence, and no update was lost. */
function writes(lock, events) {
  const violations = [];
  let largest = 0n;
  let value = 0;
  for (const event of events) {
    if (event.type !== 'resource' || event.lock !== lock || !event.accepted) continue;
    const fence = BigInt(event.fence);
    if (fence < largest)
      violations.push(
        `${lock}: what ${event.op} said under the fence ${fence} was accepted after ${largest}`,
      );
    if (fence > largest) largest = fence;
    if (event.write === undefined) continue;
    if (event.write !== value + 1)
      violations.push(`${lock}: ${event.op} wrote ${event.write} over ${value}: an update was lost`);
    value = event.write;
  }
  return violations;
}

/** Everybody got on once nothing was wrong, except those who were killed or said that they would not wait. */
function unserved(operations, events) {
  const healedAt = events.find(({ type }) => type === 'healed')?.at ?? 0;
  return operations.flatMap((operation) => {
    const { at, diedAt, acquired, failed, timeout } = operation;
    if (diedAt !== undefined && acquired === undefined && failed === undefined) return [];
    const due = Math.max(at, healedAt) + PATIENCE;
    if (acquired !== undefined) return acquired.at <= due ? [] : [`${named(operation)} was served late`];
    if (failed === undefined) return [`${named(operation)} was never served`];
    if (timeout === undefined && at > healedAt + PATIENCE)
      return [`${named(operation)} failed with nothing wrong: ${failed.code}`];
    return [];
  });
}

function countsOf(operations, events) {
  const count = (isMeant) => operations.filter(isMeant).length;
  const resource = events.filter(({ type }) => type === 'resource');
  const faults = events.filter(({ type }) => type === 'fault');
  return {
    requests: operations.length,
    holds: count(({ acquired }) => acquired),
    failures: count(({ failed }) => failed),
    losses: count(({ lost }) => lost),
    kills: count(({ diedAt, acquired, released }) => diedAt && acquired && !released),
    writes: resource.filter(({ accepted, write }) => accepted && write !== undefined).length,
    'refused as stale': resource.filter(({ accepted }) => !accepted).length,
    faults: faults.length,
  };
}

function named({ op, lock, weight, capacity, acquired }) {
  const what = capacity === 1 ? lock : `${lock} (${weight} of ${capacity})`;
  return `${op} of ${what}${acquired === undefined ? '' : ` at ${ms(acquired.at)}`}`;
}

/** `Map.groupBy`, which Node.js 20 does not have. */
function groupedBy(items, keyOf) {
  const groups = new Map();
  for (const item of items) {
    const key = keyOf(item);
    if (!groups.has(key)) groups.set(key, []);
    groups.get(key).push(item);
  }
  return groups;
}

const ms = (time) => `${time.toFixed(1)} ms`;
