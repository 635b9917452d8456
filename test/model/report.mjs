/** A failure in words: shrunk to few changes of thread, each step with its thread, call, word and values. */
import { ABORT, BUSY, CLOCK, Failure, KILL, OVERFLOW, executeChoices, kindOf, threadOf } from './explore.mjs';
import { ASLEEP } from './thread.mjs';
import { describeWordAt } from './words.mjs';

function replay({ subject, budget }, choices, watch) {
  try {
    executeChoices(subject, budget, choices, { watch });
    return null;
  } catch (error) {
    if (error instanceof Failure) return error;
    throw error;
  }
}

const switches = (choices) => choices.filter((choice, index) => choice !== choices[index - 1]).length;
const weight = ({ choices }) => switches(choices) * 1000 + choices.length;

/** What failed, whoever it was: while shrinking, threads may change their roles. */
const claimOf = ({ message }) => message.replaceAll(/\d+/g, 'N');

/** Leaves out runs of choices, long ones first, as long as the same claim fails with fewer changes of thread. */
export function shrink(failure, attempts = 3000) {
  let best = failure;
  for (let length = best.choices.length >> 1; length > 0 && attempts > 0; length >>= 1)
    for (let at = 0; at < best.choices.length && attempts > 0; attempts--) {
      const found = replay(best, best.choices.toSpliced(at, length));
      const isSame = found !== null && claimOf(found) === claimOf(failure);
      if (isSame && weight(found) < weight(best)) best = found;
      else at += length;
    }
  return Object.assign(best, { seed: failure.seed, strategy: failure.strategy });
}

const faults = {
  [KILL]: (thread) => `     thread ${thread} dies`,
  [CLOCK]: () => '     the clock moves to the next deadline',
  [ABORT]: (thread) => `     the signal of thread ${thread} is aborted`,
  [BUSY]: () => '     nobody runs for a while',
  [OVERFLOW]: (thread) => `     thread ${thread}: its stack is full`,
};

/**
 * @param {string} name of the case
 * @returns {string} the failure, how to see it again, and every step of it
 */
export function explain(failure, name) {
  const lines = [];
  let previous = -1;
  const failed = replay(failure, failure.choices, (world, choice) => {
    const index = threadOf(choice);
    const describe = faults[kindOf(choice)];
    if (describe !== undefined) lines.push(describe(index));
    else if (choice !== index) lines.push(`     thread ${index} wakes up, though nobody has notified`);
    else {
      const number = String(lines.length + 1).padStart(4);
      const who = index === previous ? '        ' : `thread ${index}`;
      previous = index;
      return describeStep(world, world.machine.threads[index], (text) =>
        lines.push(`${number} ${who} ${text}`),
      );
    }
    return undefined;
  });
  if (failed === null) lines.push('     (did not fail again)');
  const { seed, strategy, choices } = failure;
  const again = `npm run model -- --case ${JSON.stringify(name)}`;
  const found = seed === undefined ? [] : [`as found: ${again} --strategy ${strategy} --seed ${seed}`];
  return [failure.message, ...found, `as below: ${again} --choices ${choices.join('.')}`, ...lines].join(
    '\n',
  );
}

function describeStep({ memory, words, mode }, thread, say) {
  const { next, wokenBy } = thread;
  if (wokenBy !== undefined || next.words === undefined) {
    const told = { start: 'starts', idle: 'waits for a task', edge: undefined };
    const text = wokenBy === undefined ? told[next.kind] : `leaves Atomics.wait: ${wokenBy}`;
    if (text !== undefined) say(text);
    return undefined;
  }
  const { sites } = mode;
  const before = next.words[next.at];
  const where = next.site < 0 ? '' : ` in ${sites[next.site]}`;
  const isMemory = next.words.buffer === words.buffer;
  const at = next.words === words ? next.at : next.at * 2;
  const word = isMemory ? describeWordAt(memory.geometry, at) : 'its critical section';
  const args = [next.a, next.b].filter((value) => value !== undefined).join(', ');
  return () => {
    const after = next.words[next.at];
    const values = before === after ? `${before}` : `${before} -> ${after}`;
    const result = thread.state === ASLEEP ? ', sleeps' : '';
    say(`${next.kind}(${word}${args === '' ? '' : `, ${args}`}): ${values}${result}${where}`);
  };
}
