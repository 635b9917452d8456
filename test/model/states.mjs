/**
 * Tells states of a world apart, but for one in 2^53: what the memory holds, where each thread stands and what its
 * code can still reach, who sleeps in which order, the clock, and what the claims know.
 *
 * A thread's code is a stack of frames and a queue of jobs; from there the objects of the library are followed as a
 * graph. Two graphs are the same if they look the same from their roots, whatever the identity of the objects.
 */
import { types } from 'node:util';
import { Annotation, Reference } from './weak.mjs';
import { DEAD, ENDED, Frame } from './thread.mjs';

/** Fields that are made anew before they are read, by class. */
const SCRATCH = new Set(['$WaitQueue_order', '$WaitQueue_count']);

const hashes = new Map();
function hashOf(text) {
  let value = hashes.get(text);
  if (value === undefined) {
    value = 0x811c9dc5;
    for (let i = 0; i < text.length; i++) value = Math.imul(value ^ text.charCodeAt(i), 0x01000193);
    hashes.set(text, value);
  }
  return value;
}

const double = new Float64Array(1);
const halves = new Int32Array(double.buffer);

class Hash {
  a = 0x811c9dc5;
  b = 0x9e3779b9;
  numbers = new Map();

  /** FNV-1a, with high bits brought down again, or two sign bits would cancel out; and a second stream. */
  mix(value) {
    const a = Math.imul(this.a ^ value, 0x01000193);
    this.a = a ^ (a >>> 15);
    this.b = Math.imul(this.b + value + 0x9e3779b9, 0x85ebca6b) ^ (this.b >>> 13);
  }

  visit(value) {
    switch (typeof value) {
      case 'number':
        if (Object.is(value | 0, value)) this.mix(value);
        else {
          double[0] = value;
          this.mix(halves[0]);
          this.mix(halves[1]);
        }
        return;
      case 'boolean':
        this.mix(value ? 0x11111 : 0x22222);
        return;
      case 'string':
        this.mix(hashOf(value));
        return;
      case 'undefined':
        this.mix(0x33333);
        return;
      case 'bigint':
        this.mix(hashOf(String(value)));
        return;
      case 'function':
        this.visitOnce(value, () => this.#visitFunction(value));
        return;
      case 'object':
        if (value === null) this.mix(0x44444);
        else this.visitOnce(value, () => this.#visitObject(value));
        return;
      default:
        throw new Error(`no rule for a ${typeof value} in a state`);
    }
  }

  visitOnce(value, visit) {
    const known = this.numbers.get(value);
    this.mix(known ?? -1 - this.numbers.size);
    if (known !== undefined) return;
    this.numbers.set(value, this.numbers.size);
    visit();
  }

  #visitFunction(value) {
    if (value.point !== undefined) {
      this.mix(value.point);
      for (const outer of value.outer) this.#visitOuter(outer);
    } else if (value.of !== undefined) this.visit(value.of);
    else this.mix(hashOf(value.name));
  }

  /** A variable of a function around: it may not be set yet. */
  #visitOuter(outer) {
    let value;
    try {
      value = outer();
    } catch (error) {
      if (!(error instanceof ReferenceError)) throw error;
    }
    this.visit(value);
  }

  #visitObject(value) {
    if (Array.isArray(value) || value instanceof Set) this.#visitAll(value);
    else if (value instanceof Map)
      for (const [key, inner] of value) {
        this.visit(key);
        this.visit(inner);
      }
    else if (value instanceof Frame) this.#visitFrame(value);
    else if (value instanceof Reference) this.visit(value.deref());
    else if (value instanceof Error) this.mix(hashOf(value.message));
    else if (types.isGeneratorObject(value) || ArrayBuffer.isView(value) || value instanceof Annotation)
      this.mix(0x55555);
    else {
      this.mix(hashOf(value.constructor?.name ?? ''));
      for (const key in value) {
        if (SCRATCH.has(key)) continue;
        this.mix(hashOf(key)); // Objects of a class need not all have the same fields.
        this.visit(value[key]);
      }
    }
  }

  #visitAll(values) {
    for (const value of values) this.visit(value);
    this.mix(0x66666);
  }

  #visitFrame(frame) {
    this.mix(frame.enteredAt);
    this.mix(frame.point);
    this.visit(frame.self);
    for (const outer of frame.outer) this.#visitOuter(outer);
    if (frame.locals !== undefined) this.#visitAll(frame.locals);
    this.visit(frame.promise);
    this.visit(frame.value);
    this.visit(frame.parent);
  }

  visitThread(thread, now) {
    this.mix(hashOf(thread.state));
    if (thread.state === DEAD || thread.state === ENDED) return;
    this.visit(thread.wokenBy);
    this.#visitOperation(thread.next);
    this.visit(thread.deadline === Infinity ? -1 : thread.deadline - now);
    this.visit(thread.top);
    this.visit(thread.job);
    this.#visitAll(thread.microtasks);
    this.#visitAll(thread.tasks);
    this.#visitAll(thread.notified);
    this.#visitAll(thread.timers);
    this.visit(thread.context);
    this.visit(thread.roots);
    this.visit(thread.signal);
  }

  #visitOperation({ kind, at, a, b }) {
    this.mix(hashOf(kind));
    this.visit(at);
    this.visit(a);
    this.visit(b);
  }

  get value() {
    return (this.a >>> 0) * 2 ** 21 + (this.b >>> 11);
  }
}

/**
 * @param {object} world with `machine`, `words`, `counted` (offsets of the words that decide anything), `claims`
 * @param {number} extra whatever else tells this state from another
 */
export function fingerprint({ machine, words, counted, scratch, claims, known }, extra) {
  const hash = new Hash();
  hash.mix(extra);
  for (const value of scratch) hash.mix(value);
  for (let i = 0; i < counted.length; i++) {
    const value = words[counted[i]];
    if (value !== 0) {
      hash.mix(counted[i]);
      hash.mix(value);
    }
  }
  // Not part of the state themselves: only which one is meant.
  for (const one of known) hash.numbers.set(one, hash.numbers.size);
  for (const thread of machine.threads) hash.numbers.set(thread, hash.numbers.size);
  for (const thread of machine.threads) hash.visitThread(thread, machine.now);
  for (const { thread, at, promise } of machine.waiters) {
    hash.visit(thread);
    hash.mix(at);
    hash.visit(promise);
  }
  hash.visit(machine.now);
  hash.visit(claims);
  return hash.value;
}
