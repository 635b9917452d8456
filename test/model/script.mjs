/**
 * Random scripts of Atomics operations for a few threads, the program that runs a thread's part of one, and both
 * in words. A program tells what it learns by numbers, so that a real thread can do so without a message.
 */
import { awaited } from './promise.mjs';
import { atomic } from './thread.mjs';

/** Values on both sides of what an Int32Array keeps. */
const values = [...Array(10).fill(0), 1, 1, 1, -1, 2 ** 31, 2 ** 32, 2 ** 32, -(2 ** 32) - 1, 7 * 2 ** 29];
const counts = [0, 1, 1, 1, 1, 2, 2, -1, undefined, undefined];
/** Undefined and Infinity: until notified. 1: nobody else goes on before that time is up. */
const times = [undefined, undefined, undefined, undefined, undefined, Infinity, 0, -1, 1];
const kinds = [
  ...['load', 'store', 'add', 'or', 'exchange', 'compareExchange'],
  ...Array.from({ length: 4 }, () => ['wait', 'waitAsync', 'notify', 'notify']).flat(),
  ...['await', 'await', 'await'],
];

/** @param {() => number} next of a generator of random numbers in [0, 1) */
export function createScript(next) {
  const one = (list) => list[Math.floor(next() * list.length)];
  const words = 2 + Math.floor(next() * 2);
  const operationsOf = () => {
    const operations = Array.from({ length: 3 + Math.floor(next() * 9) }, () => {
      const kind = one(kinds);
      // One word is more often used than the others.
      const at = Math.floor(next() ** 2 * words);
      const a = kind === 'notify' ? one(counts) : one(values);
      const b = kind === 'wait' ? one(times) : kind === 'compareExchange' ? one(values) : undefined;
      return { kind, at, a, b, which: Math.floor(next() * 4) };
    });
    // Most threads do not end before all their promises are settled.
    if (next() < 0.8)
      for (const which of operations.filter(({ kind }) => kind === 'waitAsync').keys())
        operations.push({ kind: 'await', which });
    return operations;
  };
  return { words, threads: Array.from({ length: 2 + Math.floor(next() * 3) }, operationsOf) };
}

const OUTCOMES = ['ok', 'not-equal', 'timed-out', 'armed'];
const OUTCOME = 2 ** 40;
const REACTION = 2 ** 41;
const AWAITED = 2 ** 42;

/**
 * One thread of a script. The k-th promise of `waitAsync` that it awaits is one of those it has, if there are any:
 * pending, settled or awaited before.
 */
export function* programOf(operations, words, tell) {
  const promises = [];
  for (const { kind, at, a, b, which } of operations) {
    if (kind === 'await') {
      // Without one, a turn of the microtask queue.
      const index = promises.length === 0 ? -1 : which % promises.length;
      yield awaited(promises[index]);
      tell(AWAITED + index);
      continue;
    }
    const result = yield atomic(kind, words, at, a, b);
    if (kind !== 'waitAsync') tell(typeof result === 'string' ? OUTCOME + OUTCOMES.indexOf(result) : result);
    else if (result.async) {
      const index = promises.push(result.value) - 1;
      tell(OUTCOME + OUTCOMES.indexOf('armed'));
      // Two reactions, one after the other: they tell whether promises were settled in one task or in several.
      result.value
        .then((outcome) => tell(REACTION + 16 * index + OUTCOMES.indexOf(outcome)))
        .then(() => tell(REACTION + 16 * index + 8));
    } else tell(OUTCOME + OUTCOMES.indexOf(result.value));
  }
}

/** What a program has told, in words. */
export function describeTold(value) {
  if (value >= AWAITED - 1) return `has awaited promise ${value - AWAITED}`;
  if (value >= REACTION) {
    const index = Math.floor((value - REACTION) / 16);
    const rest = (value - REACTION) % 16;
    return rest === 8 ? `second reaction of promise ${index}` : `promise ${index}: ${OUTCOMES[rest]}`;
  }
  return value >= OUTCOME ? OUTCOMES[value - OUTCOME] : String(value);
}

export function describeOperation({ kind, at, a, b }) {
  const args = [`word ${at}`, a, ...(b === undefined ? [] : [b])].filter((one) => one !== undefined);
  return `${kind}(${args.join(', ')})`;
}
