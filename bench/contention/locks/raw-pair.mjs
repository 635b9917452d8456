/** One compareExchange in, one out, and nothing but trying again while it is held: the limit, not a lock to use. */
export const title = 'Raw pair, spinning';

export function create() {
  return { shared: new Int32Array(new SharedArrayBuffer(64)) };
}

export function open(words) {
  return {
    style: 'blocking',
    enter() {
      while (Atomics.compareExchange(words, 0, 0, 1) !== 0);
    },
    leave() {
      Atomics.compareExchange(words, 0, 1, 0);
    },
  };
}
