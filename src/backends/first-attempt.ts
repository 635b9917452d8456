/**
 * What `acquireSync` of each lock between threads does first, by itself: one CAS, by a guard that was made before. The `try`
 * forms do more, because they look at the word, and at who died, before they give up.
 */
import type { SyncGuard } from '../lock.js';
import { Mutex, MutexGuard } from '../primitives/mutex.js';
import { ReadGuard, ReadSide, WriteGuard, WriteSide } from '../primitives/read-write-lock.js';
import { PermitGuard, Semaphore } from '../primitives/semaphore.js';
import { ThreadLock } from '../primitives/thread-lock.js';
import { OWNER, WRITER, WRITE_WEIGHT } from '../space/words.js';

/** Undefined: it has none. A semaphore's is for one permit. */
export function firstAttemptAt(lock: object): (() => SyncGuard | null) | undefined {
  // A reentrant mutex has none: its tether is barred from the beginning. So is that of a lock once it was disposed of.
  if (!(lock instanceof ThreadLock) || lock.source.tether.cell === null) return undefined;
  if (lock instanceof Mutex) return () => enterMutex(lock);
  if (lock instanceof WriteSide) return () => enterWriting(lock);
  if (lock instanceof ReadSide) return () => enterReading(lock);
  if (lock instanceof Semaphore) return () => enterSemaphore(lock);
  return undefined;
}

function enterMutex({ source }: Mutex): MutexGuard | null {
  const guard = new MutexGuard(source.tether);
  return guard.enter(0) ? guard : null;
}

function enterWriting({ source }: WriteSide): WriteGuard | null {
  const guard = new WriteGuard(source.tether);
  return guard.enter(0) ? guard : null;
}

function enterReading({ source: { tether } }: ReadSide): ReadGuard | null {
  const word = tether.words[tether.word] as number;
  // Negative: somebody waits. The rest: held by a writer, or as many readers as can be.
  if (word < 0 || (word & WRITER) !== 0 || (word & OWNER) === WRITE_WEIGHT) return null;
  const guard = new ReadGuard(tether);
  return guard.enter(word) ? guard : null;
}

function enterSemaphore({ source: { tether } }: Semaphore): PermitGuard | null {
  const word = tether.words[tether.word] as number;
  if (word < 1) return null;
  const guard = new PermitGuard(tether, 1);
  return guard.enter(word) ? guard : null;
}
