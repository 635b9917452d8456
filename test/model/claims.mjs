/** What must hold in every execution. A claim that does not hold throws. */
import { bits } from './space.mjs';
import { DEAD, ENDED } from './thread.mjs';

/** Sets of threads are numbers, with a bit for each of them: there are many executions, and few threads. */
const only = (index) => 1 << index;
const sizeOf = (threads) => (threads === 0 ? 0 : 1 + sizeOf(threads & (threads - 1)));
const firstOf = (threads) => Math.clz32(threads & -threads) ^ 31;

export class Claims {
  /** Who is in the critical section, alone; the dead stay until somebody was told of them. */
  inside = 0;
  insideSecond = 0;
  readers = 0;
  /** Permits held, by thread. */
  taken = [];
  inLatch = 0;
  left = 0;
  /** Where each name's lock is, and who is inside it. */
  named = new Map();
  /** Who has which name open, and where. */
  opened = [];
  /** Numbers of cells that one thread has given to others. */
  posts = new Map();
  /** How many exclusive owners of each lock were told of a death; how many died as such, of any lock. */
  told = new Map();
  lost = 0;
  /** Of each lock by its name; a lock without one has ''. */
  lastFence = new Map();
  /** Who has had its turn, where that matters. */
  turns = [];
  /** Sections that were entered. Decides nothing. */
  #sections = 0;
  #machine;
  #subject;
  #inOrder;

  constructor(machine, subject, inOrder) {
    this.#machine = machine;
    this.#subject = subject;
    this.#inOrder = inOrder;
    if ((subject.word & bits.ABANDONED) !== 0) this.lost++;
    if (subject.fence !== undefined) this.lastFence.set('', BigInt(subject.fence));
  }

  get sections() {
    return this.#sections;
  }

  #isDead(index) {
    return this.#machine.threads[index].state === DEAD;
  }

  /** The first one of them who lives. */
  #livingOf(threads) {
    for (let rest = threads; rest !== 0; rest &= rest - 1)
      if (!this.#isDead(firstOf(rest))) return firstOf(rest);
    return undefined;
  }

  /** An exclusive owner: nobody living may be inside, and the dead must be told of, once. */
  enterAlone(index, guard) {
    this.#enter(this.inside, index, guard);
    this.inside = only(index);
  }

  /** That thread dies, which owns so many locks, alone. */
  lose(index, owned) {
    this.lost += owned;
    this.opened = this.opened.filter((one) => one.index !== index);
  }

  leaveAlone(index) {
    this.inside &= ~only(index);
  }

  enterOneOfTwo(index, guard, isSecond) {
    if (!isSecond) {
      this.enterAlone(index, guard);
      return;
    }
    this.#enter(this.insideSecond, index, guard, 'second');
    this.insideSecond = only(index);
  }

  leaveOneOfTwo(index, isSecond) {
    if (isSecond) this.insideSecond &= ~only(index);
    else this.leaveAlone(index);
  }

  #enter(inside, index, guard, name = '') {
    this.#sections++;
    const other = this.#livingOf(inside);
    if (other !== undefined) throw new Error(`thread ${other} and thread ${index} are both inside`);
    if (this.#subject.isFenced === false) return;
    if (inside !== 0 && !guard.abandoned)
      throw new Error(`thread ${index} was not told that thread ${firstOf(inside)} died inside`);
    this.#checkTold(name, guard);
    this.#checkFence(index, name, guard);
  }

  #checkTold(name, { abandoned }) {
    if (!abandoned) return;
    const told = (this.told.get(name) ?? 0) + 1;
    if (told > this.lost) throw new Error(`${told} owners were told of ${this.lost} deaths`);
    this.told.set(name, told);
  }

  #checkFence(index, name, { fence }) {
    const last = this.lastFence.get(name) ?? 0n;
    // Where fences begin late, they are counted: each one is the next, unless somebody died with it.
    const isNext = fence === last + 1n || this.#machine.deaths > 0 || this.#subject.fence === undefined;
    if (fence <= last || !isNext) throw new Error(`thread ${index} has fence ${fence} after fence ${last}`);
    this.lastFence.set(name, fence);
  }

  enterAsWriter(index, guard) {
    const reader = this.#livingOf(this.readers);
    if (reader !== undefined) throw new Error(`thread ${index} writes while thread ${reader} reads`);
    this.enterAlone(index, guard);
  }

  enterAsReader(index, guard) {
    this.#sections++;
    const writer = this.#livingOf(this.inside);
    if (writer !== undefined) throw new Error(`thread ${index} reads while thread ${writer} writes`);
    if (this.inside !== 0 && !guard.abandoned)
      throw new Error(`reader ${index} was not told that thread ${firstOf(this.inside)} died inside`);
    const fence = this.lastFence.get('') ?? 0n;
    // A writer that died may have counted it up before it was inside.
    const mayBeHigher = this.#machine.deaths > 0 || this.#subject.isFenced === false;
    const isLast = guard.fence === fence || (guard.fence > fence && mayBeHigher);
    if (!isLast) throw new Error(`reader ${index} has fence ${guard.fence} after fence ${fence}`);
    if (guard.abandoned && (this.told.get('') ?? 0) >= this.lost)
      throw new Error(
        `reader ${index} was told of a death that did not happen, or that a writer was told of`,
      );
    this.readers |= only(index);
    const { places = Infinity } = this.#subject;
    const count = sizeOf(this.readers);
    if (count > places) throw new Error(`${count} read where ${places} may`);
  }

  /** Whoever downgrades was told as a writer; nobody has written since. */
  downgrade(fence, guard) {
    if (guard.fence !== fence) throw new Error(`fence ${fence} has become ${guard.fence} with a downgrade`);
    if (guard.abandoned) throw new Error('a death was told again with a downgrade');
  }

  leaveAsReader(index) {
    this.readers &= ~only(index);
  }

  take(index, weight) {
    this.#sections++;
    this.#inOrder?.(index);
    this.taken[index] = (this.taken[index] ?? 0) + weight;
    let sum = 0;
    for (const { index: other, state } of this.#machine.threads)
      if (state !== DEAD) sum += this.taken[other] ?? 0;
    const { permits } = this.#subject;
    if (sum > permits) throw new Error(`${sum} of ${permits} permits are held`);
  }

  giveBack(index, weight) {
    this.taken[index] -= weight;
  }

  enterLatch(index) {
    this.#sections++;
    const other = this.#livingOf(this.inLatch);
    if (other !== undefined) throw new Error(`thread ${other} and thread ${index} both have the latch`);
    this.inLatch = only(index);
  }

  leaveLatch(index) {
    this.inLatch &= ~only(index);
  }

  /** It does not come for the latch any more. */
  hasLeft(index) {
    this.left |= only(index);
  }

  haveAllLeft(threads) {
    return threads.every((index) => (this.left & only(index)) !== 0 || this.#isDead(index));
  }

  /** The same name is the same lock for all who have it open at a time, and another name is another one. */
  openNamed(index, name, { cell }) {
    for (const other of this.#users(this.opened)) {
      if ((other.name === name) === (other.cell === cell.index)) continue;
      throw new Error(
        `thread ${other.index} has '${other.name}' open in cell ${other.cell}, thread ${index} '${name}' in cell ${cell.index}`,
      );
    }
    // In one order, whoever came first: it decides nothing.
    this.opened = [...this.#users(this.opened), { index, name, cell: cell.index }].sort(
      (a, b) => a.index - b.index,
    );
  }

  closeNamed(index, name) {
    const at = this.opened.findIndex((one) => one.index === index && one.name === name);
    this.opened.splice(at, 1);
  }

  #users(some) {
    const { threads } = this.#machine;
    return some.filter(({ index }) => threads[index].state !== DEAD && threads[index].state !== ENDED);
  }

  /** Nobody is inside another lock in the same cell; fences grow even when a name is made anew. */
  enterNamed(index, name, { cell }, guard) {
    this.#sections++;
    const inside = this.named.get(name);
    if (inside !== undefined && !this.#isDead(inside.index))
      throw new Error(`thread ${inside.index} and thread ${index} are both inside '${name}'`);
    if (inside !== undefined && !guard.abandoned)
      throw new Error(`thread ${index} was not told that thread ${inside.index} died inside '${name}'`);
    for (const other of this.#users([...this.named.values()]))
      if (other.cell === cell.index)
        throw new Error(`thread ${other.index} is inside cell ${cell.index}, which has been made anew`);
    this.#checkTold(name, guard);
    this.#checkFence(index, name, guard);
    this.named.set(name, { index, cell: cell.index });
  }

  leaveNamed(index, name) {
    this.named.delete(name);
  }
}
