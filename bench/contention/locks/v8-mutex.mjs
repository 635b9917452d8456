/** V8's own mutex, part of the shared structs proposal. It needs a flag, and so a process of its own. */
export const title = "V8's Atomics.Mutex";

export const flags = ['--harmony-struct'];

/** With that flag all threads share a heap, and some versions hang when several begin and one collects garbage. */
export const startsOneByOne = true;

export function isAvailable() {
  return typeof Atomics.Mutex?.lock === 'function';
}

export function create() {
  return { shared: new Atomics.Mutex() };
}

export function open(mutex) {
  return { style: 'blockingBody', run: (body) => Atomics.Mutex.lock(mutex, body) };
}
