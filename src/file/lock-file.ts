/** One open lock file: how it is made, one attempt at its lock, and its removal. What is in it: `words.ts`. */
import { closeSync, fstatSync, readSync, unlinkSync, writeSync, type BigIntStats } from 'node:fs';
import { hostname } from 'node:os';
import { threadId } from 'node:worker_threads';
import { native, type NativeAddon } from '../native.js';
import { now } from '../parker/clock.js';
import { identityOf, mapFile, openExisting, openOrMake } from './opening.js';
import { refusal, unfit } from './refusal.js';
import {
  FILE_BYTES,
  FILE_FENCE_F64,
  FILE_HELD,
  FILE_MAGIC,
  FILE_OWNER,
  FILE_RELEASES,
  FILE_REMOVED,
  FILE_SINCE_F64,
  FILE_VERSION,
  FILE_WAITED,
  FILE_WRITER_WAITED,
  HOST_BYTES,
  MAGIC,
  OWNER_WORDS,
  VERSION,
  isToCome,
  until,
} from './words.js';

/** `gone`: the file is not at its path any more, so its lock is nobody's; open it again. */
export type Attempt = 'taken' | 'busy' | 'gone';

/** The last exclusive holder, as the file has it. */
export interface Holder {
  readonly pid: number;
  readonly threadId: number;
  readonly host: string;
  readonly since: number;
  readonly fence: number;
}

export function describe({ pid, threadId, host }: Holder): string {
  return `thread ${threadId} of process ${pid} on ${host}`;
}

interface Contents {
  readonly words: Int32Array;
  readonly doubles: Float64Array;
  readonly bytes: Uint8Array;
}

/** Milliseconds for which a waiter is believed after it should have looked again. */
const PATIENCE = 5;
/** What to sleep on where the file has nothing. */
const nothing = new Int32Array(new SharedArrayBuffer(4));
const ownerBytes: Uint8Array = describeOwner();

export class LockFile {
  readonly path: string;
  readonly fd: number;
  /** Device and inode. */
  readonly identity: string;
  readonly #addon: NativeAddon;
  /** Null while the file is empty: the first one who holds its lock writes what is in it. */
  #contents: Contents | null = null;
  /** The last moment until which this thread said that it waits. */
  #announced = 0;
  /** Of the last attempt that took the lock: did its exclusive holder die? */
  abandoned = false;

  private constructor(path: string, fd: number, status: BigIntStats) {
    this.path = path;
    this.fd = fd;
    this.identity = `${status.dev}:${status.ino}`;
    this.#addon = native();
    if (status.size > 0n) this.#map();
  }

  /**
   * Opens it; makes it, and its folder, if need be.
   * @throws BackendUnavailableError if it cannot be a lock file, or the system refuses.
   */
  static open(path: string, mode: number): LockFile {
    const fd = openOrMake(path, mode);
    return LockFile.#around(path, fd);
  }

  /** Undefined if there is none. */
  static find(path: string): LockFile | undefined {
    const fd = openExisting(path);
    return fd === undefined ? undefined : LockFile.#around(path, fd);
  }

  static #around(path: string, fd: number): LockFile {
    try {
      const status = fstatSync(fd, { bigint: true });
      if (!status.isFile()) throw unfit(path, 'is not a regular file and cannot be a lock file');
      return new LockFile(path, fd, status);
    } catch (error) {
      closeSync(fd);
      throw error;
    }
  }

  close(): void {
    closeSync(this.fd);
  }

  /** One attempt, which does not wait. */
  attempt(shared: boolean): Attempt {
    const names = this.#flock(shared);
    if (names < 0) return 'busy';
    try {
      if (names === 0) return this.#giveUp();
      const contents = this.#contents ?? this.#fill();
      if (contents === null) return this.#giveUp();
      if (Atomics.load(contents.words, FILE_REMOVED) !== 0) return this.#finishRemoval();
      this.abandoned = Atomics.load(contents.words, FILE_HELD) !== 0;
      if (!shared) this.#sign(contents);
      return 'taken';
    } catch (error) {
      this.#unlock();
      throw error;
    }
  }

  /** Ends the hold, removes the file if asked to, and wakes those who wait. False: nobody was there to wake. */
  release(shared: boolean, remove: boolean): boolean {
    const { words } = this.#contents as Contents;
    if (!shared) {
      if (remove) this.#remove(words);
      Atomics.store(words, FILE_HELD, 0);
    }
    // Of those who shared it, the last one can have it alone. The news of a death stays in the file.
    if (shared && remove && this.#flock(false) > 0) {
      if (Atomics.load(words, FILE_HELD) === 0) this.#remove(words);
    }
    this.#unlock();
    return this.#wake();
  }

  /** Wakes whoever waits, after a release. False: nobody was there to wake. */
  #wake(): boolean {
    const words = this.#contents?.words;
    if (words === undefined) return false;
    const waited = Atomics.load(words, FILE_WAITED);
    if (waited === 0) return false;
    Atomics.add(words, FILE_RELEASES, 1);
    const nobody = this.#addon.capabilities.futex
      ? this.#addon.futexWake(words, FILE_RELEASES, Infinity) === 0
      : !isToCome(waited, now());
    // Whoever waits again has written another moment.
    if (nobody) Atomics.compareExchange(words, FILE_WAITED, waited, 0);
    return !nobody;
  }

  /** The count to read before an attempt, for {@link sleep} and {@link watch}. */
  releases(): number {
    return this.#contents === null ? 0 : Atomics.load(this.#contents.words, FILE_RELEASES);
  }

  /** Says that this thread waits, and looks again within so many milliseconds. */
  announce(shared: boolean, milliseconds: number): void {
    const words = this.#contents?.words;
    if (words === undefined) return;
    const moment = until(now() + milliseconds + PATIENCE);
    this.#announced = moment;
    // Others may wait for longer, but whoever is left looks again before they are forgotten.
    Atomics.store(words, FILE_WAITED, moment);
    if (!shared) Atomics.store(words, FILE_WRITER_WAITED, moment);
  }

  /** This thread waits no more. If another one has said since that it waits, that stays. */
  forget(): void {
    const words = this.#contents?.words;
    if (words === undefined || this.#announced === 0) return;
    Atomics.compareExchange(words, FILE_WAITED, this.#announced, 0);
    Atomics.compareExchange(words, FILE_WRITER_WAITED, this.#announced, 0);
    this.#announced = 0;
  }

  isWaitedFor(): boolean {
    return this.#says(FILE_WAITED);
  }

  isWaitedForByWriter(): boolean {
    return this.#says(FILE_WRITER_WAITED);
  }

  /** Blocks until the count of releases differs from `seen`, at most so many milliseconds. */
  sleep(seen: number, milliseconds: number): void {
    const words = this.#contents?.words;
    if (words !== undefined && this.#addon.capabilities.futex)
      this.#addon.futexWait(words, FILE_RELEASES, seen, milliseconds);
    else Atomics.wait(nothing, 0, 0, milliseconds);
  }

  /** Calls back once when the count of releases differs from `seen`. Returns what takes it back. */
  watch(seen: number, callback: () => void): () => void {
    const words = this.#contents?.words;
    if (words === undefined || !this.#addon.capabilities.futex) return () => {};
    const id = this.#addon.watch(words, FILE_RELEASES, seen, callback);
    return () => this.#addon.unwatch(id);
  }

  /** Who holds the lock now, this open file apart. Takes it for a moment to see, unless it is held exclusively. */
  look(): 'free' | 'shared' | 'exclusive' {
    if (this.#flock(true) < 0) return 'exclusive';
    const alone = this.#flock(false) >= 0;
    this.#unlock();
    this.#wake(); // Somebody may have tried just then.
    return alone ? 'free' : 'shared';
  }

  get fence(): number {
    return this.#contents?.doubles[FILE_FENCE_F64 / 2] ?? 0;
  }

  /** Who took it exclusively last. */
  holder(): Holder | undefined {
    const contents = this.#contents;
    if (contents === null) return undefined;
    for (;;) {
      const fence = this.fence;
      const holder = readHolder(contents, fence);
      // The fence is written first: if it is still the same, so is the rest, but for a holder that writes just now.
      if (Object.is(this.fence, fence)) return holder;
    }
  }

  /** How many names the file has, now that its lock is taken; -1: it is not. */
  #flock(shared: boolean): number {
    const { flockModes } = this.#addon;
    try {
      return this.#addon.flockLinks(this.fd, shared ? flockModes.shared : flockModes.exclusive);
    } catch (error) {
      throw refusal(this.path, 'cannot be locked', error);
    }
  }

  #unlock(): void {
    this.#addon.flock(this.fd, this.#addon.flockModes.unlock);
  }

  #giveUp(): Attempt {
    this.#unlock();
    return 'gone';
  }

  #says(at: number): boolean {
    const words = this.#contents?.words;
    if (words === undefined) return false;
    const moment = Atomics.load(words, at);
    return moment !== 0 && isToCome(moment, now());
  }

  #sign({ words, doubles, bytes }: Contents): void {
    Atomics.store(words, FILE_HELD, 1);
    doubles[FILE_FENCE_F64 / 2] = (doubles[FILE_FENCE_F64 / 2] ?? 0) + 1;
    doubles[FILE_SINCE_F64 / 2] = Date.now();
    bytes.set(ownerBytes, FILE_OWNER * 4);
  }

  /**
   * Under the lock, so that nobody takes it any more: whoever had the file open sees FILE_REMOVED and opens the path
   * again. Only the holder of what the path names removes it: without that, one who was late would remove the next file.
   */
  #remove(words: Int32Array): void {
    Atomics.store(words, FILE_REMOVED, 1);
    try {
      if (identityOf(this.path) === this.identity) unlinkSync(this.path);
    } catch (error) {
      // A folder that may not be written to: the file stays, and is good for the next.
      Atomics.store(words, FILE_REMOVED, 0);
      if ((error as NodeJS.ErrnoException).code !== 'ENOENT')
        process.emitWarning(refusal(this.path, 'cannot be removed', error));
    }
  }

  /** Somebody died between the mark and the removal. */
  #finishRemoval(): Attempt {
    this.#unlock();
    if (this.#flock(false) < 0) return 'busy';
    this.#remove((this.#contents as Contents).words);
    return this.#giveUp();
  }

  /** Under the lock. Those who share it may do so at the same time, and write the same but for the time. */
  #fill(): Contents | null {
    if (fstatSync(this.fd).size === 0) {
      const words = new Int32Array(FILE_BYTES / 4);
      words[FILE_MAGIC] = MAGIC;
      words[FILE_VERSION] = VERSION;
      // Not 0: the fence of a file that was here before must not come again.
      new Float64Array(words.buffer)[FILE_FENCE_F64 / 2] = Date.now() * 1000;
      try {
        // One write: whoever is killed has written all of it or nothing.
        writeSync(this.fd, new Uint8Array(words.buffer), 0, FILE_BYTES, 0);
      } catch (error) {
        throw refusal(this.path, 'cannot be written', error);
      }
    }
    return this.#map();
  }

  /**
   * Null if the file is not at its path any more.
   * @throws BackendUnavailableError if there is something else in the file.
   */
  #map(): Contents | null {
    const header = new Int32Array(2);
    const length = readSync(this.fd, new Uint8Array(header.buffer), 0, 8, 0);
    if (length < 8 || header[FILE_MAGIC] !== MAGIC)
      throw unfit(this.path, 'is not a lock file: it has other contents, which stay as they are');
    if (header[FILE_VERSION] !== VERSION)
      throw unfit(
        this.path,
        `is a lock file of version ${header[FILE_VERSION]}; this copy of mortise knows version ${VERSION}`,
      );
    const buffer = mapFile(this.path, this.identity);
    if (buffer === undefined) return null;
    return (this.#contents = {
      words: new Int32Array(buffer),
      doubles: new Float64Array(buffer),
      bytes: new Uint8Array(buffer),
    });
  }
}

function describeOwner(): Uint8Array {
  const host = Buffer.from(hostname()).subarray(0, HOST_BYTES);
  const words = Int32Array.of(process.pid, threadId, host.length);
  return Buffer.concat([new Uint8Array(words.buffer), host]);
}

function readHolder({ words, doubles, bytes }: Contents, fence: number): Holder {
  const length = Math.min(words[FILE_OWNER + 2] ?? 0, HOST_BYTES);
  const host = (FILE_OWNER + OWNER_WORDS) * 4;
  return {
    pid: words[FILE_OWNER] ?? 0,
    threadId: words[FILE_OWNER + 1] ?? 0,
    host: Buffer.from(bytes.subarray(host, host + length)).toString(),
    since: doubles[FILE_SINCE_F64 / 2] ?? 0,
    fence,
  };
}
