/**
 * `SOON.then(f)` calls `f` in a microtask, whose stack is empty. Unlike `queueMicrotask`, `then` is no function in
 * JavaScript: it has room where the stack is full.
 */
export const SOON: Promise<void> = Promise.resolve();
