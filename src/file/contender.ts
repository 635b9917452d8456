/**
 * How one thread contends for one lock file. The kernel decides between open files (`flock`); this decides between the
 * requests of the thread, first come, first served, and says how the first of them waits: it is woken by whoever
 * releases, and looks by itself now and then, because a holder that is killed wakes nobody.
 *
 * | state | `sharers` | `isExclusive` | the open file |
 * |---|---|---|---|
 * | idle | 0 | false | open or closed |
 * | shared | number of guards | false | has the lock |
 * | exclusive | 0 | true | has the lock |
 *
 * Fairness between processes: whoever comes while others wait lets them go first once; who shares the lock lets those
 * who want it alone go first for {@link DEFERENCE} milliseconds.
 */
import type { Deadline } from '../deadline.js';
import { DeadlockError, LockTimeoutError } from '../errors.js';
import { MAX_DELAY, after } from '../parker/after.js';
import { clearTimeout, now, setTimeout } from '../parker/clock.js';
import { onAbort } from '../primitives/abort.js';
import { FileGuard, Tether, watchForLostGuards } from './guard.js';
import { describe } from './holder.js';
import { LockFile, type Attempt } from './lock-file.js';
import { unfit } from './refusal.js';

/** Milliseconds until a waiter looks by itself: the first time, and at the most. */
const FIRST_LOOK = 1;
const LONGEST_LOOK = 20;
/**
 * Milliseconds for each file, in a thread that waits for many: it looks some 2500 times a second, however many there are.
 * At the most; `words.ts` believes a waiter for one second.
 */
const LOOK_SHARE = 0.4;
const LONGEST_SHARE = 500;
/** Milliseconds for which those who share wait behind those who do not. */
const DEFERENCE = 50;
/** Files that a thread keeps open though it does not use them now: opening one costs many times what locking does. */
const MOST_IDLE = 64;
/** Times that the file is opened again in one attempt, because it has gone from its path. */
const MOST_REMOVALS = 1000;

/** What somebody wants of the lock. */
export interface Wish {
  readonly shared: boolean;
  /** Of a file that is made. */
  readonly mode: number;
  readonly removeOnRelease: boolean;
  /** Guards that were given to it and are not released. */
  held: number;
}

interface Request {
  readonly wish: Wish;
  readonly signal: AbortSignal | undefined;
  readonly since: number;
  readonly grant: (guard: FileGuard) => void;
  readonly fail: (error: Error) => void;
}

const contenders = new Map<string, Contender>();
/** Those whose foremost request waits, and looks by itself now and then. */
const looking = new Set<Contender>();
watchForLostGuards(() => contenders.values());

/** This thread's contender for an absolute path. */
export function contenderFor(path: string): Contender {
  let contender = contenders.get(path);
  if (contender === undefined) {
    closeIdle();
    contender = new Contender(path);
    contenders.set(path, contender);
  }
  return contender;
}

function closeIdle(): void {
  for (const contender of contenders.values()) {
    if (contenders.size < MOST_IDLE) return;
    contender.closeIfIdle();
  }
}

export class Contender {
  readonly path: string;
  #file: LockFile | null = null;
  #sharers = 0;
  #isExclusive = false;
  readonly #queue: Request[] = [];
  tether: Tether = new Tether();
  /** While the foremost request waits. */
  #look = FIRST_LOOK;
  #timer: NodeJS.Timeout | undefined;
  /** The count of releases that the timer's look found, and who is told when it changes. */
  #watch: { file: LockFile; seen: number; end: () => void } | null = null;

  constructor(path: string) {
    this.path = path;
  }

  get isHeld(): boolean {
    return this.#isExclusive || this.#sharers > 0;
  }

  get isHeldExclusively(): boolean {
    return this.#isExclusive;
  }

  get sharers(): number {
    return this.#sharers;
  }

  get waiting(): number {
    return this.#queue.length;
  }

  /** The open file; undefined if it is closed. */
  get openFile(): LockFile | undefined {
    return this.#file ?? undefined;
  }

  closeIfIdle(): void {
    if (this.isHeld || this.#queue.length > 0) return;
    contenders.delete(this.path);
    this.#close();
  }

  /** One attempt that does not wait. */
  try(wish: Wish): FileGuard | null {
    if (this.isHeld) return this.#joins(wish) ? this.#granted(wish) : null;
    return this.#attempt(wish) ? this.#granted(wish) : null;
  }

  /**
   * Blocks. Does not queue behind the async requests of its own thread, which cannot go on meanwhile.
   * @throws LockTimeoutError; DeadlockError if this thread itself keeps the lock.
   */
  acquireBlocking(wish: Wish, { timeout }: Deadline): FileGuard {
    let isItsTurn = timeout === 0 || !this.#letsOthersGoFirst();
    const guard = isItsTurn ? this.try(wish) : null;
    if (guard !== null) return guard;
    if (timeout === 0) throw this.#timedOut(timeout);
    if (this.isHeld) throw this.#deadlock(this.path);
    const since = now();
    for (let look = FIRST_LOOK; ; look = next(look, 1)) {
      const file = this.#open(wish.mode);
      const seen = file.releases();
      const left = Math.max(0, timeout - (now() - since));
      const slice = Math.min(look, left);
      // Whoever releases before this line leaves the lock free for the attempt, and whoever does after it wakes us.
      file.announce(wish.shared, slice);
      const taken = isItsTurn ? this.#tryBehindWriters(wish, since) : null;
      if (taken !== null) return taken;
      // It was removed, and the attempt was at the next one: nobody wakes those who wait for the old one.
      if (this.#file !== file) continue;
      if (left === 0) {
        file.forget(false);
        throw this.#timedOut(timeout);
      }
      const other = holderInThisThread(file.identity);
      if (other !== undefined) throw this.#deadlock(other);
      file.sleep(seen, slice);
      isItsTurn = true;
    }
  }

  acquire(wish: Wish, { timeout, signal }: Deadline): Promise<FileGuard> {
    const isItsTurn = timeout === 0 || !this.#letsOthersGoFirst();
    const guard =
      isItsTurn && this.#queue.length === 0 && !(this.#joins(wish) && this.#isBarred(wish, now()))
        ? this.try(wish)
        : null;
    if (guard !== null) return Promise.resolve(guard);
    if (timeout === 0) return Promise.reject(this.#timedOut(timeout));
    return new Promise((resolve, reject) => {
      const cancel = (reason: Error): void => {
        end();
        const place = this.#queue.indexOf(request);
        this.#queue.splice(place, 1);
        this.#look = FIRST_LOOK;
        if (place === 0) this.#serve();
        reject(reason);
      };
      const forget = signal && onAbort(signal, () => cancel(signal.reason as Error));
      const stopTimer = after(timeout, () => {
        // It may have let others go first until now.
        if (this.#queue[0] === request) this.#serve();
        if (this.#queue.includes(request)) cancel(this.#timedOut(timeout));
      });
      const end = (): void => {
        stopTimer();
        forget?.();
      };
      const request: Request = {
        wish,
        signal,
        since: now(),
        grant: (granted) => {
          end();
          resolve(granted);
        },
        fail: (error) => {
          end();
          reject(error);
        },
      };
      this.#queue.push(request);
      if (this.#queue.length === 1) this.#serve(isItsTurn);
    });
  }

  release({ shared, removeOnRelease }: Wish): void {
    if (shared && --this.#sharers > 0) return;
    this.#isExclusive = false;
    const othersWoken = (this.#file as LockFile).release(shared, removeOnRelease);
    if (removeOnRelease) this.#close();
    // Not at once: the next one here and those who were woken elsewhere take turns.
    if (this.#queue.length > 0) queueMicrotask(() => this.#serve(!othersWoken));
    else if (contenders.size > MOST_IDLE) this.closeIfIdle();
  }

  #joins({ shared }: Wish): boolean {
    return shared && this.#sharers > 0;
  }

  /** Must it, which would share, let go first who waits elsewhere to have it alone? */
  #isBarred({ shared }: Wish, since: number): boolean {
    return shared && (this.#file as LockFile).isWaitedForByWriter() && now() - since < DEFERENCE;
  }

  /** Of a newcomer, while others wait elsewhere. */
  #letsOthersGoFirst(): boolean {
    return !this.isHeld && this.#file !== null && this.#file.isWaitedFor();
  }

  #tryBehindWriters(wish: Wish, since: number): FileGuard | null {
    return this.#isBarred(wish, since) ? null : this.try(wish);
  }

  /** Takes the lock of the file, which nobody in this thread holds. */
  #attempt({ shared, mode }: Wish): boolean {
    for (let times = 0; times < MOST_REMOVALS; times++) {
      const outcome = this.#attemptOnce(shared, mode);
      if (outcome === 'busy') return false;
      if (outcome === 'taken') return true;
      this.#close();
    }
    throw unfit(this.path, `was removed or replaced ${MOST_REMOVALS} times while its lock was taken`);
  }

  #attemptOnce(shared: boolean, mode: number): Attempt {
    try {
      return this.#open(mode).attempt(shared);
    } catch (error) {
      this.#close(); // What it is by now may be good for the next attempt.
      throw error;
    }
  }

  #granted(wish: Wish): FileGuard {
    this.#file?.forget(true);
    if (wish.shared) this.#sharers++;
    else this.#isExclusive = true;
    return new FileGuard(this, wish, this.#file as LockFile);
  }

  /** Gives the foremost requests what they want as far as it goes. `isItsTurn`: may the first one try at once? */
  #serve(isItsTurn = true): void {
    for (let head = this.#queue[0]; head !== undefined; head = this.#queue[0]) {
      try {
        head.signal?.throwIfAborted(); // Of several with one signal, this one has not heard of it yet.
        const guard = this.#serveOne(head, isItsTurn);
        if (guard === null) return;
        this.#queue.shift();
        head.grant(guard);
      } catch (error) {
        // The system refuses. It tells the next one as well, or lets it.
        this.#queue.shift();
        head.fail(error as Error);
      }
      this.#look = FIRST_LOOK;
    }
    this.#stopWaiting();
  }

  /** Null: it waits, and will be looked after. */
  #serveOne({ wish, since }: Pick<Request, 'wish' | 'since'>, isItsTurn: boolean): FileGuard | null {
    if (this.isHeld) {
      const joins = this.#joins(wish);
      if (joins && !this.#isBarred(wish, since)) return this.#granted(wish);
      // The release in this thread looks after the queue; the timer keeps the thread alive.
      this.#unwatch();
      this.#wait(joins ? this.#look : MAX_DELAY);
      return null;
    }
    const file = this.#open(wish.mode);
    const seen = file.releases();
    // Whoever releases before this line leaves the lock free for the attempt, and whoever does after it wakes us.
    file.announce(wish.shared, this.#look);
    const guard = isItsTurn ? this.#tryBehindWriters(wish, since) : null;
    if (guard !== null) return guard;
    // It was removed, and the attempt was at the next one: nobody wakes those who wait for the old one.
    if (this.#file !== file) return this.#serveOne({ wish, since }, isItsTurn);
    this.#wait(this.#look);
    this.#watchFor(file, seen);
    return null;
  }

  /** A watch that is there already is kept: to begin and to end one wakes a thread, at every look of every waiter. */
  #watchFor(file: LockFile, seen: number): void {
    if (this.#watch?.file === file && this.#watch.seen === seen) return;
    this.#unwatch();
    try {
      const end = file.watch(seen, () => {
        this.#watch = null;
        this.#serve();
      });
      this.#watch = end && { file, seen, end };
    } catch {
      // No thread to watch with: the timer looks.
    }
  }

  #unwatch(): void {
    this.#watch?.end();
    this.#watch = null;
  }

  #wait(milliseconds: number): void {
    if (milliseconds === MAX_DELAY) looking.delete(this);
    else looking.add(this);
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => {
      this.#look = next(this.#look, looking.size);
      this.#serve();
    }, milliseconds);
  }

  #stopWaiting(): void {
    looking.delete(this);
    this.#unwatch();
    clearTimeout(this.#timer);
    this.#file?.forget(false);
  }

  #open(mode: number): LockFile {
    return (this.#file ??= LockFile.open(this.path, mode));
  }

  #close(): void {
    this.#file?.close();
    this.#file = null;
  }

  #timedOut(timeout: number): LockTimeoutError {
    const after = timeout === 0 ? 'at the first attempt' : `within ${timeout} ms`;
    const holder = this.#file?.lastHolder();
    const by = holder === undefined ? '' : `; last held alone by ${describe(holder)}`;
    return new LockTimeoutError(`the lock file ${this.path} was not acquired ${after}${by}`);
  }

  #deadlock(path: string): DeadlockError {
    const how = path === this.path ? 'holds it already' : `holds it already, by the path ${path}`;
    return new DeadlockError(`the lock file ${this.path}: this thread ${how}, and would wait for itself`);
  }
}

/** The path by which this thread holds the lock of that file. */
function holderInThisThread(identity: string): string | undefined {
  for (const contender of contenders.values())
    if (contender.isHeld && contender.openFile?.identity === identity) return contender.path;
  return undefined;
}

/** The next slice in a thread that waits for so many files, with a jitter, so that they do not look all at once. */
function next(look: number, files: number): number {
  const share = Math.min(files * LOOK_SHARE, LONGEST_SHARE);
  return Math.max(share, Math.min(look * 1.5, LONGEST_LOOK)) * (0.8 + 0.2 * Math.random());
}
