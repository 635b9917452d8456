/** What people are told about a kill stress. */

/** Why a result is not good enough, in words. */
export function killFailures(result, { seconds, terminations, maxStall }) {
  const { permitsBack, permits, settled, stuck, worstStall, noise } = result;
  const failures = result.violations.map(
    ({ kind, times, first }) => `${kind}: ${times}, first ${JSON.stringify(first)}`,
  );
  failures.push(...result.errors);
  if (stuck !== undefined) failures.push(stuck);
  if (permitsBack !== permits) failures.push(`${permitsBack} of ${permits} permits came back`);
  if (!settled) failures.push(`Not everything was free in the end\n${result.leftover ?? ''}`);
  if (worstStall - noise > maxStall) {
    failures.push(
      `Worst stall ${worstStall.toFixed(1)} ms: more than ${maxStall} ms above the machine's share`,
    );
  }
  if (terminations === Infinity && result.kills < seconds * 5) {
    failures.push(`Only ${result.kills} kills, fewer than ${seconds * 5}`);
  }
  return failures;
}

export function printKills(result) {
  const exclusion = result.violations.reduce((sum, { times }) => sum + times, 0);
  console.table(
    result.subjects.map((it) => ({
      lock: it.name,
      sections: it.counts.sections,
      'killed holding': it.killedHolding,
      'killed waiting': it.killedWaiting,
      abandoned: it.counts.abandoned,
      timeouts: it.counts.timeouts,
      aborts: it.counts.aborts,
      'worst stall (ms)': Number(it.worstStall.toFixed(1)),
      'worst takeover (ms)': Number(it.worstTakeover.toFixed(1)),
    })),
  );
  const rate = (result.kills / result.seconds).toFixed(1);
  console.log(
    `${result.kills} kills in ${result.seconds.toFixed(1)} s, ${rate}/s: ${result.terminate} terminate, ${result.exit} exit, ${result.throw} uncaught; ${result.latched} in a section of a queue, ${result.idle} neither held nor waited`,
  );
  console.log(`${result.sections} sections, ${exclusion} errors in them, ${result.abandoned} abandoned`);
  console.log(`${result.permitsBack} of ${result.permits} permits back`);
  console.log(
    `worst stall ${result.worstStall.toFixed(1)} ms; a thread that uses no locks was held up for ${result.noise.toFixed(1)} ms`,
  );
}
