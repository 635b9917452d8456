import { open as openReadMostly } from './read-mostly.mjs';

export const title = 'RW lock, all writes';

export { create } from './read-mostly.mjs';

export function open(handle) {
  return { ...openReadMostly(handle), exclusiveEvery: 1 };
}
