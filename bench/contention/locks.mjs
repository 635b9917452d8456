/**
 * What is put under contention. Each is a module in `locks/`, which the team's threads import by its name.
 *
 * @typedef {object} OpenLock a lock as one thread uses it
 * @property {keyof typeof import('./loops.mjs').loops} style
 * @property {(exclusive: boolean) => any} [enter] what it returns, or resolves to, is passed to `leave`
 * @property {(hold: any) => void} [leave]
 * @property {(body: () => any) => any} [run] for the styles that take a body
 * @property {number} [exclusiveEvery] one in so many visits excludes everybody else; default: each does
 * @property {number} [permits] how much weight may be inside at once, if the lock admits several
 *
 * @typedef {object} LockModule
 * @property {string} title
 * @property {() => { shared: any, dispose?: () => void }} create `shared` is what other threads open
 * @property {(shared: any) => OpenLock} open
 * @property {() => boolean} [isAvailable] in the running Node.js; default: it is
 * @property {string[]} [flags] of Node.js that it needs: it then runs in a child process
 * @property {boolean} [startsOneByOne] a thread of the team starts when the one before it is ready
 */

/** This package's locks, in the order of the tables. */
export const ownLocks = ['mutex', 'mutex-async', 'semaphore', 'semaphore-async', 'read-mostly', 'write-only'];

/** What they are compared with. */
export const peerLocks = ['raw-pair', 'futex-mutex', 'v8-mutex', 'web-locks'];

/** @param {string} name @returns {Promise<LockModule>} */
export function loadLock(name) {
  return import(new URL(`./locks/${name}.mjs`, import.meta.url).href);
}
