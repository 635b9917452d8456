/** The memory of a space: making it, recognising it, and never writing to what is not it. */
import { randomBytes } from 'node:crypto';
import { types } from 'node:util';
import { show } from '../deadline.js';
import { InvalidHandleError } from '../errors.js';
import type { Lives } from '../parker/lives.js';
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
  readonly buffer: SharedArrayBuffer | ArrayBuffer;
  readonly words: Int32Array;
  readonly doubles: Float64Array;
  readonly bytes: Uint8Array;
  readonly geometry: Geometry;
  /** Memory with the same id is the same, or a copy of it. */
  readonly id: string;
  /** The file that it is the memory of; undefined: it is shared by the threads of one process. */
  readonly region: Region | undefined;
}

/** A file whose memory processes share, as one thread has it open. It does not refer to the memory itself. */
export interface Region {
  /** Absolute. */
  readonly path: string;
  /** Random, made with the region: 16 hexadecimal digits. */
  readonly id: string;
  readonly lives: Lives;
  /** Gives up the file, after the thread's life in it. */
  close(): void;
}

export function viewOf(
  buffer: SharedArrayBuffer | ArrayBuffer,
  geometry: Geometry,
  id?: string,
  region?: Region,
): SpaceMemory {
  const words = new Int32Array(buffer, 0, geometry.words);
  return {
    buffer,
    words,
    doubles: new Float64Array(buffer, 0, geometry.words >> 1),
    bytes: new Uint8Array(buffer),
    geometry,
    id: id ?? `${words[HEADER_ID]}:${words[HEADER_ID + 1]}`,
    region,
  };
}

/** New, zeroed memory: the system gives a page only once it is written to. */
export function createMemory(locks: number, threads: number): SpaceMemory {
  const geometry = geometryOf(locks, threads);
  const buffer = new SharedArrayBuffer(geometry.words * 4);
  const words = new Int32Array(buffer);
  writeHeader(words, geometry);
  words[HEADER_MAGIC] = MAGIC;
  return viewOf(buffer, geometry);
}

/** All but the magic, which says that everything else is there. */
export function writeHeader(words: Int32Array, { locks, threads }: Geometry): void {
  words[HEADER_VERSION] = LAYOUT_VERSION;
  words[HEADER_LOCKS] = locks;
  words[HEADER_THREADS] = threads;
  const id = randomBytes(8);
  words[HEADER_ID] = id.readInt32LE(0);
  words[HEADER_ID + 1] = id.readInt32LE(4);
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
  const read = readHeader(words, byteLength, ({ words }) => words * 4);
  if (typeof read === 'string') throw new InvalidHandleError(`handle.memory ${read}`);
  return viewOf(buffer, read);
}

/**
 * What a header says, or what is wrong with it.
 * @param bytes the size of all there is
 * @param bytesOf what it must be
 */
export function readHeader(
  words: Int32Array,
  bytes: number,
  bytesOf: (geometry: Geometry) => number,
): Geometry | string {
  if (words[HEADER_MAGIC] !== MAGIC) return 'is not the memory of a mortise space';
  const version = words[HEADER_VERSION];
  if (version !== LAYOUT_VERSION)
    return `has layout version ${version}; this copy of mortise knows version ${LAYOUT_VERSION}`;
  const locks = words[HEADER_LOCKS] ?? 0;
  const threads = words[HEADER_THREADS] ?? 0;
  const sane = locks >= 1 && locks <= MAX_LOCKS && threads >= 1 && threads <= MAX_THREADS;
  if (!sane || bytesOf(geometryOf(locks, threads)) !== bytes)
    return `has ${bytes} bytes, which is not what its header says (${locks} locks, ${threads} threads)`;
  const threadsUsed = words[HEADER_THREADS_USED] ?? 0;
  const cellsUsed = words[HEADER_CELLS_USED] ?? 0;
  if (threadsUsed < 0 || threadsUsed > threads || cellsUsed < 0 || cellsUsed > locks)
    return 'has a damaged header';
  return geometryOf(locks, threads);
}
