/** Files as memory that processes share, and the locks on them: what the addon does with a file descriptor. */
import { UnsupportedError } from '../errors.js';
import { native, systemName } from '../native.js';

let system: string | undefined;

/** What a life takes of the memory, in bytes. */
export function lifeBytes(): number {
  return native().lifeBytes;
}

/**
 * The system that the lives are made by, such as `linux-x64`: those of another processor or C library are not the same.
 * @throws UnsupportedError if it cannot tell who lives, or wake other processes; NativeAddonError without the addon.
 */
export function checkSystem(): string {
  const { platform, futex, robustMutex } = native().capabilities;
  if (!futex || !robustMutex)
    throw new UnsupportedError(
      `Space.open() needs futexes and robust mutexes that reach across processes, and ${platform} has none`,
    );
  return (system ??= systemName());
}

/** The first `bytes` of a file as memory. Every call gives another ArrayBuffer over the same memory. */
export function mapFile(fd: number, bytes: number): ArrayBuffer {
  return native().map(fd, bytes);
}

export type FileLockMode = 'shared' | 'exclusive' | 'unlock';

/** `flock(2)`, without waiting. False: another open file has it, and this one has none (any more). */
export function tryFileLock(fd: number, mode: FileLockMode): boolean {
  const addon = native();
  return addon.flock(fd, addon.flockModes[mode]);
}
