/** Deadlocks between processes whose locks live on one Redis server. */
import { afterAll, describe, expect, onTestFinished, test } from 'vitest';
import { LockManager, redisBackend, type DeadlockReport } from 'mortise';
import { inShort } from '../fixtures/manager/deadlocks.ts';
import { Process, endProcesses } from '../fixtures/process.ts';
import { until } from '../fixtures/until.ts';
import { connect } from './clients.ts';
import { RedisServer } from './server.mjs';

const server = await RedisServer.start();
afterAll(async () => {
  await endProcesses();
  await server.end();
});

interface Part {
  url: string;
  first: string;
  second: string;
  deadlocks: 'report' | 'error';
  interval: number;
}

interface Outcome {
  code: string | undefined;
  heard: DeadlockReport[];
  /** When it began to wait, and when it was told first, by the clock of the machine. */
  waits: number;
  told: number;
}

/** In a process: takes the first lock, and once somebody has the second one, asks for that as well. */
async function takeBoth(
  { LockManager, redisBackend }: typeof import('mortise'),
  { url, first, second, deadlocks, interval: deadlockInterval }: Part,
): Promise<Outcome> {
  const backend = redisBackend({ url, ttl: 1500 });
  const locks = new LockManager({ backend, deadlocks, deadlockInterval });
  const heard: DeadlockReport[] = [];
  const clock = (): number => performance.timeOrigin + performance.now();
  let [waits, told] = [NaN, NaN];
  locks.on('deadlock', (report) => {
    if (heard.push(report) === 1) told = clock();
  });
  const next = locks.lock(second);
  try {
    await locks.lock(first).withLock(async () => {
      while (!(await next.isLocked())) await new Promise((resolve) => setImmediate(resolve));
      waits = clock();
      await next.withLock(() => undefined, { timeout: 30_000 });
    });
    return { code: undefined, heard, waits, told };
  } catch (error) {
    return { code: (error as { code: string }).code, heard, waits, told };
  }
}

const waitsKey = 'mortise:deadlocks:{waits}';
let names = 0;
const newNames = (count: number): string[] =>
  Array.from({ length: count }, (_, at) => `deadlock ${++names} ${'abc'[at]}`);

/** Each takes the lock of its place, then that of the next one. */
function start(
  processes: Process[],
  locks: string[],
  deadlocks: Part['deadlocks'] = 'report',
  interval = 100,
): Promise<Outcome>[] {
  return processes.map((process, at) =>
    process.run<Part, Outcome>(takeBoth, {
      url: server.url,
      first: locks[at]!,
      second: locks[(at + 1) % locks.length]!,
      deadlocks,
      interval,
    }),
  );
}

function spawned(count: number): Process[] {
  const processes = Array.from({ length: count }, () => Process.spawn());
  onTestFinished(async () => {
    await Promise.all(processes.map((it) => it.kill()));
  });
  return processes;
}

function watcher(): { locks: LockManager } {
  return { locks: new LockManager({ backend: redisBackend({ url: server.url }) }) };
}

/** What `detectDeadlocks` finds, once it finds something about these. */
async function found(locks: LockManager, names: string[]): Promise<DeadlockReport> {
  let report: DeadlockReport | undefined;
  await until(async () => {
    const all = await locks.detectDeadlocks();
    report = all.find(({ members }) => members.every(({ holds }) => names.includes(holds.name)));
    return report !== undefined;
  }, 'the deadlock is found');
  return report!;
}

describe('Three processes that wait for each other on Redis', () => {
  test('are told of, once each, and one of them gets the DeadlockError', async () => {
    const processes = spawned(3);
    const locks = newNames(3);
    const ends = await Promise.all(start(processes, locks, 'error'));
    expect(ends.map(({ code }) => code).sort()).toEqual(['ERR_LOCK_DEADLOCK', undefined, undefined]);
    const heard = ends.flatMap(({ heard }) => heard);
    expect(heard.length).toBeGreaterThan(0);
    for (const { heard } of ends) expect(heard.length).toBeLessThanOrEqual(1);
    for (const report of heard) {
      expect(report.certain).toBe(true);
      expect(inShort(report)).toEqual(
        locks.map((name, at) => `lock ${name}, lock ${locks[(at + 1) % 3]}`).sort(),
      );
      const owners = report.members.map(({ owner }) => owner.process).sort();
      expect(owners).toEqual(processes.map(({ pid }) => pid).sort());
      for (const { holds, waitsFor } of report.members)
        for (const { where, since } of [holds, waitsFor])
          expect([typeof where, typeof since]).toEqual(['string', 'number']);
    }
  });

  test('are found by a process that has nothing to do with it, until one of them dies', async () => {
    const [first, second, third] = spawned(3) as [Process, Process, Process];
    const locks = newNames(3);
    const ends = start([first, second, third], locks);
    const dead = ends[2]!.catch(() => 'killed');
    const { locks: manager } = watcher();
    const report = await found(manager, locks);
    expect(report.certain).toBe(true);
    expect(report.members).toHaveLength(3);
    await third.kill();
    expect(await dead).toBe('killed');
    // What it has told is still there, and proves nothing.
    expect(await manager.detectDeadlocks()).toEqual([]);
    // Its lock expires, and so the others go on.
    expect((await Promise.all(ends.slice(0, 2))).map(({ code }) => code)).toEqual([undefined, undefined]);
  });
});

// The shorter the interval, the more of it goes to whatever else the machine does.
test.each([2000, 500])('A deadlock is told of within the interval of %d ms', async (interval) => {
  const processes = spawned(3);
  const ends = await Promise.all(start(processes, newNames(3), 'error', interval));
  const formed = Math.max(...ends.map(({ waits }) => waits));
  const told = ends.map((end) => end.told - formed).filter((it) => !Number.isNaN(it));
  expect(told.length).toBeGreaterThan(0);
  for (const after of told) expect(after).toBeLessThan(interval);
});

test('A wait that is over before the second look costs the server nothing', async () => {
  const client = await connect(server.url, 'ioredis 6');
  await (client as unknown as { del(key: string): Promise<unknown> }).del(waitsKey);
  const [first, second] = newNames(2) as [string, string];
  const holder = new LockManager({ backend: redisBackend({ client }), deadlocks: 'off' });
  const backend = redisBackend({ url: server.url });
  const locks = new LockManager({ backend, deadlockInterval: 60_000 });
  await locks.lock(first).withLock(async () => {
    const guard = await holder.lock(second).acquire();
    const waiting = locks.lock(second).withLock(() => 'got it');
    await until(async () => (await locks.lock(second).info()).waiters === 1, 'it waits');
    await guard.release();
    expect(await waiting).toBe('got it');
  });
  expect(await (client as unknown as { exists(key: string): Promise<number> }).exists(waitsKey)).toBe(0);
});

test('What killed processes have told hides no deadlock of those who come after them', async () => {
  const [first, second, ...later] = spawned(4) as [Process, Process, Process, Process];
  const locks = newNames(2);
  for (const end of start([first, second], locks)) end.catch(() => undefined);
  const { locks: manager } = watcher();
  await found(manager, locks);
  const client = (await connect(server.url, 'ioredis 6')) as unknown as {
    hgetall(key: string): Promise<Record<string, string>>;
    hset(key: string, values: Record<string, string>): Promise<unknown>;
    del(key: string): Promise<unknown>;
  };
  const told = await client.hgetall(waitsKey);
  await Promise.all([first.kill(), second.kill()]);
  // It would be forgotten in five seconds: here it is not, however long the rest takes.
  const kept = Object.entries(told).filter(([, it]) => it.includes(locks[0]!));
  expect(kept).toHaveLength(2);
  const forLong = kept.map(([field, it]) => [field, it.replace(/^\d+/, String(Date.now() + 600_000))]);
  await client.hset(waitsKey, Object.fromEntries(forLong) as Record<string, string>);
  const ends = start(later, locks, 'error');
  const codes = (await Promise.all(ends)).map(({ code }) => code);
  expect(codes.sort()).toEqual(['ERR_LOCK_DEADLOCK', undefined]);
  await client.del(waitsKey);
});

test.each(['node-redis 6', 'ioredis 6'])(
  'A deadlock through Redis and through memory is found (%s)',
  async (kind) => {
    const [other] = spawned(1) as [Process];
    const [far, back] = newNames(2) as [string, string];
    const client = await connect(server.url, kind);
    const memory = new LockManager();
    const locks = new LockManager({ backend: redisBackend({ client, ttl: 1500 }), deadlocks: 'error' });
    // The same server by another id, of which nothing is used, shares what is told there.
    const also = new LockManager({ backend: redisBackend({ client, id: 'the same' }) });
    const near = memory.lock(`near ${far}`);
    // One task here has `far` and waits in memory, for one that waits on Redis for the other process.
    let isNear = (): void => undefined;
    const held = new Promise<void>((resolve) => (isNear = resolve));
    const [end] = start([other], [back, far]);
    const outer = locks.lock(far).withLock(async () => {
      await held;
      await near.withLock(() => undefined);
    });
    const inner = near.withLock(async () => {
      isNear();
      await until(() => locks.lock(back).isLocked(), 'the other process has its lock');
      await locks.lock(back).withLock(() => undefined);
    });
    await expect(inner).rejects.toMatchObject({ code: 'ERR_LOCK_DEADLOCK' });
    await outer;
    expect((await end!).code).toBeUndefined();
    expect(also.list()).toEqual([]);
  },
);

test('Those who keep to one order are not told of, and leave nothing on the server', async () => {
  const processes = spawned(3);
  const locks = newNames(3);
  const work = async (
    { LockManager, redisBackend }: typeof import('mortise'),
    { url, locks: names }: { url: string; locks: string[] },
  ): Promise<number> => {
    const locks = new LockManager({
      backend: redisBackend({ url }),
      deadlocks: 'error',
      deadlockInterval: 5,
    });
    let reports = 0;
    locks.on('deadlock', () => reports++);
    const task = async (): Promise<void> => {
      for (let round = 0; round < 5; round++) {
        const [first, second] = [round % 3, (round + 1) % 3].sort();
        await locks.lock(names[first!]!).withLock(async () => {
          await locks
            .lock(names[second!]!)
            .withLock(() => new Promise((resolve) => setTimeout(resolve, Math.random() * 20)));
        });
      }
    };
    await Promise.all([task(), task()]);
    return reports;
  };
  const reports = await Promise.all(processes.map((it) => it.run(work, { url: server.url, locks })));
  expect(reports).toEqual([0, 0, 0]);
  const client = await connect(server.url, 'ioredis 6');
  const fields = (): Promise<string[]> =>
    (client as unknown as { hkeys(key: string): Promise<string[]> }).hkeys(waitsKey);
  // The number remains, for a while.
  await until(async () => (await fields()).every((field) => field === '#'), 'all is taken back');
});

test('Whoever waits for one lock and holds none asks the server nothing for it', async () => {
  const url = server.url;
  const client = await connect(url, 'ioredis 6');
  await (client as unknown as { del(key: string): Promise<unknown> }).del(waitsKey);
  const [name] = newNames(1) as [string];
  const holder = new LockManager({ backend: redisBackend({ client }), deadlocks: 'off' });
  const guard = await holder.lock(name).acquire();
  const other = new LockManager({ backend: redisBackend({ url }), deadlockInterval: 10 });
  await expect(other.semaphore(`${name} s`, 1).withLock(() => 1)).resolves.toBe(1);
  await expect(other.lock(name).acquire({ timeout: 200 })).rejects.toMatchObject({
    code: 'ERR_LOCK_TIMEOUT',
  });
  await guard.release();
  expect(await (client as unknown as { exists(key: string): Promise<number> }).exists(waitsKey)).toBe(0);
});

test('A server that does not answer keeps nobody from asking for deadlocks', async () => {
  const silent = await RedisServer.start();
  onTestFinished(() => silent.end());
  const locks = new LockManager({ backend: redisBackend({ url: silent.url }) });
  await silent.end();
  expect(await locks.detectDeadlocks()).toEqual([]);
});
