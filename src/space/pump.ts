/**
 * Moves the async requests of one thread in one space: one armed `waitAsync` and one timer for all of them.
 * `waitAsync` does not keep the event loop alive; the timer does, as long as a request is pending, and it is
 * also the slice after which the thread asks whether those in its way still live.
 */
import { clearInterval, setInterval } from '../parker/clock.js';
import { SLICE, type Cell } from './cell.js';
import type { Attachment } from './threads.js';

export class Pump {
  readonly #attachment: Attachment;
  /** Cells with pending requests. */
  readonly #cells = new Set<Cell>();
  #timer: NodeJS.Timeout | null = null;
  #nudged = false;

  constructor(attachment: Attachment) {
    this.#attachment = attachment;
    attachment.onOwnWake = () => {
      this.nudge();
    };
  }

  get hasRequests(): boolean {
    return this.#cells.size > 0;
  }

  add(cell: Cell): void {
    this.#cells.add(cell);
    this.#timer ??= setInterval(() => {
      this.#sliceEnded();
    }, SLICE);
    const seen = this.#attachment.parker.prepare();
    this.#arm(seen);
  }

  remove(cell: Cell): void {
    this.#cells.delete(cell);
    if (this.#cells.size > 0 || this.#timer === null) return;
    clearInterval(this.#timer);
    this.#timer = null;
  }

  /** Looks after all pending requests in a microtask: a wake came from this thread itself. */
  nudge(): void {
    if (this.#nudged || this.#cells.size === 0) return;
    queueMicrotask(() => {
      this.#nudged = false;
      for (const cell of this.#cells) cell.advancePending();
    });
    this.#nudged = true;
  }

  /** Before this thread blocks: whatever its async requests were woken for goes to others. */
  declineAll(except: Cell): void {
    for (const cell of this.#cells) if (cell !== except) cell.decline();
  }

  #arm(seen: number): void {
    this.#attachment.parker.arm(seen, () => {
      // Before looking: an unpark after this line makes the next arming fire at once.
      const before = this.#attachment.parker.prepare();
      for (const cell of this.#cells) if (cell.queue.isWoken()) cell.advancePending();
      if (this.#cells.size > 0) this.#arm(before);
    });
  }

  #sliceEnded(): void {
    for (const cell of this.#cells) {
      cell.queue.visitOthers((thread) => {
        this.#attachment.probe(thread);
      });
      cell.advancePending();
    }
  }
}
