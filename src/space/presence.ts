/** One thread's presence in one space: its attachment, and the cells it has open. */
import { InvalidHandleError } from '../errors.js';
import { Cell } from './cell.js';
import { findCell, freeIfDone, markDisposed, markOpen, obtainCell, type CellDescription } from './cells.js';
import { HEADER_ECHO } from './layout.js';
import type { SpaceMemory } from './memory.js';
import { attachProcess } from './processes.js';
import { Pump } from './pump.js';
import { countWaiters } from './statistics.js';
import { attach, type Attachment } from './threads.js';

export class Presence {
  readonly memory: SpaceMemory;
  readonly attachment: Attachment;
  readonly pump: Pump;
  readonly cells: Map<number, Cell> = new Map<number, Cell>();

  constructor(memory: SpaceMemory) {
    this.memory = memory;
    const { region } = memory;
    this.attachment = region === undefined ? attach(memory) : attachProcess(memory, region);
    this.pump = new Pump(this.attachment);
  }

  /** The cell a name or description stands for, made if need be. See `obtainCell` for the errors. */
  obtain(wanted: CellDescription): Cell {
    const { memory, attachment } = this;
    return this.#use(attachment.exclusively(() => obtainCell(memory, attachment.index, wanted)));
  }

  /** The cell that a handle's number stands for. See `findCell` for the errors. */
  open(number: unknown, kinds: readonly number[]): Cell {
    const { memory, attachment } = this;
    const index = attachment.exclusively(() => {
      const found = findCell(memory, number, kinds);
      markOpen(memory, attachment.index, found, true);
      return found;
    });
    return this.#use(index);
  }

  #use(index: number): Cell {
    let cell = this.cells.get(index);
    if (cell === undefined) {
      cell = new Cell(this.attachment, this.pump, index);
      this.cells.set(index, cell);
    }
    cell.users++;
    return cell;
  }

  /** One user of a cell less. The last one of this thread closes it. */
  leave(cell: Cell): void {
    cell.users--;
    this.closeIdle(cell);
  }

  /** Closes a cell that has no user in this thread any more, unless the thread still holds it or waits. */
  closeIdle(cell: Cell): void {
    if (cell.users > 0 || cell.hasPending || this.holds(cell)) return;
    this.cells.delete(cell.index);
    this.attachment.exclusively(() => {
      markOpen(this.memory, this.attachment.index, cell.index, false);
      freeIfDone(this.memory, cell.index);
    });
  }

  /** From now on the cell is given back as soon as no thread has it open. */
  dispose(cell: Cell): void {
    this.attachment.exclusively(() => {
      markDisposed(this.memory, cell.index);
    });
    this.leave(cell);
  }

  /** Does this thread hold it, in any way? */
  holds(cell: Cell): boolean {
    const { rules, words, word } = cell.queue;
    return cell.ownHold > 0 || rules.owner(words[word] ?? 0) === this.attachment.id;
  }

  isWaitedFor(cell: Cell): boolean {
    return countWaiters(this.memory, cell.index) > 0;
  }

  /**
   * Does a buffer with our id share our memory? A copy of it has the id as well. Only our own memory is written.
   * @throws InvalidHandleError if it is a copy.
   */
  checkSame(other: SpaceMemory): void {
    const before = Atomics.load(other.words, HEADER_ECHO);
    Atomics.add(this.memory.words, HEADER_ECHO, 1);
    // A copy changes in between only if others take it for a space, and one of them asks the same just now.
    const after = Atomics.load(other.words, HEADER_ECHO);
    if (after === before)
      throw new InvalidHandleError('handle.memory is a copy of a space, not the space itself');
  }
}
