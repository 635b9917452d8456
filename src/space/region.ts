/**
 * Opening a region file: finding or making it, and being sure that it is whole before anything in it is touched.
 *
 * Each thread that uses a region keeps a file descriptor of its own with a shared lock (`flock`), from before it holds a
 * life in it until after. So whoever gets the exclusive lock knows that nobody uses it, and may make or mend it. The
 * system frees the locks of the dead, which makes any prefix of this safe.
 */
import {
  closeSync,
  constants,
  fchmodSync,
  fstatSync,
  lstatSync,
  openSync,
  statSync,
  type BigIntStats,
  type Stats,
} from 'node:fs';
import { show } from '../deadline.js';
import { BackendUnavailableError, InvalidHandleError, LockError } from '../errors.js';
import { makeFolderFor } from '../folder.js';
import { now } from '../parker/clock.js';
import { checkSystem, tryFileLock } from '../parker/mapped-file.js';
import { geometryOf } from './layout.js';
import { viewOf, type SpaceMemory } from './memory.js';
import { bytesOf, freeStaleLives, examine, makeRegion, mapRegion, type RegionHeader } from './region-file.js';

/** What a region must be like, checked. */
export interface RegionWish {
  /** Absolute. */
  readonly path: string;
  /** How to make it if it is not there; undefined: it must be there. */
  readonly make?: { readonly locks: number; readonly threads: number; readonly mode: number };
  /** What it has to have; undefined: whatever it has. */
  readonly locks?: number | undefined;
  readonly threads?: number | undefined;
  /** The id it has to have; undefined: whatever it has. */
  readonly region?: string;
  /** May another user own it? */
  readonly anyOwner: boolean;
}

/** Milliseconds for which others may make the region or attach to it before that is an error. */
export const PATIENCE = 20_000;
/** The most that the addon maps. */
const MAX_BYTES = 2 ** 31 - 1;
/** Milliseconds between two looks at a file lock that others have. */
const NAP = 2;
const NOBODY = new Int32Array(new SharedArrayBuffer(4));

/** @returns the file as it is, whatever it holds; it must be closed. */
export function openRegion(wish: RegionWish): RegionFile {
  checkSystem();
  try {
    return new RegionFile(wish, openFile(wish));
  } catch (error) {
    throw unavailable(wish.path, 'cannot be opened', error);
  }
}

export class RegionFile {
  /** The same for each way to the same file. */
  readonly id: string;
  readonly #wish: RegionWish;
  readonly #fd: number;
  readonly #identity: BigIntStats;

  constructor(wish: RegionWish, fd: number) {
    this.#wish = wish;
    this.#fd = fd;
    try {
      this.#identity = fstatSync(fd, { bigint: true });
      this.id = `file ${this.#identity.dev}:${this.#identity.ino}`;
      if (!this.#identity.isFile()) throw this.#unavailable(`is ${kindOf(this.#identity)}`);
    } catch (error) {
      closeSync(fd);
      throw error;
    }
  }

  close(): void {
    giveUp(this.#fd);
  }

  /**
   * Its memory, made if need be. The file stays open with it.
   * @returns undefined if the path leads to another file by now. Closed then, and when it throws.
   */
  mapped(): SpaceMemory | undefined {
    try {
      this.#checkOwner();
      const header = this.#ready();
      if (header !== undefined) return this.#map(header);
    } catch (error) {
      this.close();
      throw error instanceof LockError ? error : this.#unavailable('cannot be used', error);
    }
    this.close();
    return undefined;
  }

  /** Waits until this file has our shared lock and a whole region in it. */
  #ready(): RegionHeader | undefined {
    for (const end = now() + PATIENCE; ;) {
      // A file of another kind may be locked by its owner for long.
      this.#examine();
      if (tryFileLock(this.#fd, 'exclusive')) {
        if (!this.#isAtPath()) return undefined;
        this.#mend();
      }
      // Others may have been faster in between: look again under the lock that stays.
      if (tryFileLock(this.#fd, 'shared')) {
        if (!this.#isAtPath()) return undefined;
        const found = this.#examine();
        if (found !== 'unmade') return found;
        tryFileLock(this.#fd, 'unlock');
      }
      if (now() > end)
        throw this.#unavailable(`was locked by another program for ${PATIENCE / 1000} s (flock)`);
      Atomics.wait(NOBODY, 0, 0, NAP);
    }
  }

  /** Nobody uses it: makes what is not there, and frees what a machine that stopped has left. */
  #mend(): void {
    const found = this.#examine();
    if (found !== 'unmade') {
      freeStaleLives(this.#fd, found.geometry);
      return;
    }
    const { make } = this.#wish;
    if (make === undefined) throw this.#unavailable('is not a region of mortise');
    this.#allow(make.mode);
    makeRegion(this.#fd, geometryOf(make.locks, make.threads));
  }

  /** Whoever created the file may have died before it had its mode. One that somebody else gave it stays. */
  #allow(mode: number): void {
    const before = fstatSync(this.#fd).mode & 0o777;
    if (this.#isOwn() && (before & mode) !== mode) fchmodSync(this.#fd, before | mode);
  }

  #examine(): RegionHeader | 'unmade' {
    const found = examine(this.#fd);
    if (typeof found === 'object' && 'fault' in found) throw this.#unavailable(found.fault);
    if (found !== 'unmade') checkWish(this.#wish, found);
    return found;
  }

  #map({ geometry, id }: RegionHeader): SpaceMemory {
    const { path } = this.#wish;
    const { buffer, lives } = mapRegion(this.#fd, geometry);
    return viewOf(buffer, geometry, this.id, { path, id, lives, close: closing(this.#fd) });
  }

  #checkOwner(): void {
    if (this.#wish.anyOwner || this.#isOwn()) return;
    const { uid } = this.#identity;
    throw this.#unavailable(
      `belongs to user ${uid}, and this process is user ${process.geteuid?.()}: pass anyOwner: true to Space.open() to use it all the same`,
    );
  }

  #isOwn(): boolean {
    const own = process.geteuid?.();
    return own === undefined || this.#identity.uid === BigInt(own);
  }

  #isAtPath(): boolean {
    const there = statSync(this.#wish.path, { bigint: true, throwIfNoEntry: false });
    return there?.dev === this.#identity.dev && there.ino === this.#identity.ino;
  }

  #unavailable(what: string, cause?: unknown): BackendUnavailableError {
    return unavailable(this.#wish.path, what, cause);
  }
}

/**
 * @throws InvalidHandleError if it is another region than the one asked for; BackendUnavailableError if it has another
 * capacity.
 */
export function checkWish(wish: RegionWish, { id, geometry }: RegionHeader): void {
  if (wish.region !== undefined && wish.region !== id)
    throw new InvalidHandleError(
      `the region ${wish.path} is ${id}, not ${show(wish.region)} as the handle says`,
    );
  for (const what of ['locks', 'threads'] as const) {
    const wanted = wish[what];
    if (wanted === undefined || wanted === geometry[what]) continue;
    throw unavailable(wish.path, `has room for ${geometry[what]} ${what}, and options.${what} is ${wanted}`);
  }
}

/** @throws RangeError if a region of this capacity would be larger than what can be mapped. */
export function checkSize(locks: number, threads: number): void {
  const bytes = bytesOf(geometryOf(locks, threads));
  if (bytes <= MAX_BYTES) return;
  throw new RangeError(
    `options.locks ${locks} with options.threads ${threads} takes ${bytes} bytes, and a region has at most ${MAX_BYTES}`,
  );
}

function openFile({ path, make }: RegionWish): number {
  for (;;) {
    const there = lstatSync(path, { throwIfNoEntry: false });
    // Opening a device may do something by itself.
    if (there !== undefined && !there.isFile()) throw unavailable(path, `is ${kindOf(there)}`);
    if (there === undefined && make === undefined) throw unavailable(path, 'is not there');
    const fd =
      make === undefined || there !== undefined ? openUnless('ENOENT', path, 0) : createFile(path, make.mode);
    if (fd !== undefined) return fd;
  }
}

/** Once: the number may be that of another file afterwards. It keeps nothing but the number. */
function closing(fd: number): () => void {
  let isOpen = true;
  return () => {
    if (!isOpen) return;
    isOpen = false;
    giveUp(fd);
  };
}

/** Closing alone leaves the lock to the memory that was mapped from here, until a garbage collection. */
function giveUp(fd: number): void {
  try {
    tryFileLock(fd, 'unlock');
  } finally {
    closeSync(fd);
  }
}

/** Undefined: somebody else was faster. */
function createFile(path: string, mode: number): number | undefined {
  makeFolderFor(path, mode);
  const fd = openUnless('EEXIST', path, constants.O_CREAT | constants.O_EXCL, mode);
  // Whatever the umask of this process is.
  if (fd !== undefined) fchmodSync(fd, mode);
  return fd;
}

function openUnless(code: string, path: string, flags: number, mode?: number): number | undefined {
  try {
    return openSync(path, constants.O_RDWR | constants.O_NOFOLLOW | flags, mode);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === code) return undefined;
    throw error;
  }
}

function kindOf(file: Stats | BigIntStats): string {
  if (file.isSymbolicLink()) return 'a symbolic link';
  if (file.isDirectory()) return 'a directory';
  if (file.isFIFO()) return 'a FIFO';
  if (file.isSocket()) return 'a socket';
  return 'a device';
}

function unavailable(path: string, what: string, cause?: unknown): BackendUnavailableError {
  if (cause instanceof BackendUnavailableError) return cause;
  const why = cause instanceof Error ? `: ${cause.message}` : '';
  return new BackendUnavailableError(
    `the region ${path} ${what}${why}`,
    cause === undefined ? {} : { cause },
  );
}
