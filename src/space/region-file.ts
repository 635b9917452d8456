/**
 * What is in a region file: the words of a space as `layout.ts` has them, and behind them a life for each entry, the
 * spare one included.
 *
 * | first word | says | next |
 * |---|---|---|
 * | no bytes at all | nobody has begun | BEING_MADE |
 * | BEING_MADE | somebody makes it, or died while doing so | MAGIC: it is made; BEING_MADE: made from the start |
 * | MAGIC | it is there | |
 *
 * It is made by one who has the file's exclusive lock (`region.ts`), and the magic is written last. Everything is written
 * before it is mapped, so that a full file system is an error here and not a SIGBUS later.
 */
import { fstatSync, ftruncateSync, readSync, writeSync } from 'node:fs';
import { checkSystem, lifeBytes, mapFile } from '../parker/mapped-file.js';
import { Lives } from '../parker/lives.js';
import {
  HEADER_ID,
  HEADER_LIFE_BYTES,
  HEADER_MAGIC,
  HEADER_SYSTEM,
  HEADER_WORDS,
  MAGIC,
  type Geometry,
} from './layout.js';
import { readHeader, writeHeader } from './memory.js';

/** "mor~", little endian. */
export const BEING_MADE = 0x7e726f6d;
const SYSTEM_BYTES = 16;
/** Written at a time. */
const CHUNK_BYTES = 1 << 20;
/** Lives are on cache lines of their own. */
const ALIGNMENT = 64;

/** A region as its header says it is. */
export interface RegionHeader {
  readonly geometry: Geometry;
  readonly id: string;
}

function livesAt({ words }: Geometry): number {
  return Math.ceil((words * 4) / ALIGNMENT) * ALIGNMENT;
}

/** Of a whole file. */
export function bytesOf(geometry: Geometry): number {
  return livesAt(geometry) + (geometry.threads + 1) * lifeBytes();
}

/** The memory of a region that is there, and its lives: two ArrayBuffers, of which neither keeps the other. */
export function mapRegion(fd: number, geometry: Geometry): { buffer: ArrayBuffer; lives: Lives } {
  const bytes = bytesOf(geometry);
  return { buffer: mapFile(fd, bytes), lives: new Lives(mapFile(fd, bytes), livesAt(geometry)) };
}

/** What is there, without writing to it. A string says why it is not a region of this system. */
export function examine(fd: number): RegionHeader | 'unmade' | { readonly fault: string } {
  const header = Buffer.alloc(HEADER_WORDS * 4);
  const read = readSync(fd, header, 0, header.length, 0);
  if (read === 0) return 'unmade';
  const words = new Int32Array(header.buffer, header.byteOffset, HEADER_WORDS);
  const magic = words[HEADER_MAGIC];
  if (read >= 4 && magic === BEING_MADE) return 'unmade';
  if (magic !== MAGIC) return { fault: 'is not a region of mortise' };
  if (read < header.length) return { fault: `has ${read} bytes only: it was cut short` };
  const system = header.toString('latin1', HEADER_SYSTEM * 4, HEADER_SYSTEM * 4 + SYSTEM_BYTES);
  const here = systemField();
  if (system !== here || words[HEADER_LIFE_BYTES] !== lifeBytes())
    return { fault: `was made on ${readable(system)}, which cannot share memory with ${readable(here)}` };
  const geometry = readHeader(words, fstatSync(fd).size, bytesOf);
  return typeof geometry === 'string' ? { fault: geometry } : { geometry, id: idOf(header) };
}

function idOf(header: Buffer): string {
  return header.toString('hex', HEADER_ID * 4, HEADER_ID * 4 + 8);
}

function systemField(): string {
  return checkSystem().slice(0, SYSTEM_BYTES).padEnd(SYSTEM_BYTES, '\0');
}

const readable = (system: string): string => JSON.stringify(system.replaceAll('\0', ''));

/**
 * Makes a region, whatever the file held, under the file's exclusive lock.
 * @throws what the system says when there is no room; the file is empty then.
 */
export function makeRegion(fd: number, geometry: Geometry): void {
  const magic = Buffer.alloc(4);
  magic.writeInt32LE(BEING_MADE);
  writeFully(fd, magic, 0);
  try {
    ftruncateSync(fd, magic.length);
    const zeros = Buffer.alloc(CHUNK_BYTES);
    const bytes = bytesOf(geometry);
    for (let at = magic.length; at < bytes; at += CHUNK_BYTES)
      writeFully(fd, zeros.subarray(0, Math.min(CHUNK_BYTES, bytes - at)), at);
  } catch (error) {
    ftruncateSync(fd, 0);
    throw error;
  }
  const { buffer, lives } = mapRegion(fd, geometry);
  for (let index = 0; index <= geometry.threads; index++) lives.make(index);
  const words = new Int32Array(buffer, 0, HEADER_WORDS);
  writeHeader(words, geometry);
  words[HEADER_LIFE_BYTES] = lifeBytes();
  new Uint8Array(buffer, HEADER_SYSTEM * 4, SYSTEM_BYTES).set(Buffer.from(systemField(), 'latin1'));
  Atomics.store(words, HEADER_MAGIC, MAGIC);
}

/**
 * Under the file's exclusive lock nobody uses the region: a life that is held all the same is that of a machine which
 * stopped, or of the file that this one is a copy of. It is made anew, and its entry will be found dead.
 */
export function freeStaleLives(fd: number, geometry: Geometry): void {
  const { lives } = mapRegion(fd, geometry);
  for (let index = 0; index <= geometry.threads; index++) if (!lives.hasEnded(index)) lives.make(index);
}

function writeFully(fd: number, bytes: Uint8Array, position: number): void {
  for (let done = 0; done < bytes.length;)
    done += writeSync(fd, bytes, done, bytes.length - done, position + done);
}
