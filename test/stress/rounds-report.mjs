/** What people are told about rounds. */
import { SUBJECTS } from './board.mjs';
import {
  ABSENT,
  ACTIVITIES,
  DOING,
  DOING_WITH,
  ENDED,
  INSIDE,
  LINE,
  SECTIONS,
  TALLIES,
} from './rounds-board.mjs';

const plain = (value) =>
  JSON.stringify(value, (_, part) => (typeof part === 'bigint' ? part.toString() : part));

/** A round that failed: what did not hold, who is at what, how to repeat it. */
export function describeRound({ seed, primitive, workers, sections, number }, failures, board, lock) {
  const lines = failures.map((failure) => `  ${failure}`);
  for (let slot = 0; slot < workers; slot++) {
    const line = board.tally.subarray(slot * LINE, (slot + 1) * LINE);
    const doing = line[DOING];
    const what = doing === ABSENT || doing === ENDED ? '' : ` (${SUBJECTS[line[DOING_WITH]]})`;
    lines.push(
      `  thread ${slot} ${ACTIVITIES[doing]}${what}: ${line[SECTIONS]} of ${sections} sections, ${counts(line)}`,
    );
  }
  lines.push(`  inside: ${board.state[INSIDE]}, last fence: ${board.fence[0]}`);
  const { wait, ...stats } = lock.stats();
  lines.push(`  stats(): ${plain({ ...stats, wait: { ...wait, histogram: undefined } })}`);
  for (const side of lock.reader ? [lock.reader, lock.writer] : [lock]) {
    lines.push(`  infoSync(): ${plain(side.infoSync())}`);
  }
  const title = `${primitive.name}, round ${number}, ${workers} threads, seed of the round ${seed}`;
  return `${title}\n${lines.join('\n')}`;
}

/** Wakes were lost, and mended by waiters that looked by themselves. */
export function describeIdle({ primitive, idle, idleSeconds, seconds }, { number, seed }) {
  const times = `${idle} times, ${idleSeconds.toFixed(2)} s of ${seconds.toFixed(2)} s`;
  return `${primitive} lay idle while it was wanted: ${times}; last in round ${number}, seed of the round ${seed}`;
}

const counts = (line) =>
  TALLIES.flatMap((name, counter) =>
    line[counter] > 0 && counter > 0 ? [`${line[counter]} ${name}`] : [],
  ).join(', ');

export function roundsTable({ primitives }) {
  return primitives.map((it) => ({
    primitive: it.primitive,
    sections: it.sections,
    rounds: it.rounds,
    'threads (mean)': Number((it.threads / it.rounds).toFixed(1)),
    'sections/s': Math.round(it.sections / it.seconds),
    contended: it.contended,
    'tries refused': it['tries refused'],
    timeouts: it.timeouts,
    aborts: it.aborts,
    downgrades: it.downgrades,
    're-entries': it['re-entries'],
    'lay idle': it.idle,
  }));
}
