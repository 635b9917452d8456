/** The keys of a lock. Those of its queue have one prefix, as those of etcd's own recipes do. */
import { show } from '../deadline.js';

export const DEFAULT_PREFIX = 'mortise/';

export interface KeyRing {
  /** What the keys of all who hold it or wait for it begin with. */
  readonly queue: string;
  /** Those among them who are waited for. */
  readonly ahead: string;
  /** Remembers, longer than a lease does, who had the right to write. */
  readonly entered: string;
  /** Whether who comes after has to be told of its death. */
  readonly leavesMark: boolean;
  /** Where the fence of the last write is remembered, for readers. */
  readonly last: string | null;
  place(seat: string): string;
  /** The key of whoever left its mark there. */
  marked(seat: string): string;
  /** Forbids that the place is made, should the request still be under way: where a mark is left, that one. */
  gone(seat: string): string;
}

/** What is between the prefix and what tells locks of a kind apart. No name has a slash of its own, so none begins another. */
export function tagOf(name: unknown): string {
  if (typeof name !== 'string') throw new TypeError(`name must be a string, not ${show(name)}`);
  if (name === '') throw new RangeError('name must not be empty');
  if (!name.isWellFormed())
    throw new RangeError(`name must be well-formed Unicode, without lone surrogates: ${show(name)}`);
  return name.replace(/[%/]/g, encodeURIComponent);
}

/** @throws TypeError that names the option. */
export function checkPrefix(prefix: unknown): asserts prefix is string {
  if (typeof prefix !== 'string') throw new TypeError(`options.prefix must be a string, not ${show(prefix)}`);
}

export function lockKeys(prefix: string, tag: string): KeyRing {
  const queue = `${prefix}lock/${tag}/`;
  return ring(prefix, queue, queue, queue, `${prefix}lock-entered/${tag}/`, true, null);
}

export function semaphoreKeys(prefix: string, tag: string): KeyRing {
  const queue = `${prefix}semaphore/${tag}/`;
  return ring(prefix, queue, queue, queue, '', false, null);
}

/** Readers wait for writers, writers for everybody. */
export function readWriteKeys(prefix: string, tag: string): { reader: KeyRing; writer: KeyRing } {
  const queue = `${prefix}read-write-lock/${tag}/`;
  const writers = `${queue}write/`;
  const entered = `${prefix}read-write-lock-entered/${tag}/`;
  const last = `${prefix}read-write-lock-last/${tag}`;
  return {
    reader: ring(prefix, queue, writers, `${queue}read/`, entered, false, last),
    writer: ring(prefix, queue, queue, writers, entered, true, last),
  };
}

function ring(
  prefix: string,
  queue: string,
  ahead: string,
  own: string,
  entered: string,
  leavesMark: boolean,
  last: string | null,
): KeyRing {
  return {
    queue,
    ahead,
    entered,
    leavesMark,
    last,
    place: (seat) => `${own}${seat}`,
    marked: (seat) => `${leavesMark ? own : ahead}${seat}`,
    gone: (seat) => (leavesMark ? `${entered}${seat}` : `${prefix}gone/${seat}`),
  };
}

/** The seat that a key of the queue belongs to, or one of {@link KeyRing.entered}. */
export function seatOf(key: string): string {
  return key.slice(key.lastIndexOf('/') + 1);
}
