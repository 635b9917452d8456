/** The memory of a space: making it, recognising it, and never writing to what is not it. */
import { randomBytes } from 'node:crypto';
import { types } from 'node:util';
import { show } from '../deadline.js';
import { InvalidHandleError } from '../errors.js';
import {
  HEADER_CELLS_USED,
  HEADER_ID,
  HEADER_LOCKS,
  HEADER_MAGIC,
  HEADER_THREADS,
  HEADER_THREADS_USED,
  HEADER_VERSION,
  HEADER_WORDS,
  LAYOUT_VERSION,
  MAGIC,
  MAX_LOCKS,
  MAX_THREADS,
  geometryOf,
  type Geometry,
} from './layout.js';

/** One space's memory, seen as words, doubles and bytes. */
export interface SpaceMemory {
  readonly buffer: SharedArrayBuffer;
  readonly words: Int32Array;
  readonly doubles: Float64Array;
  readonly bytes: Uint8Array;
  readonly geometry: Geometry;
  /** Random; two buffers with the same id are the same memory or a copy of it. */
  readonly id: string;
}

function view(buffer: SharedArrayBuffer, geometry: Geometry): SpaceMemory {
  const words = new Int32Array(buffer);
  return {
    buffer,
    words,
    doubles: new Float64Array(buffer),
    bytes: new Uint8Array(buffer),
    geometry,
    id: `${words[HEADER_ID]}:${words[HEADER_ID + 1]}`,
  };
}

/** New, zeroed memory: the system gives a page only once it is written to. */
export function createMemory(locks: number, threads: number): SpaceMemory {
  const geometry = geometryOf(locks, threads);
  const buffer = new SharedArrayBuffer(geometry.words * 4);
  const words = new Int32Array(buffer);
  words[HEADER_VERSION] = LAYOUT_VERSION;
  words[HEADER_LOCKS] = locks;
  words[HEADER_THREADS] = threads;
  const id = randomBytes(8);
  words[HEADER_ID] = id.readInt32LE(0);
  words[HEADER_ID + 1] = id.readInt32LE(4);
  words[HEADER_MAGIC] = MAGIC;
  return view(buffer, geometry);
}

/**
 * Reads a buffer as a space, without writing to it.
 * @throws InvalidHandleError if it is not one, or has another layout version.
 */
export function readMemory(buffer: unknown): SpaceMemory {
  if (!types.isSharedArrayBuffer(buffer))
    throw new InvalidHandleError(`handle.memory must be a SharedArrayBuffer, not ${show(buffer)}`);
  const { byteLength } = buffer;
  if (byteLength < HEADER_WORDS * 4 || byteLength % 8 !== 0)
    throw new InvalidHandleError(`handle.memory has ${byteLength} bytes and cannot be a space`);
  const words = new Int32Array(buffer);
  if (words[HEADER_MAGIC] !== MAGIC)
    throw new InvalidHandleError('handle.memory is not the memory of a mortise space');
  const version = words[HEADER_VERSION];
  if (version !== LAYOUT_VERSION)
    throw new InvalidHandleError(
      `handle.memory has layout version ${version}; this copy of mortise knows version ${LAYOUT_VERSION}`,
    );
  const locks = words[HEADER_LOCKS] ?? 0;
  const threads = words[HEADER_THREADS] ?? 0;
  const sane = locks >= 1 && locks <= MAX_LOCKS && threads >= 1 && threads <= MAX_THREADS;
  if (!sane || geometryOf(locks, threads).words * 4 !== byteLength)
    throw new InvalidHandleError(
      `handle.memory has ${byteLength} bytes, which is not what its header says (${locks} locks, ${threads} threads)`,
    );
  const threadsUsed = words[HEADER_THREADS_USED] ?? 0;
  const cellsUsed = words[HEADER_CELLS_USED] ?? 0;
  if (threadsUsed < 0 || threadsUsed > threads || cellsUsed < 0 || cellsUsed > locks)
    throw new InvalidHandleError('handle.memory has a damaged header');
  return view(buffer, geometryOf(locks, threads));
}
