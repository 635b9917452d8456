/** Deadlocks that are always there, and always found; and much going on without any, and none reported. */
import { afterAll, expect, test } from 'vitest';
import type { DeadlockReport } from 'mortise';
import { inShort, listen, newLocks, nextDeadlock } from '../fixtures/manager/deadlocks.ts';
import { endThreads, startThread, type Thread } from '../fixtures/thread.ts';
import { words } from '../fixtures/until.ts';

afterAll(endThreads);

const SEATS = 5;
const RUNS = 20;
/** Rounds of each thread. */
const ENOUGH = 50;

const startThreads = (count: number): Promise<Thread[]> =>
  Promise.all(Array.from({ length: count }, () => startThread()));

interface Seat {
  seat: number;
  forks: string[];
  style: string;
  policy: 'report' | 'error';
  timeout: number;
  taken: Int32Array;
}

/** In a thread: a philosopher who takes the fork on his left, and when all have done so, the one on his right. */
async function dine(
  { LockManager }: typeof import('mortise'),
  { seat, forks, style, policy, timeout, taken }: Seat,
): Promise<string> {
  const locks = new LockManager({ deadlocks: policy });
  const left = locks.lock(forks[seat]!);
  const right = locks.lock(forks[(seat + 1) % forks.length]!);
  const allTaken = async (): Promise<void> => {
    Atomics.add(taken, 0, 1);
    while (Atomics.load(taken, 0) < forks.length) await new Promise((resolve) => setImmediate(resolve));
  };
  const ended = (error: unknown): string => (error as { code: string }).code;
  if (style === 'tasks')
    return left
      .withLock(async () => {
        await allTaken();
        return right.withLock(() => 'ate', { timeout });
      })
      .catch(ended);
  const guard = await left.acquire();
  await allTaken();
  try {
    if (style === 'blocking') right.acquireSync({ timeout }).release();
    else await (await right.acquire({ timeout })).release();
    return 'ate';
  } catch (error) {
    return ended(error);
  } finally {
    await guard.release();
  }
}

const styles: [string, (seat: number) => string][] = [
  ['tasks', () => 'tasks'],
  ['blocking', () => 'blocking'],
  ['mixed', (seat) => (seat % 2 === 0 ? 'tasks' : 'blocking')],
];

test.each(styles)(
  `Philosophers without an order, %s: one of them is told in each of ${RUNS} runs`,
  async (_, styleOf) => {
    const threads = await startThreads(SEATS);
    const { locks } = newLocks();
    const forks = threads.map((_thread, seat) => locks.lock(`${seat}`).name);
    for (let run = 0; run < RUNS; run++) {
      const taken = words();
      const meals = threads.map((thread, seat) => {
        const place: Seat = { seat, forks, style: styleOf(seat), policy: 'error', timeout: 20_000, taken };
        return thread.run<Seat, string>(dine, place);
      });
      expect([run, ...(await Promise.all(meals)).sort()]).toEqual([
        run,
        'ERR_LOCK_DEADLOCK',
        'ate',
        'ate',
        'ate',
        'ate',
      ]);
    }
    await Promise.all(threads.map((thread) => thread.terminate()));
  },
);

test.each([...styles, ['bare', () => 'bare'] as (typeof styles)[0]])(
  `Philosophers without an order, %s: whoever listens hears of it in each of ${RUNS} runs`,
  async (style, styleOf) => {
    const threads = await startThreads(SEATS);
    const { locks, told } = newLocks();
    const forks = threads.map((_thread, seat) => locks.lock(`${seat}`).name);
    for (let run = 0; run < RUNS; run++) {
      told.length = 0;
      const taken = words();
      const meals = threads.map((thread, seat) => {
        const place: Seat = { seat, forks, style: styleOf(seat), policy: 'report', timeout: 600, taken };
        return thread.run<Seat, string>(dine, place);
      });
      const report = await nextDeadlock(locks);
      expect(report.certain).toBe(style !== 'bare');
      expect(inShort(report)).toEqual(forks.map((_name, seat) => `lock ${seat}, lock ${(seat + 1) % SEATS}`));
      expect(await Promise.all(meals)).toContain('ERR_LOCK_TIMEOUT');
      expect(told).toHaveLength(1);
    }
    await Promise.all(threads.map((thread) => thread.terminate()));
  },
  60_000,
);

interface Work {
  prefix: string;
  /** One task, which blocks; else several, which do not. */
  blocks: boolean;
  /** It goes on for so long, and for so many rounds at least. */
  milliseconds: number;
  enough: number;
  /** Short, so that there are many looks. */
  deadlockInterval: number;
}

/** In a thread: tasks that take what they need in one order, in every way there is. */
async function work(
  { LockManager }: typeof import('mortise'),
  { prefix, blocks, milliseconds, enough, deadlockInterval }: Work,
): Promise<{ rounds: number; heard: DeadlockReport[] }> {
  const locks = new LockManager({ deadlockInterval }).scope(prefix);
  const heard: DeadlockReport[] = [];
  locks.on('deadlock', (report) => heard.push(report));
  const count = 12;
  const random = (below: number): number => Math.floor(Math.random() * below);
  // Of each kind some; the order is that of the numbers.
  const at = (index: number) => {
    if (index % 3 === 0) return locks.lock(`${index}`);
    if (index % 3 === 1) return locks.semaphore(`${index}`, 3);
    return random(2) === 0 ? locks.readLock(`${index}`) : locks.writeLock(`${index}`);
  };
  const options = (index: number): object => (index % 3 === 1 ? { weight: 1 + random(3) } : {});
  const pause = (): Promise<unknown> => new Promise((resolve) => setTimeout(resolve, random(4)));
  const pick = (): number[] =>
    Array.from({ length: count }, (_, index) => index)
      .filter(() => random(4) === 0)
      .slice(0, 4);
  const inBodies = ([index, ...rest]: number[]): Promise<unknown> =>
    index === undefined
      ? pause()
      : at(index).withLock(async () => {
          if (random(2) === 0) await pause();
          await inBodies(rest);
        }, options(index));
  const blocking = (indexes: number[]): void => {
    const guards = indexes.map((index) => at(index).acquireSync(options(index)));
    for (const guard of guards.reverse()) guard.release();
  };
  const bare = async (indexes: number[]): Promise<void> => {
    const guards = [];
    for (const index of indexes) guards.push(await at(index).acquire(options(index)));
    await pause();
    for (const guard of guards) await guard.release();
  };
  const together = async (indexes: number[]): Promise<void> => {
    const mutexes = indexes.filter((index) => index % 3 === 0).map((index) => `${index}`);
    if (mutexes.length > 0) await (await locks.acquireAll(mutexes.sort())).release();
  };
  let rounds = 0;
  const end = Date.now() + milliseconds;
  const task = async (): Promise<void> => {
    while (Date.now() < end || rounds < enough) {
      rounds++;
      const indexes = pick();
      const way = random(8);
      if (way < 4) await inBodies(indexes);
      else if (way < 6) await bare(indexes);
      else await together(indexes);
    }
  };
  const blocker = async (): Promise<void> => {
    while (Date.now() < end || rounds < enough) {
      rounds++;
      blocking(pick());
      await pause();
    }
  };
  await (blocks ? blocker() : Promise.all([1, 2, 3, 4].map(task)));
  return { rounds, heard };
}

test('Nothing is reported of threads and tasks that keep to an order', async () => {
  const threads = await startThreads(4);
  const { locks } = newLocks();
  const prefix = locks.lock('0').name.replace(/:0$/, '');
  const told = listen(locks);
  // acquireAll has an order of its own, by the keys: as long as there are ten mutexes at most, it is the same.
  const works = threads.map((thread, index) =>
    thread.run<Work, Awaited<ReturnType<typeof work>>>(work, {
      prefix,
      blocks: index >= 2,
      milliseconds: 4000,
      enough: ENOUGH,
      deadlockInterval: 10,
    }),
  );
  const ends = Promise.all(works);
  let isOver = false;
  void ends.finally(() => (isOver = true));
  const asked: DeadlockReport[] = [];
  while (!isOver) asked.push(...(await locks.detectDeadlocks()));
  for (const { rounds, heard } of await ends) {
    expect(rounds).toBeGreaterThanOrEqual(ENOUGH);
    expect(heard).toEqual([]);
  }
  expect([told, asked]).toEqual([[], []]);
}, 60_000);

/** In a thread: tasks that take two locks in any order, but one task after the other: whoever waits is alone in it. */
async function takeInTurn(
  { LockManager }: typeof import('mortise'),
  { prefix, milliseconds, enough, deadlockInterval }: Work,
): Promise<{ rounds: number; heard: DeadlockReport[] }> {
  const locks = new LockManager({ deadlockInterval }).scope(prefix);
  const heard: DeadlockReport[] = [];
  locks.on('deadlock', (report) => heard.push(report));
  const pause = (): Promise<unknown> => new Promise((resolve) => setTimeout(resolve, 8));
  let rounds = 0;
  const end = Date.now() + milliseconds;
  const task = async (): Promise<void> => {
    while (Date.now() < end || rounds < enough) {
      rounds++;
      const names = Math.random() < 0.5 ? ['x', 'y'] : ['y', 'x'];
      const turn = await locks.lock('turn').acquire();
      await locks.lock(names[0]!).withLock(async () => {
        await locks.lock(names[1]!).withLock(() => turn.release());
        // The next one has the other lock by now, and waits for this one, which others still take for one that waits.
        await pause();
      });
    }
  };
  await Promise.all([1, 2].map(task));
  return { rounds, heard };
}

test('Nothing is reported of what was never there at one moment', async () => {
  const threads = await startThreads(3);
  const { locks, told } = newLocks();
  const prefix = locks.lock('x').name.replace(/:x$/, '');
  const work: Work = { prefix, blocks: false, milliseconds: 4000, enough: ENOUGH, deadlockInterval: 50 };
  const ends = await Promise.all(
    threads.map((thread) => thread.run<Work, Awaited<ReturnType<typeof takeInTurn>>>(takeInTurn, work)),
  );
  for (const { rounds, heard } of ends) {
    expect(rounds).toBeGreaterThanOrEqual(ENOUGH);
    expect(heard).toEqual([]);
  }
  expect(told).toEqual([]);
}, 60_000);
