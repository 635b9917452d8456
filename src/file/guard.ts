/** What a holder of a file lock has in hand, and the warning when it loses it. */
import type { SyncGuard } from '../lock.js';
import type { Contender, Wish } from './contender.js';
import type { LockFile } from './lock-file.js';

/** What guards hang on. Nothing else leads to it, once a garbage collection has cut it off its contender. */
export class Tether {
  readonly count: { held: number } = { held: 0 };
}

/**
 * The proof of a hold of a file lock. It is released by `release()`, by leaving the block of a `using` or
 * `await using` declaration, or by the end of its process, however it ends. If it is garbage-collected while held, a
 * process warning with code `MORTISE_GUARD_LOST` names the file.
 */
export class FileGuard implements SyncGuard {
  /** True if the last exclusive holder died while it held the file: check the data before you trust it. */
  readonly abandoned: boolean;
  private readonly contender: Contender;
  private readonly wish: Wish;
  private readonly number: number;
  private tether: Tether | null;

  /** @internal */
  constructor(contender: Contender, wish: Wish, { fence, abandoned }: LockFile) {
    this.contender = contender;
    this.wish = wish;
    this.number = fence;
    this.abandoned = abandoned;
    this.tether = contender.tether;
    this.tether.count.held++;
    wish.held++;
  }

  /** Grows with every exclusive hold of the path, whatever happens to the file; a shared one has that of the last. */
  get fence(): bigint {
    return BigInt(this.number);
  }

  get held(): boolean {
    return this.tether !== null;
  }

  /** True if this call released it, false if it was released before. */
  release(): boolean {
    const { tether } = this;
    if (tether === null) return false;
    this.tether = null;
    tether.count.held--;
    this.wish.held--;
    this.contender.release(this.wish);
    return true;
  }

  [Symbol.dispose](): void {
    this.release();
  }

  [Symbol.asyncDispose](): Promise<void> {
    this.release();
    return Promise.resolve();
  }
}

const tethers = new FinalizationRegistry<{ path: string; count: { held: number } }>(({ path, count }) => {
  if (count.held === 0) return;
  const guards = count.held === 1 ? 'A guard' : `${count.held} guards`;
  process.emitWarning(
    `${guards} of the lock file ${path} garbage-collected while held: it stays locked until its process ends. ` +
      'Keep the guard and release it, or use withLock() or a using declaration.',
    { type: 'LockWarning', code: 'MORTISE_GUARD_LOST' },
  );
});

/** Whose guards are watched. */
let watched: () => Iterable<Contender> = () => [];

/** Called after every garbage collection that looks at old objects: its target is garbage from the start. */
const collections = new FinalizationRegistry<undefined>(() => {
  for (const contender of watched()) {
    const { tether } = contender;
    if (tether.count.held === 0) continue;
    contender.tether = new Tether();
    tethers.register(tether, { path: contender.path, count: tether.count });
  }
  collections.register({}, undefined);
});

/**
 * After each garbage collection the guards that are held are cut off from their contender and watched: to register
 * every guard would cost as much as a lock.
 */
export function watchForLostGuards(contenders: () => Iterable<Contender>): void {
  watched = contenders;
  collections.register({}, undefined);
}
