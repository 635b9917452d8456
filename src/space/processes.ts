/**
 * One thread's place in a space that processes share. As in `threads.ts`, but who lives is told by the entries' lives
 * (`lives.ts`), of which each thread holds the one of its entry.
 *
 * To attach, a thread needs an id for the latches before it has an entry. So there is one entry more than threads, and
 * its life is also the lock of those who attach: whoever holds it is the spare entry. The steps, of which any prefix is
 * left behind by a death:
 *
 * | step | a death after it leaves |
 * |---|---|
 * | hold the spare life | a life that has ended: the next one holds it |
 * | fill the spare entry | an id that the next one makes another one |
 * | take the space latch, as the spare | a latch whose stamp is dead |
 * | bury the dead | as in `threads.ts` |
 * | hold the life of a free entry | a free entry, whose life has ended |
 * | fill the entry | a thread that attached, and has died |
 * | free the latch, release the spare life | the same |
 *
 * So the life of an entry is held whenever its THREAD_STATE says that it is attached, or its thread is dead.
 */
import { BackendUnavailableError, SpaceFullError } from '../errors.js';
import { now } from '../parker/clock.js';
import { ProcessParker } from '../parker/process.js';
import { THREAD_STATE, threadAt } from './layout.js';
import type { Region, SpaceMemory } from './memory.js';
import { Attachment, PROBE_INTERVAL, fillEntry, findFreeEntry, withSpaceLatch } from './threads.js';

/** Milliseconds for which others may attach before that is an error: each does it in less than one. */
const PATIENCE = 20_000;

export class ProcessAttachment extends Attachment {
  readonly #region: Region;
  /** When it last looked for the dead. */
  #looked = 0;

  constructor(memory: SpaceMemory, index: number, id: number, region: Region) {
    super(memory, index, id, ProcessParker);
    this.#region = region;
  }

  protected override hasEnded(index: number): boolean {
    return this.#region.lives.hasEnded(index);
  }

  override lookForDead(): void {
    const time = now();
    if (time - this.#looked < PROBE_INTERVAL) return;
    this.#looked = time;
    this.reapDead();
  }

  override exclusively<T>(section: () => T): T {
    return withSpaceLatch(this.memory, section, this.id, this.isDead);
  }

  /** Its number says nothing here: a thread of another process may have it as well. Its life has ended. */
  override buryWorker(): void {
    this.reapDead();
  }
}

/** An entry of this thread. */
interface Entry {
  readonly attachment: WeakRef<Attachment>;
  readonly region: Region;
  readonly index: number;
}

const entries = new Set<Entry>();
const collected = new FinalizationRegistry<Entry>(leave);

/** One that nobody can use any more gives up its life, and others bury what it leaves. */
function leave(entry: Entry): void {
  if (!entries.delete(entry)) return;
  entry.region.lives.release(entry.index);
  entry.region.close();
}

/** Of a collection, one hears in a later turn of the event loop, and this thread may want its place now. */
function leaveCollected(): void {
  for (const entry of entries) if (entry.attachment.deref() === undefined) leave(entry);
}

/**
 * Gives this thread an entry in the space.
 * @throws SpaceFullError if every entry belongs to a living thread; BackendUnavailableError if another thread keeps on
 * attaching, which only one that was stopped does.
 */
export function attachProcess(memory: SpaceMemory, region: Region): Attachment {
  const { lives } = region;
  const spare = memory.geometry.threads;
  hold(region, spare);
  try {
    const undertaker = attachAs(spare, memory, region);
    return undertaker.exclusively(() => {
      undertaker.reapDeadLatched();
      let index = findFreeEntry(memory);
      if (index === undefined) {
        leaveCollected();
        undertaker.reapDeadLatched();
        index = findFreeEntry(memory);
      }
      if (index === undefined)
        throw new SpaceFullError(
          `the space ${region.path} has room for ${spare} threads, and all are in use`,
        );
      hold(region, index);
      try {
        const attachment = attachAs(index, memory, region);
        const entry = { attachment: new WeakRef(attachment), region, index };
        entries.add(entry);
        collected.register(attachment, entry);
        return attachment;
      } catch (error) {
        lives.release(index);
        throw error;
      }
    });
  } finally {
    lives.release(spare);
  }
}

/** Fills an entry whose life this thread holds. */
function attachAs(index: number, memory: SpaceMemory, region: Region): ProcessAttachment {
  fillEntry(memory, index);
  const id = Atomics.load(memory.words, threadAt(index) + THREAD_STATE);
  return new ProcessAttachment(memory, index, id, region);
}

function hold({ lives, path }: Region, index: number): void {
  for (const end = now() + PATIENCE; ;) {
    try {
      lives.hold(index);
      return;
    } catch (error) {
      const { code, message } = error as NodeJS.ErrnoException;
      if (code === 'EBUSY' && now() < end) continue;
      const why = WHY_NOT_HELD[code ?? ''] ?? `is damaged: ${message}`;
      throw new BackendUnavailableError(`the region ${path} ${why}`, { cause: error });
    }
  }
}

const WHY_NOT_HELD: Record<string, string | undefined> = {
  EBUSY: `has had a thread attaching to it for ${PATIENCE / 1000} s: is it stopped?`,
  ENOLCK: 'is one too many: this thread has 1999 open, and of more the system would not tell its end',
};
