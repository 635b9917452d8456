/** A failure in words: shrunk to few changes of thread, each step with its thread, call, word and values. */
import { Failure, execute } from './explore.mjs';
import { describeMemory } from './words.mjs';

/** Follows the choices as far as they are possible, and lets the same thread go on elsewhere. */
function following(choices) {
  let next = 0;
  let last = -1;
  return (options) => {
    const wanted = choices[next++];
    let index = options.findIndex(({ kind, thread }) => kind === wanted?.kind && thread === wanted.thread);
    if (index < 0)
      index = Math.max(
        0,
        options.findIndex(({ kind, thread }) => kind === 'step' && thread === last),
      );
    last = options[index].thread;
    return index;
  };
}

function replay({ subject, budget }, choices, watch) {
  try {
    execute(subject, budget, following(choices), watch);
    return null;
  } catch (error) {
    if (error instanceof Failure) return error;
    throw error;
  }
}

const switches = (choices) =>
  choices.filter(({ thread }, index) => thread !== choices[index - 1]?.thread).length;

/** Leaves out runs of choices, long ones first, as long as the same claim fails with fewer changes of thread. */
export function shrink(failure, attempts = 2000) {
  let best = failure;
  for (let length = best.choices.length >> 1; length > 0 && attempts > 0; length >>= 1) {
    for (let at = 0; at < best.choices.length && attempts > 0; attempts--) {
      const shorter = best.choices.toSpliced(at, length);
      const found = replay(best, shorter);
      const isSame = found !== null && found.message === failure.message;
      if (isSame && weight(found) < weight(best)) best = found;
      else at += length;
    }
  }
  return best;
}

const weight = ({ choices }) => switches(choices) * 1000 + choices.length;

/** @returns {string} */
export function explain(failure) {
  const lines = [];
  let previous = -1;
  replay(failure, failure.choices, (world, { kind, thread: index }) => {
    const { machine, memory } = world;
    if (kind !== 'step') {
      lines.push(kind === 'kill' ? `     thread ${index} dies` : '     the clock moves on');
      return undefined;
    }
    const thread = machine.threads[index];
    const { next, wokenBy } = thread;
    const who = index === previous ? '        ' : `thread ${index}`;
    previous = index;
    const at = `${String(lines.length + 1).padStart(4)} ${who}`;
    if (wokenBy !== undefined) lines.push(`${at} leaves Atomics.wait: ${wokenBy}`);
    else if (next.words === undefined)
      lines.push(
        `${at} ${{ start: 'starts', idle: 'waits for a task', edge: 'is between two operations' }[next.kind]}`,
      );
    else {
      const before = next.words[next.at];
      const line = lines.push('') - 1;
      return () => {
        const after = next.words[next.at];
        const word = next.words === memory.words ? describeMemory(next.at) : 'its critical section';
        const values = before === after ? `${before}` : `${before} -> ${after}`;
        const args = [next.a, next.b].filter((value) => value !== undefined).join(', ');
        lines[line] = `${at} ${next.kind}(${word}${args === '' ? '' : `, ${args}`}): ${values}`;
      };
    }
    return undefined;
  });
  const seed = failure.seed === undefined ? '' : `seed ${failure.seed}\n`;
  return `${failure.message}\n${seed}${lines.join('\n')}`;
}
