/**
 * What the scripts of a lock are to answer, once more and as simple as can be: one lock and its queue, in this process, by
 * a clock that is told.
 */
const DAY = 86_400_000;
/** Milliseconds for which a waiter counts as living after it looked, and after it was woken. */
const PATIENCE = 3000;
const GRACE = 1000;

interface State {
  fence: number;
  holder: string | null;
  owner: string;
  since: number;
  wasAbandoned: boolean;
  /** When the key goes; a day before that the holder's time is up. */
  goes: number;
}

export class LockModel {
  /** By the server's clock. */
  micros: number;
  /** All who were told that their turn has come. */
  readonly woken: string[] = [];
  #lock: State | null = null;
  #queue: string[] = [];
  #alive = new Map<string, number>();
  /** When both of these go. */
  #queueGoes = 0;

  constructor(micros: number) {
    this.micros = micros;
  }

  get #now(): number {
    return Math.floor(this.micros / 1000);
  }

  /** Does somebody stand in the queue who lives? */
  get isWaitedFor(): boolean {
    this.#tidy();
    return this.#queue.some((token) => (this.#alive.get(token) ?? 0) > this.#now);
  }

  /** The clock is set back; what has expired by now is gone. */
  goBack(milliseconds: number): void {
    this.#tidy();
    this.micros -= milliseconds * 1000;
  }

  acquire(token: string, owner: string, since: number, ttl: number, queues: boolean): unknown {
    this.#tidy();
    const lock = this.#lock;
    let refused: unknown[];
    if (this.#isHeld()) {
      if (lock!.holder === token) {
        lock!.goes = this.#now + ttl + DAY;
        return this.#taken();
      }
      refused = [0, this.#left, lock!.owner];
    } else {
      const head = this.#head();
      if (head === undefined || head === token) {
        if (head !== undefined) this.#leave(token);
        const isOrphan = lock !== null && lock.holder !== null;
        const wasAbandoned = isOrphan && (lock.holder !== token || lock.wasAbandoned);
        const fence = Math.max(this.micros, (lock?.fence ?? 0) + 1);
        this.#lock = { fence, holder: token, owner, since, wasAbandoned, goes: this.#now + ttl + DAY };
        return this.#taken();
      }
      refused = [0, this.#alive.get(head)! - this.#now, ''];
    }
    if (queues) this.#stand(token);
    return refused;
  }

  release(token: string): number {
    this.#tidy();
    const wasHeld = this.#isHeld();
    const released = this.#lock?.holder === token;
    if (released) this.#lock!.holder = null;
    else if (!this.#leave(token) || wasHeld) return 0;
    this.#wake();
    return released ? 1 : 0;
  }

  extend(token: string, ttl: number): number {
    this.#tidy();
    if (!this.#isHeld() || this.#lock!.holder !== token) return 0;
    this.#lock!.goes = this.#now + ttl + DAY;
    return 1;
  }

  raise(token: string, fence: number): number {
    this.#tidy();
    if (!this.#isHeld() || this.#lock!.holder !== token) return 0;
    this.#lock!.fence = Math.max(this.#lock!.fence, fence);
    return 1;
  }

  info(): unknown {
    this.#tidy();
    const waiters = [...this.#alive.values()].filter((till) => till > this.#now).length;
    if (!this.#isHeld()) return ['', '', 0, 0, waiters];
    const { holder, owner, since } = this.#lock!;
    return [holder, owner, String(since), this.#left, waiters];
  }

  /** The server loses a key: the lock, the queue, or who of it lives. */
  lose(key: 'lock' | 'queue' | 'alive'): void {
    if (key === 'lock') this.#lock = null;
    else if (key === 'queue') this.#queue = [];
    else this.#alive.clear();
  }

  get #left(): number {
    return Math.max(0, this.#lock!.goes - this.#now - DAY);
  }

  #isHeld(): boolean {
    return this.#lock !== null && this.#lock.holder !== null && this.#left > 0;
  }

  #taken(): unknown {
    const { fence, wasAbandoned } = this.#lock!;
    return wasAbandoned ? [1, fence] : fence;
  }

  /** Drops what has expired. */
  #tidy(): void {
    if (this.#lock !== null && this.#now > this.#lock.goes) this.#lock = null;
    if (this.#now <= this.#queueGoes) return;
    this.#queue = [];
    this.#alive.clear();
  }

  /** The first who lives; the dead before it are gone then. A time that is too far away was set by another clock. */
  #head(): string | undefined {
    for (;;) {
      const token = this.#queue[0];
      if (token === undefined) return undefined;
      const till = Math.min(this.#alive.get(token) ?? 0, this.#now + PATIENCE);
      if (till > this.#now) {
        this.#alive.set(token, till);
        return token;
      }
      this.#queue.shift();
      this.#alive.delete(token);
    }
  }

  #stand(token: string): void {
    if (this.#queue.length === 0) this.#alive.clear();
    if (!this.#alive.has(token)) this.#queue.push(token);
    this.#alive.set(token, this.#now + PATIENCE);
    this.#queueGoes = this.#now + PATIENCE;
  }

  #leave(token: string): boolean {
    if (!this.#alive.delete(token)) return false;
    const place = this.#queue.indexOf(token);
    if (place !== -1) this.#queue.splice(place, 1);
    return true;
  }

  #wake(): void {
    const head = this.#head();
    if (head === undefined || this.#alive.get(head)! <= this.#now + GRACE) return;
    this.#alive.set(head, this.#now + GRACE);
    this.woken.push(head);
  }
}
