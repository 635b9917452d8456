/** What the memory of a space tells those who look for deadlocks. */
import { hostname } from 'node:os';
import type { Blocked, Requests, ThreadCensus } from '../deadlocks/census.js';
import { UnsupportedError } from '../errors.js';
import type { SyncGuard } from '../lock.js';
import { EVERYTHING, type Hold, type Party, type Subject, type Wait } from '../deadlocks/wait.js';
import type { Space } from '../primitives/space.js';
import { Acquirable, ThreadLock } from '../primitives/thread-lock.js';
import type { Cell } from '../space/cell.js';
import { cellNumber } from '../space/cells.js';
import { blockedThreads, holdsOf, modeOf, pauseFor, ticketOf, type CellSeen } from '../space/holders.js';
import type { SpaceMemory } from '../space/memory.js';
import { KIND_READ_WRITE_LOCK, KIND_SEMAPHORE } from '../space/layout.js';
import type { Presence } from '../space/presence.js';
import { runtime } from '../space/runtime.js';

const host = hostname();

export class SpaceCensus implements ThreadCensus {
  readonly #space: () => Space;
  #known: Presence | undefined;

  constructor(space: () => Space) {
    this.#space = space;
  }

  get id(): string | undefined {
    try {
      return this.#memory.id;
    } catch (error) {
      // This worker has inherited no space.
      if (error instanceof UnsupportedError) return undefined;
      throw error;
    }
  }

  identify(lock: object): string | undefined {
    const cell = this.#cellOf(lock);
    return cell && this.#idOf(cellNumber(this.#memory, cell.index));
  }

  requests(lock: object): Requests {
    return new CellRequests(this.#cellOf(lock) as Cell);
  }

  firstAttempt(lock: object): (() => SyncGuard | null) | undefined {
    return lock instanceof Acquirable ? lock.firstAttempt() : undefined;
  }

  announce(lock: object): () => void {
    const cell = this.#cellOf(lock) as Cell;
    const { attachment, pump } = this.#presence;
    attachment.setBlocked(cell.index);
    // As a thread that blocks does: others see at once that it does not answer.
    if (pump.hasRequests) pump.declineAll(cell);
    return () => {
      attachment.setBlocked(-1);
      pump.nudge();
    };
  }

  blocked(backend: string): Blocked[] {
    return blockedThreads(this.#memory).map((thread) => {
      const { cell, kind, permits, request } = thread;
      const party: Party = { host, process: thread.pid, thread: thread.threadId };
      const subject = this.#subjectOf(backend, thread, permits);
      // Who has not said yet how much he asks for is taken to ask for all there is.
      const weight = request?.weight ?? subject.capacity;
      const wait: Wait = {
        id: `${this.#idOf(cell)}@${thread.id}:${request?.ticket}`,
        subject,
        mode: modeOf(kind, weight),
        weight: isExclusive(kind) ? EVERYTHING : weight,
        since: undefined,
        where: undefined,
        party,
        task: undefined,
        bare: false,
        blocking: true,
        order: 0,
        ticket: request?.ticket,
        endable: false,
        // Not of the lock that it waits for: just granted, it may have it and still stand in the queue.
        holds: this.held(backend, party).filter((hold) => hold.subject.id !== subject.id),
      };
      return { wait, undecided: request === undefined };
    });
  }

  held(backend: string, { process, thread }: Party): Hold[] {
    return holdsOf(this.#memory, process, thread).map((hold) => {
      // What is held alone is held whole; else the mode is that of a reader, or of permits.
      const weight = hold.exclusive ? EVERYTHING : hold.units;
      const subject = this.#subjectOf(backend, hold, hold.permits);
      const id = `${subject.id}@${process}/${thread}:${hold.stamp}`;
      return { id, subject, mode: modeOf(hold.kind, weight), weight, since: undefined, where: undefined };
    });
  }

  pause(): void {
    const { memory, attachment } = this.#presence;
    pauseFor(memory, attachment.index, 1);
  }

  #subjectOf(backend: string, { cell, name = 'a lock', kind }: CellSeen, permits: number): Subject {
    const isSemaphore = kind === KIND_SEMAPHORE;
    return {
      id: this.#idOf(cell),
      name,
      backend,
      capacity: isSemaphore ? permits : EVERYTHING,
      fifo: isSemaphore || kind === KIND_READ_WRITE_LOCK,
    };
  }

  #idOf(cell: number): string {
    return `${this.#memory.id}#${cell}`;
  }

  get #memory(): SpaceMemory {
    return this.#presence.memory;
  }

  get #presence(): Presence {
    return (this.#known ??= runtime().presenceOf(this.#space()));
  }

  #cellOf(lock: object): Cell | undefined {
    if (!(lock instanceof ThreadLock)) return undefined;
    const { presence, cell } = lock['opened'];
    return presence === this.#presence ? cell : undefined;
  }
}

function isExclusive(kind: number): boolean {
  return kind !== KIND_SEMAPHORE && kind !== KIND_READ_WRITE_LOCK;
}

/** The requests of this thread for one cell. */
class CellRequests implements Requests {
  readonly #cell: Cell;

  constructor(cell: Cell) {
    this.#cell = cell;
  }

  get isPending(): boolean {
    return this.#cell.hasPending;
  }

  get ticket(): number | undefined {
    const { queue, attachment, index } = this.#cell;
    return ticketOf(queue.memory, attachment.index, index);
  }
}
