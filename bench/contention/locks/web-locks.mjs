/**
 * Web Locks as Node.js has them from version 24 on. The callback is an async function: one that throws
 * synchronously would keep the lock for ever there.
 */
import { randomUUID } from 'node:crypto';

export const title = 'Web Locks';

export function isAvailable() {
  return typeof globalThis.navigator?.locks?.request === 'function';
}

export function create() {
  return { shared: `mortise-bench-${randomUUID()}` };
}

export function open(name) {
  return { style: 'awaitingBody', run: (body) => navigator.locks.request(name, body) };
}
