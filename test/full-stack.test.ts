/**
 * A call may fail anywhere inside with a RangeError when the stack is full. Whatever it was, a hold is then
 * either gone, or its guard says that it is held and can release it.
 */
import { describe, expect, test } from 'vitest';
import { Mutex, ReadWriteLock, Semaphore, type LockStats, type SyncGuard, type SyncLock } from 'mortise';
import { startThread } from './fixtures/thread.ts';
import { words } from './fixtures/until.ts';

const kinds: Record<
  string,
  () => { lock: SyncLock; handle: object; stats: () => LockStats; face?: 'reader' | 'writer' }
> = {
  'a mutex': () => {
    const lock = new Mutex();
    return { lock, handle: lock.handle, stats: () => lock.stats() };
  },
  'a reentrant mutex': () => {
    const lock = new Mutex({ reentrant: true });
    return { lock, handle: lock.handle, stats: () => lock.stats() };
  },
  'a semaphore': () => {
    const lock = new Semaphore(1);
    return { lock, handle: lock.handle, stats: () => lock.stats() };
  },
  'a reader': () => {
    const rw = new ReadWriteLock();
    return { lock: rw.reader, handle: rw.handle, stats: () => rw.stats(), face: 'reader' };
  },
  'a writer': () => {
    const rw = new ReadWriteLock();
    return { lock: rw.writer, handle: rw.handle, stats: () => rw.stats(), face: 'writer' };
  },
};

/** Fills the stack and calls `use` in the outermost frames in which it can, from several depths. */
function onFullStack(use: () => void): number {
  let overflows = 0;
  const descend = (): void => {
    try {
      descend();
    } catch (error) {
      if (!(error instanceof RangeError)) throw error;
      overflows++;
    }
    // Fails as long as there is too little room, and works further out.
    use();
  };
  const pad = (frames: number): void => {
    if (frames === 0) descend();
    else pad(frames - 1);
  };
  for (let frames = 0; frames < 30; frames++) {
    try {
      pad(frames);
    } catch (error) {
      expect(error).toBeInstanceOf(RangeError);
    }
  }
  return overflows;
}

describe('On a full stack', () => {
  for (const [kind, make] of Object.entries(kinds)) {
    for (const how of ['alone', 'with another thread that wants it'] as const) {
      test(`no hold is lost: ${kind}, ${how}`, async () => {
        const { lock, handle, stats, face } = make();
        const w = words();
        const thread = await startThread();
        const other =
          how === 'alone'
            ? Promise.resolve()
            : thread.run(
                ({ lockOf }, { sent, w }) => {
                  const lock = lockOf(sent);
                  while (Atomics.load(w, 0) === 0) lock.acquireSync().release();
                },
                { sent: { handle, face }, w },
              );
        const kept = new Set<SyncGuard>();
        let acquired = 0;
        let uses = 0;
        const overflows = onFullStack(() => {
          if (uses++ > 3_000) return;
          for (const guard of kept) {
            guard.release();
            if (!guard.held) kept.delete(guard);
          }
          const guard = lock.acquireSync();
          acquired++;
          kept.add(guard);
        });
        expect(overflows).toBeGreaterThan(0);
        expect(acquired).toBeGreaterThan(0);
        for (const guard of kept) expect(guard.release()).toBe(guard.held ? expect.fail('still held') : true);
        Atomics.store(w, 0, 1);
        await other;
        expect(stats()).toMatchObject({ holders: 0, waiters: 0 });
        expect(lock.acquireSync({ timeout: 0 }).release()).toBe(true);
        await thread.terminate();
      });
    }
  }
});
