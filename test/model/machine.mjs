/**
 * The machine the library runs on in a model: memory with Atomics, threads with event loops, and a clock that
 * stands still unless nothing else can happen. It decides nothing: whoever drives it says which thread takes its
 * next step, which one dies, and when the clock moves.
 *
 * The code of a thread is generators that yield the operation they are about to do. `step` does it and runs the thread up
 * to its next one; so a step is exactly one operation and the code after it.
 */
import { layout } from './space.mjs';
import { tidOf } from './system.mjs';
import { ModelPromise } from './promise.mjs';
import {
  ASLEEP,
  Abort,
  DEAD,
  ENDED,
  EXIT,
  Generator,
  IDLE,
  Operation,
  READY,
  START,
  TURN,
  Thread,
  WAIT_FOR_TASK,
  currentThread,
  runAs,
} from './thread.mjs';

/** What Atomics make of a value to compare with an element. A store converts by itself. */
const toInt32 = (value) => value | 0;

/** Does everything at once: for constructors and accessors, and for what is not part of the model. */
export function runAtOnce(value) {
  const { machine } = currentThread();
  if (value instanceof Operation) return machine.perform(value);
  if (!(value instanceof Generator)) return value;
  let result = value.next();
  while (!result.done) {
    const operation = result.value;
    result = value.next(operation.kind === 'edge' ? undefined : machine.perform(operation));
  }
  return result.value;
}

/** Milliseconds for which a thread that is paused has no processor. */
const PREEMPTED = 4;

/** After a month: what is more than 29 or 31 bits is cut off. */
const BEGINNING = 2 ** 31 + 2 ** 29 + 1000;

export class Machine {
  constructor(count) {
    this.now = BEGINNING;
    this.steps = 0;
    /** Who waits on which word, in the order they came. */
    this.waiters = [];
    this.threads = [];
    for (let index = 0; index < count; index++) this.threads.push(new Thread(this, index));
    /** Attaches like the others, runs no program, and looks in the end. */
    this.observer = new Thread(this, count);
    this.deaths = 0;
    /** Has a thread never two `waitAsync` for the same word? V8 cannot take one back. */
    this.armsOnce = false;
    /** What must hold of an operation on a word of the memory: a `LatchRule`. */
    this.rule = undefined;
    /** Told of who dies, before that. */
    this.onDeath = undefined;
    /** Do event loops stop before each task? Somebody may want to abort there, and nowhere else. */
    this.turns = false;
    /** Milliseconds in which everybody waited. */
    this.passed = 0;
    /** How often nothing could go on before the clock moved. */
    this.stalls = 0;
  }

  /** Runs code as that thread, at once and outside the model: for what comes before the threads start. */
  as(thread, code) {
    return runAs(thread, () => runAtOnce(code()));
  }

  /** The thread takes its next step. */
  step(index) {
    const thread = this.threads[index];
    const { next } = thread;
    this.steps++;
    if (next !== START) thread.hasBegun = true;
    if (thread.wokenBy !== undefined) {
      const result = thread.wokenBy;
      thread.wokenBy = undefined;
      thread.resume(result);
    } else if (thread.meets(next)) this.#fulfil(thread, next);
    else if (next === START || next.kind === 'edge' || next === TURN || next === EXIT)
      thread.resume(undefined);
    else if (next === WAIT_FOR_TASK) this.#idle(thread);
    else if (next.kind === 'wait') this.#wait(thread, next);
    else if (next.kind === 'waitAsync') thread.resume(runAs(thread, () => this.perform(next)));
    else thread.resume(this.perform(next, thread));
  }

  /** What a situation has in store for the thread at its next operation of a kind: see `World`. */
  #fulfil(thread, operation) {
    const { what, toll } = thread.fate;
    if (thread.fate.skips-- > 0) {
      thread.resume(this.perform(operation, thread));
      return;
    }
    thread.fate = what === 'pause and die' ? { ...thread.fate, what: 'die after' } : undefined;
    if (what === 'overflow') {
      thread.overflow();
      return;
    }
    if (what === 'pause before' || what === 'pause and die') {
      thread.state = ASLEEP;
      thread.deadline = this.now + PREEMPTED;
      thread.late = { result: undefined };
      return;
    }
    const result = what === 'die before' ? undefined : this.perform(operation, thread);
    if (what !== 'pause after') {
      this.kill(thread.index);
      toll();
    } else {
      thread.state = ASLEEP;
      thread.deadline = this.now + PREEMPTED;
      thread.late = { result };
    }
  }

  #idle(thread) {
    if (thread.tasks.length > 0) {
      thread.resume(undefined);
      return;
    }
    thread.deadline = Infinity;
    for (const { due } of thread.timers) thread.deadline = Math.min(thread.deadline, due);
    if (thread.deadline <= this.now) thread.resume(undefined);
    else thread.state = IDLE;
  }

  #wait(thread, { words, at, a, b }) {
    if (words.buffer instanceof SharedArrayBuffer) thread.sleeps.set(at, (thread.sleeps.get(at) ?? 0) + 1);
    if (words[at] !== toInt32(a)) thread.resume('not-equal');
    else if (b <= 0) thread.resume('timed-out');
    else {
      thread.state = ASLEEP;
      thread.deadline = b === undefined ? Infinity : this.now + b;
      this.waiters.push({ thread, words, at, promise: undefined });
    }
  }

  /** The operation, as that thread. */
  perform({ kind, words, at, a, b }, thread = currentThread()) {
    if (kind === 'look') return this.isThere(at);
    const old = words[at];
    // Atomics would take it for 0, or throw.
    if (old === undefined) throw new Error(`there is no word ${at}`);
    const result = this.#carryOut(kind, words, at, a, b, old);
    this.rule?.check(thread, words, at, kind, old);
    return result;
  }

  #carryOut(kind, words, at, a, b, old) {
    switch (kind) {
      case 'load':
      case 'plain read':
        return old;
      case 'compareExchange':
        if (old === toInt32(a)) words[at] = b;
        return old;
      case 'store':
      case 'plain store':
      case 'hidden store':
        words[at] = a;
        return a;
      case 'add':
        words[at] = old + a;
        return old;
      case 'or':
        words[at] = old | a;
        return old;
      case 'exchange':
      case 'lock':
        words[at] = a;
        return old;
      case 'unlock':
        words[at] = 0;
        return old;
      case 'wait': // At once: nobody else is there who could notify.
        return old === toInt32(a) ? 'timed-out' : 'not-equal';
      case 'notify':
        return this.#notify(words, at, a ?? Infinity);
      case 'waitAsync':
        return this.#waitAsync(words, at, a);
      default:
        throw new Error(`no rule for Atomics.${kind}`);
    }
  }

  /** Does the thread with that number, which is one more than its index, live? */
  isThere(number) {
    const { state } = this.threads[number - 1] ?? this.observer;
    return state !== DEAD && state !== ENDED;
  }

  #waitAsync(words, at, value) {
    const isArmed = (waiter) =>
      waiter.thread === currentThread() && waiter.at === at && waiter.promise !== undefined;
    if (this.armsOnce && this.waiters.some(isArmed))
      throw new Error('a thread has two waitAsync for the same word');
    const { sleeps } = currentThread();
    sleeps.set(at, (sleeps.get(at) ?? 0) + 1);
    if (words[at] !== toInt32(value)) return { async: false, value: 'not-equal' };
    const promise = new ModelPromise();
    this.waiters.push({ thread: currentThread(), words, at, promise });
    return { async: true, value: promise };
  }

  #notify(words, at, count) {
    if (this.waiters.length === 0) return 0;
    let woken = 0;
    this.waiters = this.waiters.filter((waiter) => {
      if (woken >= count || waiter.at !== at || waiter.words.buffer !== words.buffer) return true;
      woken++;
      this.#wake(waiter);
      return false;
    });
    return woken;
  }

  #wake({ thread, promise }) {
    if (promise === undefined) {
      if (thread.slowness > 0) {
        thread.deadline = this.now + thread.slowness;
        thread.late = { result: 'ok' };
        return;
      }
      thread.wokenBy = 'ok';
      thread.state = READY;
    } else thread.notify(promise);
  }

  /** Can it take a step? Not to lock a latch that another living thread has. */
  isReady({ state, next, index }) {
    if (state !== READY) return false;
    if (next.kind !== 'lock') return true;
    const holder = this.#holderOf(next);
    return holder === undefined || holder.index === index || holder.state === DEAD;
  }

  /** Its stamp is an id, or the system's. Nobody, if the entry of that id is another's by now. */
  #holderOf({ words, at }) {
    const stamp = words[at];
    if (stamp === 0) return undefined;
    if (at === layout.HEADER_LATCH) return this.threads[stamp - tidOf(0)];
    const entry = layout.threadAt(layout.indexOf(stamp));
    if (words[entry + layout.THREAD_STATE] !== stamp) return undefined;
    return this.threads[words[entry + layout.THREAD_TID] - tidOf(0)];
  }

  /** No time has passed, and nobody has died. */
  get isTimeless() {
    return this.now === BEGINNING && this.deaths === 0;
  }

  /**
   * If that thread died now, would anybody's next step be another one? Somebody asks the system about it, or notifies
   * a word it waits on, or nobody else can go on. If not, it may as well die later: until then it stands still.
   */
  wouldNotice(mortal) {
    let isAlone = true;
    for (const thread of this.threads) {
      if (thread === mortal || thread.state !== READY) continue;
      if (thread.next.kind === 'lock' && this.#holderOf(thread.next) === mortal) return true;
      if (!this.isReady(thread)) continue;
      isAlone = false;
      const { kind, at, words } = thread.next;
      if (thread.wokenBy !== undefined) continue;
      if (kind === 'look' && at === mortal.index + 1) return true;
      const isTold = (waiter) =>
        waiter.thread === mortal && waiter.at === at && waiter.words.buffer === words.buffer;
      if (kind === 'notify' && this.waiters.some(isTold)) return true;
    }
    return isAlone;
  }

  /** Nobody can take a step: the clock moves to the earliest deadline. False: there is none. */
  advance() {
    let earliest = Infinity;
    for (const { state, deadline } of this.threads)
      if (state === ASLEEP || state === IDLE) earliest = Math.min(earliest, deadline);
    if (earliest === Infinity) return false;
    this.passed += earliest - this.now;
    this.moveClock(earliest - this.now);
    return true;
  }

  /** So much time passes, and whoever waited for less is told. */
  moveClock(milliseconds) {
    this.now += Math.max(0, milliseconds);
    for (const thread of this.threads)
      if ((thread.state === ASLEEP || thread.state === IDLE) && thread.deadline <= this.now)
        this.#timeOut(thread);
  }

  #timeOut(thread) {
    if (thread.state === ASLEEP) {
      this.#forgetSleeper(thread);
      thread.wokenBy = thread.late === undefined ? 'timed-out' : thread.late.result;
      thread.late = undefined;
    }
    thread.state = READY;
    thread.deadline = Infinity;
  }

  #forgetSleeper(thread) {
    this.waiters = this.waiters.filter((waiter) => waiter.thread !== thread || waiter.promise !== undefined);
  }

  /** `Atomics.wait` returns though nobody has notified. */
  wakeSpuriously(index) {
    const thread = this.threads[index];
    this.#forgetSleeper(thread);
    thread.wokenBy = 'ok';
    thread.state = READY;
    thread.deadline = Infinity;
  }

  /** The thread's signal is aborted, when its event loop comes to it. */
  abort(index) {
    const thread = this.threads[index];
    thread.addTask(new Abort(thread.signal));
    thread.signal = undefined;
  }

  /** The thread's stack is full where it stands. */
  overflow(index) {
    this.threads[index].overflow();
  }

  kill(index) {
    this.onDeath?.(index);
    this.end(this.threads[index], DEAD);
    this.deaths++;
  }

  /** Its waits, blocked and async, are forgotten. */
  end(thread, state) {
    thread.state = state;
    thread.deadline = Infinity;
    this.waiters = this.waiters.filter((waiter) => waiter.thread !== thread);
  }
}
