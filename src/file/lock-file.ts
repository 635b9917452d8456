/** One open lock file: how it is made, one attempt at its lock, and its removal. What is in it: `words.ts`. */
import { closeSync, fstatSync, readSync, unlinkSync, writeSync, type BigIntStats } from 'node:fs';
import { native, type NativeAddon } from '../native.js';
import { now } from '../parker/clock.js';
import { ownerBytes, readHolder, type Contents, type Holder } from './holder.js';
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
  MAGIC,
  VERSION,
  isToCome,
  until,
} from './words.js';

/** `gone`: the file is not at its path any more, so its lock is nobody's; open it again. */
export type Attempt = 'taken' | 'busy' | 'gone';

/** Milliseconds for which a waiter is believed after it should have looked again. */
const PATIENCE = 5;
/** What to sleep on where the file has nothing. */
const nothing = new Int32Array(new SharedArrayBuffer(4));

export class LockFile {
  readonly path: string;
  readonly fd: number;
  /** Device and inode. */
  readonly identity: string;
  readonly #addon: NativeAddon;
  /** Null while the file is blank: the first one who holds its lock writes what is in it. */
  #contents: Contents | null = null;
  /** The last moment until which this thread said that it waits. */
  #announced = 0;
  /** Was a fence compared with the time since the file was opened? */
  #isTimed = false;
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
    this.#unmap();
    closeSync(this.fd);
  }

  #unmap(): void {
    if (this.#contents !== null) this.#addon.unmap(this.#contents.words.buffer as ArrayBuffer);
    this.#contents = null;
  }

  /** One attempt, which does not wait. */
  attempt(shared: boolean): Attempt {
    const names = this.#flock(shared);
    if (names < 0) return 'busy';
    try {
      if (names === 0) return this.#giveUp();
      const contents = this.#live() ?? this.#fill();
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
    const words = this.#live()?.words;
    if (words !== undefined && !shared) {
      if (remove) this.#remove(words);
      Atomics.store(words, FILE_HELD, 0);
    }
    // Of those who shared it, the last one can have it alone. The news of a death stays in the file.
    if (words !== undefined && shared && remove && this.#flock(false) > 0) {
      if (Atomics.load(words, FILE_HELD) === 0) this.#remove(words);
    }
    this.#unlock();
    return this.#wake();
  }

  /** Wakes whoever waits, after a release. False: nobody was there to wake. */
  #wake(): boolean {
    const words = this.#live()?.words;
    if (words === undefined) return false;
    const waited = Atomics.load(words, FILE_WAITED);
    if (waited === 0) return false;
    const woken = this.#wakeAll(words);
    const nobody = !woken && (this.#addon.capabilities.futex || !isToCome(waited, now()));
    // Whoever waits again has written another moment.
    if (nobody) Atomics.compareExchange(words, FILE_WAITED, waited, 0);
    return !nobody;
  }

  /** The count to read before an attempt, for {@link sleep} and {@link watch}. */
  releases(): number {
    // Another one may have filled it meanwhile; without that, nobody would know of this waiter, nor wake it.
    if (this.#live() === null && fstatSync(this.fd).size > 0) this.#map();
    return this.#contents === null ? 0 : Atomics.load(this.#contents.words, FILE_RELEASES);
  }

  /** Says that this thread waits, and looks again within so many milliseconds. */
  announce(shared: boolean, milliseconds: number): void {
    const words = this.#live()?.words;
    if (words === undefined) return;
    const moment = until(now() + milliseconds + PATIENCE);
    this.#announced = moment;
    // Others may wait for longer, but whoever is left looks again before they are forgotten.
    Atomics.store(words, FILE_WAITED, moment);
    if (!shared) Atomics.store(words, FILE_WRITER_WAITED, moment);
  }

  /** This thread waits no more: it has what it waited for, or gives up. */
  forget(hasIt: boolean): void {
    const words = this.#live()?.words;
    const moment = this.#announced;
    if (words === undefined || moment === 0) return;
    this.#announced = 0;
    Atomics.compareExchange(words, FILE_WRITER_WAITED, moment, 0);
    // Those who wait for longer may have said so before. If it has the lock, its release finds out whether there are any.
    if (hasIt && this.#addon.capabilities.futex) return;
    if (Atomics.compareExchange(words, FILE_WAITED, moment, 0) === moment) this.#wakeAll(words);
  }

  /** Whoever waits looks again, and says again that it waits. False: nobody does. */
  #wakeAll(words: Int32Array): boolean {
    Atomics.add(words, FILE_RELEASES, 1);
    if (!this.#addon.capabilities.futex) return false;
    return unlessCut(() => this.#addon.futexWake(words, FILE_RELEASES, Infinity)) !== 0;
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
    const slept =
      words !== undefined &&
      this.#addon.capabilities.futex &&
      unlessCut(() => this.#addon.futexWait(words, FILE_RELEASES, seen, milliseconds)) !== undefined;
    if (!slept) Atomics.wait(nothing, 0, 0, milliseconds);
  }

  /** Calls back once when the count of releases differs from `seen`. Returns what takes it back; null: it never will. */
  watch(seen: number, callback: () => void): (() => void) | null {
    const words = this.#contents?.words;
    if (words === undefined || !this.#addon.capabilities.futex) return null;
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

  /** Who holds it exclusively, by what the file says: undefined if that is somebody who does not write to it. */
  holder(): Holder | undefined {
    const words = this.#live()?.words;
    return words === undefined || Atomics.load(words, FILE_HELD) === 0 ? undefined : this.lastHolder();
  }

  /** Who took it exclusively last; undefined if nobody ever did. */
  lastHolder(): Holder | undefined {
    const contents = this.#live();
    if (contents === null || contents.words[FILE_OWNER] === 0) return undefined;
    for (;;) {
      const fence = this.fence;
      const holder = readHolder(contents, fence);
      // The fence is written first: if it is still the same, so is the rest, but for a holder that writes just now.
      if (Object.is(this.fence, fence)) return holder;
    }
  }

  /**
   * Null: there is nothing, or not any more. A shell that says `9>a.lock` cuts the file off, and may write to it: then it
   * is not ours to write to. Whoever has its lock next fills it again.
   */
  #live(): Contents | null {
    const contents = this.#contents;
    if (contents === null || contents.words[FILE_MAGIC] === MAGIC) return contents;
    this.#unmap();
    this.#isTimed = false;
    return null;
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
    this.#wake(); // Somebody may have tried just then, and wait for what is nobody's.
    return 'gone';
  }

  #says(at: number): boolean {
    const words = this.#live()?.words;
    if (words === undefined) return false;
    const moment = Atomics.load(words, at);
    return moment !== 0 && isToCome(moment, now());
  }

  #sign({ words, doubles, bytes }: Contents): void {
    Atomics.store(words, FILE_HELD, 1);
    const last = doubles[FILE_FENCE_F64 / 2] as number;
    const next = Number.isSafeInteger(last) ? last + 1 : this.#addon.microseconds();
    // A loss of power may have set back what the file says. Nobody takes a lock twice in a microsecond, so the time is
    // never less than the fences before it. Once for each opening: who has opened it lives, and so does its memory.
    doubles[FILE_FENCE_F64 / 2] = this.#isTimed ? next : Math.max(next, this.#addon.microseconds());
    this.#isTimed = true;
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
      // It has gone, and the mark stays: by another name (a hard link) the file may still be there.
      if ((error as NodeJS.ErrnoException).code === 'ENOENT') return;
      // A folder that may not be written to: the file stays, and is good for the next.
      Atomics.store(words, FILE_REMOVED, 0);
      process.emitWarning(refusal(this.path, 'cannot be removed', error));
    }
  }

  /** Somebody died between the mark and the removal. */
  #finishRemoval(): Attempt {
    this.#unlock();
    if (this.#flock(false) < 0) return 'busy';
    const words = this.#live()?.words;
    if (words !== undefined) this.#remove(words);
    return this.#giveUp();
  }

  /** Under the lock. Those who share it may do so at the same time, and write the same but for the time. */
  #fill(): Contents | null {
    if (isBlank(this.fd)) {
      const words = new Int32Array(FILE_BYTES / 4);
      words[FILE_MAGIC] = MAGIC;
      words[FILE_VERSION] = VERSION;
      // Not 0: whoever shares it has the fence of the last exclusive hold, of a file that was here before as well.
      new Float64Array(words.buffer)[FILE_FENCE_F64 / 2] = this.#addon.microseconds();
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
   * Null if the file is not at its path any more, or blank.
   * @throws BackendUnavailableError if there is something else in the file.
   */
  #map(): Contents | null {
    const header = new Int32Array(2);
    const length = readSync(this.fd, new Uint8Array(header.buffer), 0, 8, 0);
    if (length === 0 || isBlank(this.fd)) return null;
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

/** Is it empty, or filled with zeros as a loss of power may leave it? */
function isBlank(fd: number): boolean {
  const { size } = fstatSync(fd);
  if (size !== FILE_BYTES) return size === 0;
  const bytes = Buffer.alloc(FILE_BYTES);
  readSync(fd, bytes, 0, FILE_BYTES, 0);
  return bytes.every((byte) => byte === 0);
}

/** Undefined if the memory was cut off just now: the kernel finds no word there. */
function unlessCut<T>(call: () => T): T | undefined {
  try {
    return call();
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'EFAULT') return undefined;
    throw error;
  }
}
