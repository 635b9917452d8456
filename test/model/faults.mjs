/** Faults of the kinds that locks have, one line each, to show that the checker finds them. */
export const faults = [
  {
    name: 'release does not wake',
    file: 'primitives/mutex.js',
    from: 'if (wakes)\n            tether.cell.queue.wakeFirst();',
    to: '',
  },
  {
    name: 'release stores without a CAS',
    file: 'primitives/mutex.js',
    from: 'const seen = Atomics.compareExchange(words, at, word, freed);',
    to: 'const seen = word; Atomics.store(words, at, freed);',
  },
  {
    name: 'settle does not look again when the word has changed',
    file: 'space/waiters.js',
    from: 'if (seen === word)\n                break;\n        }\n        for (let i = 0; i < this.#wakes',
    to: 'break;\n        }\n        for (let i = 0; i < this.#wakes',
  },
  {
    name: 'a withdrawn request does not settle',
    file: 'space/cell.js',
    from: 'this.#standDown();\n            this.queue.settle();',
    to: 'this.#standDown();',
  },
  {
    name: 'the latch is released without a notify',
    file: 'space/latch.js',
    from: 'if (held < 0)\n        Atomics.notify(words, at, 1);',
    to: '',
  },
  {
    name: 'a thread that slept takes the latch without SLEEPERS',
    file: 'space/latch.js',
    from: 'wanted = stamp | SLEEPERS;',
    to: 'wanted = stamp;',
  },
  {
    name: 'a dead owner is not reported',
    file: 'space/words.js',
    from: 'bury: (word) => (word & ~OWNER) | ABANDONED,',
    to: 'bury: (word) => word & ~OWNER,',
  },
  {
    name: 'recounting counts the dead',
    file: 'space/waiters.js',
    from: 'if (state <= 0)\n                    break;',
    to: '',
  },
  {
    name: 'a request does not mind those before it',
    file: 'space/waiters.js',
    from: 'if (weight > room)\n                return false;\n        }\n        return true;',
    to: '}\n        return true;',
  },
  {
    name: 'a reader does not mind a writer',
    file: 'space/words.js',
    from: 'room: (word) => ((word & WRITER) === 0 ? WRITE_WEIGHT - (word & OWNER) : 0),',
    to: 'room: (word) => WRITE_WEIGHT - (word & OWNER & 255),',
  },
  {
    name: 'an unpark does not count',
    file: 'parker/thread.js',
    from: 'Atomics.add(this.#words, at, 1);',
    to: '',
  },
  {
    name: 'an unpark notifies before it counts',
    file: 'parker/thread.js',
    from: 'Atomics.add(this.#words, at, 1);\n        Atomics.notify(this.#words, at);',
    to: 'Atomics.notify(this.#words, at);\n        Atomics.add(this.#words, at, 1);',
  },
  {
    name: 'a mutex waiter takes the lock without looking who owns it',
    file: 'space/words.js',
    from: 'room: (word) => ((word & OWNER) === 0 ? 1 : 0),',
    to: 'room: (word) => 1,',
  },
];
