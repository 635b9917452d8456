/**
 * Mutants that the model does not find, and need not: with a reason that can be checked against the code.
 *
 * - `equivalent`: nobody can tell the mutant from the library;
 * - `speed`: it does the same, later or with more work than the library, and nothing promises how much;
 * - a file of tests: the model leaves this out by design, and that test fails on the mutant.
 *
 * @type {{ kind: string, reason: string, ids: string[] }[]}
 */
export const survivors = [
  {
    kind: 'speed',
    reason:
      'In the model nobody spins at the latch (one processor: SPINS is 0); spinning only decides how often a thread looks before it sleeps.',
    ids: [
      'space/latch.js acquireLatch: number: spins = 0  =>  spins = 1',
      'space/latch.js acquireLatch: false: if (spins < SPINS)  =>  if (false)',
      'space/latch.js acquireLatch: operator: spins < SPINS  =>  spins <= SPINS',
      'space/latch.js acquireLatch: remove: continue;',
    ],
  },
  {
    kind: 'equivalent',
    reason:
      'A thread whose CAS took the latch and that goes on finds its own stamp with the next CAS, and returns as after an exception: "it is ours already". No one else changes the word meanwhile.',
    ids: [
      'space/latch.js acquireLatch: false: if (seen === 0)  =>  if (false)',
      'space/latch.js acquireLatch: remove: return;',
      'space/latch.js acquireLatch: false: if (still === held)  =>  if (false)',
      'space/latch.js acquireLatch: remove: return; (3)',
    ],
  },
  {
    kind: 'equivalent',
    reason:
      'Atomics.wait compares the word with `held` itself: a thread that comes there without having set SLEEPERS, or although the word has changed, is told "not-equal" and looks again; a CAS from `held` to `held` changes nothing.',
    ids: [
      'space/latch.js acquireLatch: swap: if (seen !== held) { const still = Atomics.compareExchange(words, at, seen, held); if (still !== seen) continue; } const outcome = Atomics.wait(words, at, held,…  =>  const outcome = Atomics.wait(words, at, held, SLICE); if (seen !== held) { const still = Atomics.compareExchange(words, at, seen, held); if (still !== seen) con…',
      'space/latch.js acquireLatch: true: if (seen !== held)  =>  if (true)',
      'space/latch.js acquireLatch: true: if (still !== seen)  =>  if (true)',
      'space/latch.js acquireLatch: false: if (still !== seen)  =>  if (false)',
      'space/latch.js acquireLatch: operator: still !== seen  =>  still === seen',
      'space/latch.js acquireLatch: remove: continue; (2)',
    ],
  },
  {
    kind: 'equivalent',
    reason: 'The stamp of a holder is at least 1, so a holder never finds 0 when it releases.',
    ids: [
      'space/latch.js releaseLatch: true: if (held < 0)  =>  if (true)',
      'space/latch.js releaseLatch: operator: held < 0  =>  held <= 0',
      'space/latch.js releaseLatch: number: held < 0  =>  held < 1',
    ],
  },
  {
    kind: 'speed',
    reason:
      'A notify too many: nobody sleeps there, or the second sleeper finds the latch taken and sleeps again.',
    ids: [
      'space/latch.js releaseLatch: number: Atomics.notify(words, at, 1)  =>  Atomics.notify(words, at, 2)',
    ],
  },
  {
    kind: 'equivalent',
    reason:
      'No thread has the id 1: ids are 1025 and more (layout.ts, idOf), so nobody is found to be the owner.',
    ids: ['space/words.js semaphoreRules.owner: number: () => 0  =>  () => 1'],
  },
  {
    kind: 'speed',
    reason:
      '`settle`, later in the same section, computes QUEUED and WAKE anew from the records; STARVING is set again by the first in the queue when it looks next.',
    ids: [
      'space/words.js mutexRules.bury: drop: (word) => (word & ~OWNER) | ABANDONED  =>  (word) => ABANDONED',
    ],
  },
  {
    kind: 'equivalent',
    reason:
      'While IN_DOUBT stands, nobody reads the other bits: `recover` waits for the living, and for the dead it counts nothing. What was held is kept in the local variable.',
    ids: [
      'primitives/shared-hold.js enterShared: drop: words[record + RECORD_HOLD] = hold | IN_DOUBT  =>  words[record + RECORD_HOLD] = IN_DOUBT',
      'primitives/shared-hold.js leaveShared: drop: words[record + RECORD_HOLD] = hold | IN_DOUBT  =>  words[record + RECORD_HOLD] = IN_DOUBT',
    ],
  },
  {
    kind: 'speed',
    reason: 'Without pending requests it stores 0 where 0 stands, or goes through an empty set of cells.',
    ids: [
      'space/pump.js Pump.hasRequests: operator: this.#cells.size > 0  =>  this.#cells.size >= 0',
      'space/cell.js Cell.block: true: if (hasRequests)  =>  if (true)',
      'space/cell.js Cell.block: true: if (hasRequests)  =>  if (true) (2)',
      'space/cell.js Cell.block: true: if (hasRequests)  =>  if (true) (3)',
    ],
  },
  {
    kind: 'speed',
    reason: 'A microtask more, in which every cell looks again under its latch and finds nothing to do.',
    ids: [
      'space/pump.js Pump.nudge: false: if (this.#nudged || this.#cells.size === 0)  =>  if (false)',
      'space/pump.js Pump.nudge: operator: this.#nudged || this.#cells.size === 0  =>  this.#nudged && this.#cells.size === 0',
      'space/pump.js Pump.nudge: remove: return;',
      'space/pump.js Pump.nudge: remove: this.#nudged = true;',
    ],
  },
  {
    kind: 'speed',
    reason:
      'It declines also in the cell in which it is about to block. Its blocking request takes the place of the async one there at once (`#advance`), so the wake would be passed on anyway.',
    ids: ['space/pump.js Pump.declineAll: true: if (cell !== except)  =>  if (true)'],
  },
  {
    kind: 'equivalent',
    reason:
      'The count was read before the look in either order, so a wake during it makes the next arming fire at once.',
    ids: [
      'space/pump.js Pump.#arm: swap: for (const cell of this.#cells) if (cell.queue.isWoken()) cell.advancePending(); if (this.#cells.size > 0) this.#arm(before);  =>  if (this.#cells.size > 0) this.#arm(before); for (const cell of this.#cells) if (cell.queue.isWoken()) cell.advancePending();',
    ],
  },
  {
    kind: 'speed',
    reason: 'It looks, or stays armed, though nobody has been woken: a look more under the latch.',
    ids: [
      'space/pump.js Pump.#arm: true: if (cell.queue.isWoken())  =>  if (true)',
      'space/pump.js Pump.#arm: true: if (this.#cells.size > 0)  =>  if (true)',
      'space/pump.js Pump.#arm: operator: this.#cells.size > 0  =>  this.#cells.size >= 0',
    ],
  },
  {
    kind: 'speed',
    reason:
      'The look comes before the dead are found. Burying them settles, and the wake of this very thread is a nudge: it looks again in a microtask.',
    ids: [
      'space/pump.js Pump.#sliceEnded: swap: cell.queue.visitOthers((thread) => { this.#attachment.probe(thread); }); cell.advancePending();  =>  cell.advancePending(); cell.queue.visitOthers((thread) => { this.#attachment.probe(thread); });',
    ],
  },
  {
    kind: 'speed',
    reason:
      'How often those who try ask whether the others live: oftener than every slice, and the system is still asked only every PROBE_INTERVAL (`probe`).',
    ids: [
      'space/cell.js Cell.constructor: number: this.#looked = 0  =>  this.#looked = 1',
      'space/cell.js Cell.attemptLast: true: if (time - this.#looked >= SLICE)  =>  if (true)',
      'space/cell.js Cell.attemptLast: operator: time - this.#looked >= SLICE  =>  time - this.#looked > SLICE',
      'space/cell.js Cell.attemptLast: operator: time - this.#looked  =>  time + this.#looked',
      'space/cell.js Cell.attemptLast: remove: this.#looked = time;',
    ],
  },
  {
    kind: 'equivalent',
    reason: '`#enter` sets it before anybody sleeps: a request that fails has gone through it.',
    ids: ['space/cell.js Cell.constructor: remove: this.#slice = SLICE;'],
  },
  {
    kind: 'speed',
    reason: 'The early return saves the latch; under the latch `mayEnter` says the same.',
    ids: ['space/cell.js Cell.attemptLast: false: if (queue.rules.room(seen) < weight)  =>  if (false)'],
  },
  {
    kind: 'equivalent',
    reason: 'Infinity less the time that has passed is Infinity.',
    ids: [
      'space/cell.js Cell.block: false: timeout === Infinity ? Infinity : timeout - (now() - request.since)  =>  false ? Infinity : timeout - (now() - request.since)',
    ],
  },
  {
    kind: 'speed',
    reason: 'Without spinning, a woken thread takes the lock under the latch with the next turn of the loop.',
    ids: [
      'space/cell.js Cell.block: false: if (!sliceEnded && queue.rules.barging)  =>  if (false)',
      'space/cell.js Cell.block: remove: entered = this.#spin(request);',
      'space/cell.js Cell.#spin: negate: spins < SPINS  =>  !(spins < SPINS)',
      'space/cell.js Cell.#spin: false: for (let spins = 0; spins < SPINS;  =>  for (let spins = 0; false;',
      'space/cell.js Cell.#spin: number: spins = 0  =>  spins = 1',
      'space/cell.js Cell.#spin: operator: spins < SPINS  =>  spins <= SPINS',
      'space/cell.js Cell.#spin: swap: pause(); const word = Atomics.load(words, at);  =>  const word = Atomics.load(words, at); pause();',
      'space/cell.js Cell.#spin: remove: pause();',
      'space/cell.js Cell.#spin: true: if ((word & STARVING) !== 0)  =>  if (true)',
      'space/cell.js Cell.#spin: false: if ((word & STARVING) !== 0)  =>  if (false)',
      'space/cell.js Cell.#spin: operator: (word & STARVING) !== 0  =>  (word & STARVING) === 0',
      'space/cell.js Cell.#spin: operator: word & STARVING  =>  word | STARVING',
      'space/cell.js Cell.#spin: drop: (word & STARVING) !== 0  =>  (word) !== 0',
      'space/cell.js Cell.#spin: drop: (word & STARVING) !== 0  =>  (STARVING) !== 0',
      'space/cell.js Cell.#spin: number: (word & STARVING) !== 0  =>  (word & STARVING) !== 1',
      'space/cell.js Cell.#spin: true: if (rules.room(word) === 0)  =>  if (true)',
      'space/cell.js Cell.#spin: remove: request.guard.hang(this.tether);',
      'space/cell.js Cell.#spin: false: if (request.guard.enter(word))  =>  if (false)',
    ],
  },
  {
    kind: 'equivalent',
    reason:
      'What is found dead is buried in either order before this thread sleeps again; burying settles, and `isWoken` says so before it sleeps.',
    ids: [
      'space/cell.js Cell.block: swap: const seen = parker.prepare(); if (sliceEnded) queue.visitOthers((thread) => attachment.probe(thread));  =>  if (sliceEnded) queue.visitOthers((thread) => attachment.probe(thread)); const seen = parker.prepare();',
      'space/cell.js Cell.block: swap: if (sliceEnded) queue.visitOthers((thread) => attachment.probe(thread)); granted = this.#advance(request, entered);  =>  granted = this.#advance(request, entered); if (sliceEnded) queue.visitOthers((thread) => attachment.probe(thread));',
    ],
  },
  {
    kind: 'equivalent',
    reason: '`#withdraw` does nothing for a request that does not stand: a granted one has left the queue.',
    ids: [
      'space/cell.js Cell.block: true: if (!granted)  =>  if (true)',
      'space/cell.js Cell.cancel: false: if (this.#standing !== request)  =>  if (false)',
      'space/cell.js Cell.cancel: remove: return;',
    ],
  },
  {
    kind: 'speed',
    reason:
      'Both happen before anybody can see one without the other for long: whoever reads THREAD_BLOCKED in between passes an async request over once more, and the nudge that follows looks after it.',
    ids: [
      'space/cell.js Cell.block: swap: if (!granted) this.#withdraw(request); if (hasRequests) attachment.setBlocked(-1);  =>  if (hasRequests) attachment.setBlocked(-1); if (!granted) this.#withdraw(request);',
    ],
  },
  {
    kind: 'equivalent',
    reason:
      'If another request is pending, `#advance` gives the record to it, and `#withdraw` finds that the cancelled one does not stand; else nothing is pending, and the order does not matter.',
    ids: [
      'space/cell.js Cell.cancel: swap: this.#withdraw(request); this.advancePending();  =>  this.advancePending(); this.#withdraw(request);',
    ],
  },
  {
    kind: 'speed',
    reason:
      'A request that stands and looks again gets the same ticket again (`enqueue`); its WOKEN is answered in this section in any case.',
    ids: ['space/cell.js Cell.#advance: true: if (this.#standing !== request)  =>  if (true)'],
  },
  {
    kind: 'speed',
    reason:
      'A thread that was woken is taken for one whose slice has ended: it asks about the others oftener, and the system only every PROBE_INTERVAL; or it does not spin.',
    ids: [
      "parker/thread.js ThreadParker.park: true: outcome === 'timed-out' ? 'slice-ended' : 'woken'  =>  true ? 'slice-ended' : 'woken'",
    ],
  },
  {
    kind: 'equivalent',
    reason:
      'They are set before they are read: `#collect` sets the one, `settle` the other, in every section before `unlatch`.',
    ids: [
      'space/waiters.js WaitQueue: number: #count = 0;  =>  #count = 1;',
      'space/waiters.js WaitQueue: number: #wakes = 0;  =>  #wakes = 1;',
    ],
  },
  {
    kind: 'speed',
    reason: 'Which of the releases looks at the clock.',
    ids: ['space/waiters.js WaitQueue: number: #passes = 0;  =>  #passes = 1;'],
  },
  {
    kind: 'equivalent',
    reason:
      'Bit 30 of a mutex word is never set, so RECOVER is not found, and `recover` returns for a mutex.',
    ids: [
      'space/waiters.js WaitQueue.latch: false: if (this.rules.recount === null)  =>  if (false)',
      'space/waiters.js WaitQueue.latch: remove: return;',
    ],
  },
  {
    kind: 'speed',
    reason: 'The woken find the latch taken for a moment.',
    ids: [
      'space/waiters.js WaitQueue.unlatch: swap: releaseLatch(this.words, this.word + CELL_LATCH); for (; this.#wakes > 0; this.#wakes--) this.attachment.wake(this.#woken[this.#wakes - 1]);  =>  for (; this.#wakes > 0; this.#wakes--) this.attachment.wake(this.#woken[this.#wakes - 1]); releaseLatch(this.words, this.word + CELL_LATCH);',
    ],
  },
  {
    kind: 'equivalent',
    reason:
      'All these words are read under the latch only, which this section has. A thread that dies between the two is taken out of the queue by `leave`, whichever of them were written.',
    ids: [
      'space/waiters.js WaitQueue.enqueue: swap: words[own + RECORD_TICKET] = ticket; words[own + RECORD_WEIGHT] = weight;  =>  words[own + RECORD_WEIGHT] = weight; words[own + RECORD_TICKET] = ticket;',
      'space/waiters.js WaitQueue.enqueue: swap: words[own + RECORD_WEIGHT] = weight; words[own + RECORD_ASYNC] = isAsync ? 1 : 0;  =>  words[own + RECORD_ASYNC] = isAsync ? 1 : 0; words[own + RECORD_WEIGHT] = weight;',
      'space/waiters.js WaitQueue.enqueue: swap: words[own + RECORD_ASYNC] = isAsync ? 1 : 0; words[own + RECORD_WAIT] = WAITING;  =>  words[own + RECORD_WAIT] = WAITING; words[own + RECORD_ASYNC] = isAsync ? 1 : 0;',
      'space/waiters.js WaitQueue.enqueue: swap: words[own + RECORD_WAIT] = WAITING; words[bits] = words[bits] | (1 << (index & 31));  =>  words[bits] = words[bits] | (1 << (index & 31)); words[own + RECORD_WAIT] = WAITING;',
      'space/waiters.js WaitQueue.leave: swap: words[this.record(thread) + RECORD_WAIT] = 0; words[bits] = words[bits] & ~(1 << (thread & 31));  =>  words[bits] = words[bits] & ~(1 << (thread & 31)); words[this.record(thread) + RECORD_WAIT] = 0;',
    ],
  },
  {
    kind: 'equivalent',
    reason: 'Tickets have to grow, by whatever, and 0 is not one of them.',
    ids: [
      'space/waiters.js WaitQueue.enqueue: number: words[this.word + CELL_TICKET] + 1  =>  words[this.word + CELL_TICKET] + 2',
      'space/waiters.js WaitQueue.enqueue: number: (words[this.word + CELL_TICKET] + 1) | 0  =>  (words[this.word + CELL_TICKET] + 1) | 1',
      'space/waiters.js WaitQueue.enqueue: number: (words[this.word + CELL_TICKET] + 1) | 0 || 1  =>  (words[this.word + CELL_TICKET] + 1) | 0 || 2',
    ],
  },
  {
    kind: 'equivalent',
    reason: 'Shifts take their count modulo 32 anyway.',
    ids: [
      'space/waiters.js WaitQueue.enqueue: drop: 1 << (index & 31)  =>  1 << (index)',
      'space/waiters.js WaitQueue.leave: drop: 1 << (thread & 31)  =>  1 << (thread)',
    ],
  },
  {
    kind: 'speed',
    reason: 'The bit only says where to look; whoever looks finds 0 in RECORD_WAIT, and goes on.',
    ids: [
      'space/waiters.js WaitQueue.leave: remove: words[bits] = words[bits] & ~(1 << (thread & 31));',
      'space/waiters.js WaitQueue.leave: drop: words[bits] = words[bits] & ~(1 << (thread & 31))  =>  words[bits] = words[bits]',
      'space/waiters.js WaitQueue.leave: operator: thread & 31  =>  thread | 31',
      'space/waiters.js WaitQueue.leave: drop: 1 << (thread & 31)  =>  1 << (31)',
    ],
  },
  {
    kind: 'equivalent',
    reason: 'Two reads under the latch, of words that are written under the latch.',
    ids: [
      'space/waiters.js WaitQueue.mayEnter: swap: const ticket = words[this.record(this.attachment.index) + RECORD_TICKET]; this.#collect();  =>  this.#collect(); const ticket = words[this.record(this.attachment.index) + RECORD_TICKET];',
      'space/waiters.js WaitQueue.#collect: swap: if (words[record + RECORD_ASYNC] === 1 && this.#isBusy(thread, wait)) continue; const ticket = words[record + RECORD_TICKET];  =>  const ticket = words[record + RECORD_TICKET]; if (words[record + RECORD_ASYNC] === 1 && this.#isBusy(thread, wait)) continue;',
      'space/waiters.js WaitQueue.bury: swap: this.leave(thread); Atomics.store(words, record + RECORD_PENDING, 0);  =>  Atomics.store(words, record + RECORD_PENDING, 0); this.leave(thread);',
      'space/waiters.js WaitQueue.bury: swap: const begun = doubles[(record + RECORD_BEGUN_F64) >> 1] ?? 0; const ended = doubles[(record + RECORD_ENDED_F64) >> 1] ?? 0;  =>  const ended = doubles[(record + RECORD_ENDED_F64) >> 1] ?? 0; const begun = doubles[(record + RECORD_BEGUN_F64) >> 1] ?? 0;',
      'space/waiters.js WaitQueue.bury: swap: doubles[(record + RECORD_ENDED_F64) >> 1] = begun; Atomics.add(words, this.stats + STATS_LOST, lost);  =>  Atomics.add(words, this.stats + STATS_LOST, lost); doubles[(record + RECORD_ENDED_F64) >> 1] = begun;',
      'space/waiters.js WaitQueue.bury: swap: Atomics.add(words, this.stats + STATS_LOST, lost); const hold = Atomics.load(words, record + RECORD_HOLD);  =>  const hold = Atomics.load(words, record + RECORD_HOLD); Atomics.add(words, this.stats + STATS_LOST, lost);',
    ],
  },
  {
    kind: 'speed',
    reason:
      'The section has collected before, with the same outcome: `mayEnter` or nothing but the requests of this thread has come in between.',
    ids: ['space/waiters.js WaitQueue.isFirst: remove: this.#collect();'],
  },
  {
    kind: 'speed',
    reason:
      '`noteFirst` only saves the latch: without it, or with 0, whoever releases takes the latch and settles (`wakeFirst`).',
    ids: [
      'space/waiters.js WaitQueue.settle: negate: rules.barging && this.#wakes > 0  =>  !(rules.barging && this.#wakes > 0)',
      'space/waiters.js WaitQueue.#noteFirst: number: this.#count > 0 ? this.#order[0] : -1  =>  this.#count > 0 ? this.#order[0] : -2',
      'space/waiters.js WaitQueue.#noteFirst: operator: thread >= 0  =>  thread > 0',
      'space/waiters.js WaitQueue.#noteFirst: number: thread >= 0  =>  thread >= 1',
      'space/waiters.js WaitQueue.#noteFirst: true: if (words[this.word + CELL_FIRST] !== first)  =>  if (true)',
      'space/waiters.js WaitQueue.wakeFirst: true: if (first === 0 || first === this.attachment.index + 1)  =>  if (true)',
    ],
  },
  {
    kind: 'speed',
    reason:
      'Only mutexes read CELL_FIRST and have STARVING in their words: for the others it is a store more, or a bit cleared that is never set.',
    ids: [
      'space/waiters.js WaitQueue.settle: true: if (rules.barging)  =>  if (true)',
      'space/waiters.js WaitQueue.settle: true: rules.barging ? STARVING : 0  =>  true ? STARVING : 0',
    ],
  },
  {
    kind: 'speed',
    reason: 'A CAS from the word to itself, or a turn of the loop more that finds it settled.',
    ids: [
      'space/waiters.js WaitQueue.settle: false: if (settled === word)  =>  if (false)',
      'space/waiters.js WaitQueue.settle: remove: break;',
      'space/waiters.js WaitQueue.settle: false: if (seen === word)  =>  if (false)',
      'space/waiters.js WaitQueue.settle: remove: break; (2)',
    ],
  },
  {
    kind: 'speed',
    reason: 'The flag to set is 0 for the other kinds.',
    ids: ['space/waiters.js WaitQueue.settle: true: if (rules.wake !== 0)  =>  if (true)'],
  },
  {
    kind: 'speed',
    reason: 'Only the time of a wake of a mutex is read (`isWakeOverdue`); it is written oftener.',
    ids: [
      'space/waiters.js WaitQueue.settle: true: if (rules.barging && this.#wakes > 0)  =>  if (true)',
      'space/waiters.js WaitQueue.settle: operator: rules.barging && this.#wakes > 0  =>  rules.barging || this.#wakes > 0',
      'space/waiters.js WaitQueue.settle: operator: this.#wakes > 0  =>  this.#wakes >= 0 (2)',
    ],
  },
  {
    kind: 'equivalent',
    reason: 'The time is read of async requests only (`#isBusy` is asked for those with RECORD_ASYNC).',
    ids: [
      'space/waiters.js WaitQueue.settle: true: words[record + RECORD_ASYNC] === 1 ? now() & WOKEN_TIMES : 0  =>  true ? now() & WOKEN_TIMES : 0',
      'space/waiters.js WaitQueue.settle: number: words[record + RECORD_ASYNC] === 1 ? now() & WOKEN_TIMES : 0  =>  words[record + RECORD_ASYNC] === 1 ? now() & WOKEN_TIMES : 1',
    ],
  },
  {
    kind: 'equivalent',
    reason:
      'Reads of single words of other threads in another order: any of them may change between the two.',
    ids: [
      'space/waiters.js WaitQueue.visitOthers: swap: const used = Atomics.load(words, HEADER_THREADS_USED); const word = Atomics.load(words, this.word);  =>  const word = Atomics.load(words, this.word); const used = Atomics.load(words, HEADER_THREADS_USED);',
      'space/waiters.js WaitQueue.visitOthers: swap: const hold = Atomics.load(words, record + RECORD_HOLD); const wait = Atomics.load(words, record + RECORD_WAIT);  =>  const wait = Atomics.load(words, record + RECORD_WAIT); const hold = Atomics.load(words, record + RECORD_HOLD);',
      'space/waiters.js WaitQueue.visitOthers: swap: const wait = Atomics.load(words, record + RECORD_WAIT); const state = Atomics.load(words, threadAt(thread) + THREAD_STATE);  =>  const state = Atomics.load(words, threadAt(thread) + THREAD_STATE); const wait = Atomics.load(words, record + RECORD_WAIT);',
    ],
  },
  {
    kind: 'speed',
    reason:
      'It asks about more threads than are in the way, itself included: they live, and are asked about every PROBE_INTERVAL only.',
    ids: [
      'space/waiters.js WaitQueue.visitOthers: false: if (thread === this.attachment.index)  =>  if (false)',
      'space/waiters.js WaitQueue.visitOthers: remove: continue;',
      'space/waiters.js WaitQueue.visitOthers: true: if (hold !== 0 || wait !== 0 || (owner !== 0 && (state & ID_MASK) === owner))  =>  if (true)',
      'space/waiters.js WaitQueue.visitOthers: operator: owner !== 0 && (state & ID_MASK) === owner  =>  owner !== 0 || (state & ID_MASK) === owner',
    ],
  },
  {
    kind: 'equivalent',
    reason: 'No thread has the id 1.',
    ids: [
      'space/waiters.js WaitQueue.visitOthers: number: owner !== 0  =>  owner !== 1',
      'space/waiters.js WaitQueue.recover: number: state <= 0  =>  state <= 1',
    ],
  },
  {
    kind: 'equivalent',
    reason: '`bury` calls it for holds, which mutexes do not have, and `latch` has made the same check.',
    ids: [
      'space/waiters.js WaitQueue.recover: false: if (rules.recount === null)  =>  if (false)',
      'space/waiters.js WaitQueue.recover: remove: return;',
    ],
  },
  {
    kind: 'equivalent',
    reason: 'A hold of 0 adds nothing, and is not in doubt.',
    ids: [
      'space/waiters.js WaitQueue.recover: false: if (hold === 0)  =>  if (false)',
      'space/waiters.js WaitQueue.recover: remove: break;',
    ],
  },
  {
    kind: 'equivalent',
    reason: 'An entry becomes free (0) after its holds have been buried.',
    ids: ['space/waiters.js WaitQueue.recover: operator: state <= 0  =>  state < 0'],
  },
  {
    kind: 'speed',
    reason: 'The nap is longer.',
    ids: [
      'space/waiters.js WaitQueue.recover: number: Atomics.wait(words, record + RECORD_HOLD, hold, 1)  =>  Atomics.wait(words, record + RECORD_HOLD, hold, 2)',
    ],
  },
  {
    kind: 'equivalent',
    reason:
      'The word as it was before RECOVER was set seldom has it; a semaphore does not use it, and the rule of the read-write lock takes it out once more.',
    ids: [
      'space/waiters.js WaitQueue.recover: drop: rules.recount(word & ~RECOVER, held, permits)  =>  rules.recount(word, held, permits)',
    ],
  },
  {
    kind: 'equivalent',
    reason: '`recover` gives it without RECOVER already.',
    ids: [
      'space/words.js readWriteRules.recount: drop: (word & WRITER) === 0 ? (word & ABANDONED) | held : word & ~RECOVER  =>  (word & WRITER) === 0 ? (word & ABANDONED) | held : word',
    ],
  },
  {
    kind: 'equivalent',
    reason:
      'While a dead thread owns the word, it is changed only under the latch, which this section has: the CAS cannot fail, and another turn of the loop finds no owner. How many were lost is a statistic.',
    ids: [
      'space/waiters.js WaitQueue.bury: blind store: Atomics.compareExchange(words, this.word, word, rules.bury(word))  =>  (Atomics.store(words, this.word, rules.bury(word)), word)',
      'space/waiters.js WaitQueue.bury: true: if (seen !== word)  =>  if (true)',
      'space/waiters.js WaitQueue.bury: false: if (seen !== word)  =>  if (false)',
      'space/waiters.js WaitQueue.bury: operator: seen !== word  =>  seen === word',
      'space/waiters.js WaitQueue.bury: remove: continue;',
      'space/waiters.js WaitQueue.bury: remove: break; (2)',
    ],
  },
  {
    kind: 'speed',
    reason: 'Counting again what is held gives what the word says.',
    ids: ['space/waiters.js WaitQueue.bury: true: if (hold !== 0)  =>  if (true)'],
  },
  {
    kind: 'speed',
    reason: 'At exactly the limit.',
    ids: [
      'space/cell.js Cell.#starve: operator: time - request.passedSince < STARVATION  =>  time - request.passedSince <= STARVATION',
      'space/waiters.js WaitQueue.isWakeOverdue: operator: ((now() * 1000 - wokenAt) | 0) > STARVATION * 1000  =>  ((now() * 1000 - wokenAt) | 0) >= STARVATION * 1000',
      'space/waiters.js hasLapsed: operator: since > LAPSE  =>  since >= LAPSE',
    ],
  },
  {
    kind: 'equivalent',
    reason: 'The next turn of the loop finds STARVING set, and returns.',
    ids: [
      'space/cell.js Cell.#starve: false: if (seen === word)  =>  if (false)',
      'space/cell.js Cell.#starve: remove: return; (4)',
    ],
  },
  {
    kind: 'speed',
    reason:
      'In the model a thread spins once; spinning only decides how soon, and a thread that does not get the lock so goes on to queue.',
    ids: [
      'primitives/mutex.js way.spin: negate: spins < SPINS  =>  !(spins < SPINS)',
      'primitives/mutex.js way.spin: false: for (let spins = 0; spins < SPINS;  =>  for (let spins = 0; false;',
      'primitives/mutex.js way.spin: number: spins = 0  =>  spins = 1',
      'primitives/mutex.js way.spin: operator: spins < SPINS  =>  spins <= SPINS',
      'primitives/mutex.js way.spin: swap: pause(); const word = Atomics.load(words, at);  =>  const word = Atomics.load(words, at); pause();',
      'primitives/mutex.js way.spin: remove: pause();',
      'primitives/mutex.js way.spin: true: if ((word & STARVING) !== 0)  =>  if (true)',
      'primitives/mutex.js way.spin: operator: word & STARVING  =>  word | STARVING',
      'primitives/mutex.js way.spin: drop: (word & STARVING) !== 0  =>  (word) !== 0',
      'primitives/mutex.js way.spin: drop: (word & STARVING) !== 0  =>  (STARVING) !== 0',
      'primitives/mutex.js way.spin: number: (word & STARVING) !== 0  =>  (word & STARVING) !== 1',
      'primitives/mutex.js way.spin: true: if ((word & OWNER) !== 0)  =>  if (true)',
      'primitives/mutex.js way.spin: operator: word & OWNER  =>  word | OWNER',
      'primitives/mutex.js way.spin: drop: (word & OWNER) !== 0  =>  (word) !== 0',
      'primitives/mutex.js way.spin: drop: (word & OWNER) !== 0  =>  (OWNER) !== 0',
      'primitives/mutex.js way.spin: number: (word & OWNER) !== 0  =>  (word & OWNER) !== 1',
      'primitives/mutex.js way.spin: false: if (guard.enter(word))  =>  if (false)',
    ],
  },
  {
    kind: 'speed',
    reason: 'The lock was free a moment ago or is by now: the slow path looks again under the latch.',
    ids: [
      'primitives/mutex.js way.attempt: true: if ((word & (OWNER | STARVING)) !== 0)  =>  if (true)',
      'primitives/mutex.js way.attempt: operator: word & (OWNER | STARVING)  =>  word | (OWNER | STARVING)',
      'primitives/mutex.js way.attempt: drop: (word & (OWNER | STARVING)) !== 0  =>  (word) !== 0',
      'primitives/mutex.js way.attempt: drop: (word & (OWNER | STARVING)) !== 0  =>  ((OWNER | STARVING)) !== 0',
      'primitives/mutex.js Mutex.#attemptOn: true: if (Atomics.compareExchange(words, word, 0, tether.id) !== 0)  =>  if (true)',
    ],
  },
  {
    kind: 'equivalent',
    reason:
      '`blockingDeadline` and `asyncDeadline` check the options, and give FOREVER for none; without options the fast path is tried a moment earlier.',
    ids: [
      'primitives/mutex.js Mutex.acquire: true: if (options === undefined)  =>  if (true)',
      'primitives/mutex.js Mutex.acquire: false: if (options === undefined)  =>  if (false)',
      'primitives/mutex.js Mutex.acquire: operator: options === undefined  =>  options !== undefined',
      'primitives/mutex.js Mutex.acquireSync: false: if (options === undefined)  =>  if (false)',
      'primitives/mutex.js Mutex.acquireSync: false: if (this.#reentry === null)  =>  if (false)',
      'primitives/mutex.js Mutex.tryAcquireSync: true: if (options !== undefined)  =>  if (true)',
      'primitives/mutex.js Mutex.tryAcquireSync: false: if (options !== undefined)  =>  if (false)',
      'primitives/mutex.js Mutex.tryAcquireSync: operator: options !== undefined  =>  options === undefined',
      'primitives/mutex.js Mutex.tryAcquireSync: remove: blockingDeadline(options);',
      'primitives/mutex.js Mutex.tryAcquire: true: if (options !== undefined)  =>  if (true)',
      'primitives/mutex.js Mutex.tryAcquire: false: if (options !== undefined)  =>  if (false)',
      'primitives/mutex.js Mutex.tryAcquire: operator: options !== undefined  =>  options === undefined',
      'primitives/mutex.js Mutex.tryAcquire: remove: asyncDeadline(options);',
    ],
  },
  {
    kind: 'test/guard-lost.test.ts',
    reason:
      'Which tether a guard hangs on decides only whether it is reported as lost; the model has no garbage collector.',
    ids: ['space/cell.js Cell.#enter: remove: request.guard.hang(this.tether);'],
  },
  {
    kind: 'test/read-write-lock.test.ts',
    reason:
      "It gives the number of read holds as an owner, which is no thread's id below 1025 holds; only what is told to people differs.",
    ids: [
      'space/words.js readWriteRules.owner: false: (word & WRITER) === 0 ? 0 : word & OWNER  =>  false ? 0 : word & OWNER',
      'space/words.js readWriteRules.owner: operator: word & WRITER  =>  word | WRITER',
      'space/words.js readWriteRules.owner: drop: (word & WRITER) === 0  =>  (word) === 0',
      'space/words.js readWriteRules.owner: drop: (word & WRITER) === 0  =>  (WRITER) === 0',
      'space/words.js readWriteRules.owner: number: (word & WRITER) === 0  =>  (word & WRITER) === 1',
    ],
  },
  {
    kind: 'speed',
    reason: 'Who is not the first sets STARVING as well: a hand-over more.',
    ids: [
      'space/cell.js Cell.#starve: false: if (!queue.isFirst())  =>  if (false)',
      'space/cell.js Cell.#starve: remove: return;',
    ],
  },
  {
    kind: 'speed',
    reason:
      'STARVING on a free word keeps barging away until the next owner takes the lock, which clears it.',
    ids: [
      'space/cell.js Cell.#starve: false: if ((word & STARVING) !== 0 || (word & OWNER) === 0)  =>  if (false)',
      'space/cell.js Cell.#starve: operator: (word & STARVING) !== 0 || (word & OWNER) === 0  =>  (word & STARVING) !== 0 && (word & OWNER) === 0',
      'space/cell.js Cell.#starve: operator: word & OWNER  =>  word | OWNER',
      'space/cell.js Cell.#starve: drop: (word & OWNER) === 0  =>  (OWNER) === 0',
      'space/cell.js Cell.#starve: number: (word & OWNER) === 0  =>  (word & OWNER) === 1',
      'space/cell.js Cell.#starve: remove: return; (3)',
    ],
  },
  {
    kind: 'speed',
    reason: 'A look that was due in a slice is due in a watch: oftener.',
    ids: [
      'space/cell.js Cell.#enter: true: queue.rules.room(word) >= request.weight ? WATCH : SLICE  =>  true ? WATCH : SLICE',
    ],
  },
  {
    kind: 'speed',
    reason: 'A waiter that is not the first leaves a free mutex to the first, which was woken.',
    ids: [
      'space/waiters.js WaitQueue.mayEnter: false: if (this.rules.barging && (word & STARVING) === 0)  =>  if (false)',
      'space/waiters.js WaitQueue.mayEnter: operator: word & STARVING  =>  word | STARVING',
      'space/waiters.js WaitQueue.mayEnter: drop: (word & STARVING) === 0  =>  (word) === 0',
      'space/waiters.js WaitQueue.mayEnter: drop: (word & STARVING) === 0  =>  (STARVING) === 0',
      'space/waiters.js WaitQueue.mayEnter: number: (word & STARVING) === 0  =>  (word & STARVING) === 1',
    ],
  },
  {
    kind: 'equivalent',
    reason: 'What is left of the room is not read after the loop has ended.',
    ids: [
      'space/waiters.js WaitQueue.mayEnter: swap: if (((words[ahead + RECORD_TICKET] - ticket) | 0) >= 0 && !last) break; room -= words[ahead + RECORD_WEIGHT];  =>  room -= words[ahead + RECORD_WEIGHT]; if (((words[ahead + RECORD_TICKET] - ticket) | 0) >= 0 && !last) break;',
    ],
  },
  {
    kind: 'equivalent',
    reason: 'Tickets of two requests differ, and a bit 0 that is set keeps the sign of a difference.',
    ids: [
      'space/waiters.js WaitQueue.mayEnter: number: (words[ahead + RECORD_TICKET] - ticket) | 0  =>  (words[ahead + RECORD_TICKET] - ticket) | 1',
      'space/waiters.js WaitQueue.#collect: number: (words[this.record(before) + RECORD_TICKET] - ticket) | 0  =>  (words[this.record(before) + RECORD_TICKET] - ticket) | 1',
      'space/waiters.js WaitQueue.#collect: number: ((words[this.record(before) + RECORD_TICKET] - ticket) | 0) < 0  =>  ((words[this.record(before) + RECORD_TICKET] - ticket) | 0) < 1',
    ],
  },
  {
    kind: 'speed',
    reason:
      'Whoever asks stands in the queue itself, so there is a first; and who is not the first sets STARVING as well: a hand-over more.',
    ids: [
      'space/waiters.js WaitQueue.isFirst: operator: this.#count > 0 && this.#order[0] === this.attachment.index  =>  this.#count > 0 || this.#order[0] === this.attachment.index',
      'space/waiters.js WaitQueue.isFirst: operator: this.#count > 0  =>  this.#count >= 0',
    ],
  },
  {
    kind: 'speed',
    reason: 'It wakes the same thread twice, or one that finds no room and sleeps again.',
    ids: ['space/waiters.js WaitQueue.settle: remove: this.#wakes = 0;'],
  },
  {
    kind: 'speed',
    reason:
      'Where WAKE is missing, the next release wakes once more; it is never set without a wake under way.',
    ids: [
      'space/waiters.js WaitQueue.settle: false: if (wait > WAITING)  =>  if (false)',
      'space/waiters.js WaitQueue.settle: remove: underWay = true;',
      'space/waiters.js WaitQueue.settle: remove: underWay ||= this.#wakes > 0;',
      'space/waiters.js WaitQueue.settle: operator: underWay ||= this.#wakes > 0  =>  underWay &&= this.#wakes > 0',
      'space/waiters.js WaitQueue.settle: number: this.#wakes > 0  =>  this.#wakes > 1',
      'space/waiters.js WaitQueue.settle: false: underWay ? settled | rules.wake : settled & ~rules.wake  =>  false ? settled | rules.wake : settled & ~rules.wake',
      'space/waiters.js WaitQueue.settle: drop: underWay ? settled | rules.wake : settled & ~rules.wake  =>  underWay ? settled : settled & ~rules.wake',
    ],
  },
  {
    kind: 'speed',
    reason: 'The flag to set is 0 for the other kinds, and none is 1.',
    ids: ['space/waiters.js WaitQueue.settle: number: rules.wake !== 0  =>  rules.wake !== 1'],
  },
  {
    kind: 'speed',
    reason:
      'Only the time of a wake is older than it should be: the first in the queue is taken for starving earlier.',
    ids: [
      'space/waiters.js WaitQueue.settle: false: if (rules.barging && this.#wakes > 0)  =>  if (false)',
      'space/waiters.js WaitQueue.settle: number: this.#wakes > 0  =>  this.#wakes > 1 (2)',
      'space/waiters.js WaitQueue.settle: remove: this.noteWake();',
      'space/waiters.js WaitQueue.noteWake: remove: this.words[this.word + CELL_WOKEN_AT] = now() * 1000;',
    ],
  },
  {
    kind: 'speed',
    reason: 'Which of the releases look at the clock.',
    ids: [
      'space/waiters.js WaitQueue.isWakeOverdue: remove: this.#passes = (this.#passes + 1) & PASSES_MASK;',
      'space/waiters.js WaitQueue.isWakeOverdue: operator: this.#passes + 1  =>  this.#passes - 1',
      'space/waiters.js WaitQueue.isWakeOverdue: number: this.#passes + 1  =>  this.#passes + 2',
      'space/waiters.js WaitQueue.isWakeOverdue: operator: this.#passes !== 0 || Atomics.load(words, this.word + CELL_FIRST) === 0  =>  this.#passes !== 0 && Atomics.load(words, this.word + CELL_FIRST) === 0',
      'space/waiters.js WaitQueue.isWakeOverdue: operator: this.#passes !== 0  =>  this.#passes === 0',
      'space/waiters.js WaitQueue.isWakeOverdue: number: this.#passes !== 0  =>  this.#passes !== 1',
    ],
  },
  {
    kind: 'speed',
    reason:
      'A bit without a WAIT is what a thread leaves that died between the two stores; its request counts until it is buried.',
    ids: [
      'space/waiters.js WaitQueue.#collect: false: if (wait === 0)  =>  if (false)',
      'space/waiters.js WaitQueue.#collect: remove: continue;',
    ],
  },
  {
    kind: 'speed',
    reason:
      'An async request stands in the queue of the cell in which its thread blocks only for the moment before the blocking one takes its place; the nudge that follows looks after it.',
    ids: ['space/waiters.js WaitQueue.#isBusy: operator: this.cell + 1  =>  this.cell - 1'],
  },
  {
    kind: 'equivalent',
    reason: 'How many permits there are never changes.',
    ids: [
      'space/waiters.js WaitQueue.recover: swap: for (let thread = 0; thread < used; thread++) { const record = this.record(thread); for (;;) { const hold = Atomics.load(words, record + RECORD_HOLD); if (hold …  =>  const permits = Atomics.load(words, this.about + ABOUT_PERMITS); for (let thread = 0; thread < used; thread++) { const record = this.record(thread); for (;;) { …',
    ],
  },
  {
    kind: 'speed',
    reason:
      'The fast path, or an attempt without the latch, fails oftener; the slow path looks again, at last under the latch, and takes the lock if it may.',
    ids: [
      'primitives/read-write-lock.js writing.attempt: true: if ((word & ~ABANDONED) !== 0)  =>  if (true)',
      'primitives/read-write-lock.js writing.attempt: operator: word & ~ABANDONED  =>  word | ~ABANDONED',
      'primitives/read-write-lock.js writing.attempt: drop: (word & ~ABANDONED) !== 0  =>  (~ABANDONED) !== 0',
      'primitives/read-write-lock.js ReadSide.#acquireFast: true: if (word < 0 || (word & WRITER) !== 0 || (word & OWNER) === WRITE_WEIGHT)  =>  if (true)',
      'primitives/read-write-lock.js ReadSide.#acquireFast: operator: word < 0  =>  word <= 0',
      'primitives/read-write-lock.js ReadSide.#acquireFast: number: word < 0  =>  word < 1',
      'primitives/read-write-lock.js ReadSide.#acquireFast: operator: word & WRITER  =>  word | WRITER',
      'primitives/read-write-lock.js ReadSide.#acquireFast: drop: (word & WRITER) !== 0  =>  (word) !== 0',
      'primitives/read-write-lock.js ReadSide.#acquireFast: drop: (word & WRITER) !== 0  =>  (WRITER) !== 0',
      'primitives/read-write-lock.js ReadSide.#acquireFast: number: (word & WRITER) !== 0  =>  (word & WRITER) !== 1',
      'primitives/read-write-lock.js ReadSide.#acquireFast: operator: (word & OWNER) === WRITE_WEIGHT  =>  (word & OWNER) !== WRITE_WEIGHT',
      'primitives/read-write-lock.js ReadSide.#acquireFast: operator: word & OWNER  =>  word | OWNER',
      'primitives/read-write-lock.js ReadSide.#acquireFast: drop: (word & OWNER) === WRITE_WEIGHT  =>  (OWNER) === WRITE_WEIGHT',
      'primitives/read-write-lock.js ReadSide.#acquireFast: false: guard.enter(word) ? guard : null  =>  false ? guard : null',
      'primitives/read-write-lock.js WriteSide.#acquireFast: false: guard.enter(0) ? guard : null  =>  false ? guard : null',
      'primitives/semaphore.js way.attempt: true: if (word < weight)  =>  if (true)',
      'primitives/semaphore.js way.attempt: operator: word < weight  =>  word <= weight',
      'primitives/semaphore.js Semaphore.#acquireFast: true: if (word < weight)  =>  if (true)',
      'primitives/semaphore.js Semaphore.#acquireFast: operator: word < weight  =>  word <= weight',
      'primitives/semaphore.js Semaphore.#acquireFast: false: guard.enter(word) ? guard : null  =>  false ? guard : null',
    ],
  },
  {
    kind: 'speed',
    reason:
      'The release goes the slow way though nobody waits: the loop gives the hold back as well, and a section under the latch finds nobody to wake.',
    ids: [
      'primitives/mutex.js freeSlow: operator: word & QUEUED  =>  word | QUEUED',
      'primitives/mutex.js freeSlow: drop: (word & QUEUED) !== 0  =>  (word) !== 0',
      'primitives/mutex.js freeSlow: drop: (word & QUEUED) !== 0  =>  (QUEUED) !== 0',
      'primitives/mutex.js freeSlow: number: (word & QUEUED) !== 0  =>  (word & QUEUED) !== 1',
      'primitives/read-write-lock.js ReadGuard.release: true: if (word < 0 || !leaveShared(tether, word, 1, -1))  =>  if (true)',
      'primitives/read-write-lock.js ReadGuard.release: operator: word < 0  =>  word <= 0',
      'primitives/read-write-lock.js ReadGuard.release: number: word < 0  =>  word < 1',
      'primitives/read-write-lock.js ReadGuard.release: true: if (word < 0 && (word & OWNER) === 0)  =>  if (true)',
      'primitives/read-write-lock.js ReadGuard.release: operator: word < 0 && (word & OWNER) === 0  =>  word < 0 || (word & OWNER) === 0',
      'primitives/read-write-lock.js ReadGuard.release: operator: word < 0  =>  word <= 0 (2)',
      'primitives/read-write-lock.js ReadGuard.release: number: word < 0  =>  word < 1 (2)',
      'primitives/read-write-lock.js WriteGuard.release: true: if (wakes)  =>  if (true)',
      'primitives/read-write-lock.js WriteGuard.downgrade: true: if ((word & QUEUED) !== 0)  =>  if (true)',
      'primitives/read-write-lock.js WriteGuard.downgrade: operator: word & QUEUED  =>  word | QUEUED (2)',
      'primitives/read-write-lock.js WriteGuard.downgrade: drop: (word & QUEUED) !== 0  =>  (word) !== 0',
      'primitives/read-write-lock.js WriteGuard.downgrade: drop: (word & QUEUED) !== 0  =>  (QUEUED) !== 0',
      'primitives/read-write-lock.js WriteGuard.downgrade: number: (word & QUEUED) !== 0  =>  (word & QUEUED) !== 1',
      'primitives/semaphore.js PermitGuard.release: true: if (word < 0 || !leaveShared(tether, word, this.weight, this.weight))  =>  if (true)',
      'primitives/semaphore.js PermitGuard.release: operator: word < 0  =>  word <= 0',
      'primitives/semaphore.js PermitGuard.release: number: word < 0  =>  word < 1',
      'primitives/semaphore.js PermitGuard.release: true: if (word < 0)  =>  if (true)',
      'primitives/semaphore.js PermitGuard.release: operator: word < 0  =>  word <= 0 (2)',
      'primitives/semaphore.js PermitGuard.release: number: word < 0  =>  word < 1 (2)',
    ],
  },
  {
    kind: 'speed',
    reason:
      'Only the time of a wake is older than it should be: the first in the queue is taken for starving earlier.',
    ids: [
      'primitives/mutex.js freeSlow: false: if (wakes)  =>  if (false)',
      'primitives/mutex.js freeSlow: remove: queue.noteWake();',
    ],
  },
  {
    kind: 'speed',
    reason:
      'Without the notify, or with one too many: whoever sleeps at the latch looks again when its slice of 5 ms ends.',
    ids: [
      'space/latch.js breakLatch: true: if (seen === (stamp | SLEEPERS))  =>  if (true)',
      'space/latch.js breakLatch: false: if (seen === (stamp | SLEEPERS))  =>  if (false)',
      'space/latch.js breakLatch: operator: seen === (stamp | SLEEPERS)  =>  seen !== (stamp | SLEEPERS)',
      'space/latch.js breakLatch: operator: stamp | SLEEPERS  =>  stamp & SLEEPERS (2)',
      'space/latch.js breakLatch: drop: seen === (stamp | SLEEPERS)  =>  seen === (stamp)',
      'space/latch.js breakLatch: drop: seen === (stamp | SLEEPERS)  =>  seen === (SLEEPERS)',
      'space/latch.js breakLatch: remove: Atomics.notify(words, at);',
    ],
  },
];
