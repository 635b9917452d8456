/** Options that there are not: misspelt, or for another kind of lock. They would have no effect, so they are refused. */
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import {
  LockManager,
  Mutex,
  ReadWriteLock,
  Semaphore,
  Space,
  etcdBackend,
  fileBackend,
  locked,
  memoryBackend,
  redisBackend,
  sharedMemoryBackend,
  type LockManagerOptions,
} from 'mortise';
import { EtcdLock, EtcdReadWriteLock, EtcdSemaphore } from 'mortise/etcd';
import { FileLock } from 'mortise/file';
import { RedisLock, RedisReadWriteLock, RedisSemaphore } from 'mortise/redis';

const file = join(tmpdir(), `mortise-options-${process.pid}`);
const url = 'redis://127.0.0.1:1';
const endpoints = 'http://127.0.0.1:1';
const manager = new LockManager();

const makers: Record<string, (options: object) => unknown> = {
  Mutex: (options) => new Mutex(options),
  Semaphore: (options) => new Semaphore(1, options),
  ReadWriteLock: (options) => new ReadWriteLock(options),
  Space: (options) => new Space(options),
  'Space.open': (options) => Space.open(file, options),
  FileLock: (options) => new FileLock(file, options),
  RedisLock: (options) => new RedisLock('a', { url, ...options }),
  RedisReadWriteLock: (options) => new RedisReadWriteLock('a', { url, ...options }),
  RedisSemaphore: (options) => new RedisSemaphore('a', { url, permits: 1, ...options }),
  EtcdLock: (options) => new EtcdLock('a', { endpoints, ...options }),
  EtcdReadWriteLock: (options) => new EtcdReadWriteLock('a', { endpoints, ...options }),
  EtcdSemaphore: (options) => new EtcdSemaphore('a', { endpoints, permits: 1, ...options }),
  fileBackend: (options) => fileBackend(file, options),
  sharedMemoryBackend: (options) => sharedMemoryBackend(file, options),
  redisBackend: (options) => redisBackend({ url, ...options }),
  etcdBackend: (options) => etcdBackend({ endpoints, ...options }),
  LockManager: (options) => new LockManager(options),
  locked: (options) => locked('a', options),
  lock: (options) => manager.lock('a lock', options),
  readLock: (options) => manager.readLock('a table', options),
  writeLock: (options) => manager.writeLock('a table', options),
  semaphore: (options) => manager.semaphore('a pool', 1, options),
};

describe.each(Object.entries(makers))('%s', (_, make) => {
  test('names an option that there is not', () => {
    expect(() => make({ tiemout: 5 })).toThrow(TypeError);
    expect(() => make({ tiemout: 5 })).toThrow(/^options has no tiemout here: there is \w+/);
  });
});

test('Options within options are checked as well', () => {
  const refuse = (options: object, message: string): void => {
    expect(() => new LockManager(options)).toThrow(message);
  };
  refuse({ timeouts: { locks: 5 } }, 'options.timeouts has no locks here: there is lock, read, write');
  refuse({ statistics: { lable: 'a' } }, 'options.statistics has no lable here: there is label');
});

test('An option that is undefined, or inherited, is none', () => {
  const options = Object.assign(Object.create({ tiemout: 5 }) as object, { tiemot: undefined }) as object;
  const mutex = new Mutex(options);
  mutex.acquireSync(options).release();
  expect(mutex.isLockedSync()).toBe(false);
  mutex.dispose();
});

/** Any lock, told what its types do not let it be told. */
type Form = (...told: unknown[]) => unknown;
type AnyLock = Record<'acquire' | 'withLock' | 'tryAcquire', Form> &
  Partial<Record<'acquireSync' | 'withLockSync' | 'tryAcquireSync', Form>>;
type Acquire = (lock: AnyLock, options: object) => unknown;

const forms: Record<string, Acquire> = {
  acquire: (lock, options) => lock.acquire(options),
  withLock: (lock, options) => lock.withLock(() => undefined, options),
  tryAcquire: (lock, options) => lock.tryAcquire(options),
};
const blockingForms: Record<string, Acquire> = {
  acquireSync: async (lock, options) => lock.acquireSync!(options),
  withLockSync: async (lock, options) => lock.withLockSync!(() => undefined, options),
  tryAcquireSync: async (lock, options) => lock.tryAcquireSync!(options),
};

const managers: Record<string, LockManagerOptions> = {
  'a manager': {},
  'one that has time limits': { timeouts: { lock: 1000 } },
  'one that counts': { statistics: true },
  'one that ends deadlocks': { deadlocks: 'error' },
  'one that looks for none': { deadlocks: 'off' },
};

const locksOfAllKinds: [string, unknown][] = [
  ['a Mutex', new Mutex()],
  ['a reentrant Mutex', new Mutex({ reentrant: true })],
  ['the reading side', new ReadWriteLock().reader],
  ['the writing side', new ReadWriteLock().writer],
  ['a FileLock', new FileLock(file)],
  ['a RedisLock', new RedisLock('options', { url })],
  ['an EtcdLock', new EtcdLock('options', { endpoints })],
];
for (const [title, options] of Object.entries(managers)) {
  const locks = new LockManager({ ...options, backend: memoryBackend() });
  locksOfAllKinds.push([`a lock of ${title}`, locks.lock(`options ${title}`)]);
  locksOfAllKinds.push([`a reader of ${title}`, locks.readLock(`options table ${title}`)]);
  locksOfAllKinds.push([`a writer of ${title}`, locks.writeLock(`options table ${title}`)]);
}

describe.each(locksOfAllKinds)('An acquire of %s', (_, given) => {
  const lock = given as AnyLock;
  const all = 'acquireSync' in lock ? { ...forms, ...blockingForms } : forms;

  test.each(Object.keys(all))('refuses a weight, and a misspelt timeout: %s', async (form) => {
    const acquire = all[form]!;
    for (const options of [{ weight: 2 }, { tiemout: 5 }]) {
      const [name] = Object.keys(options);
      const message = `options has no ${name} here: there is timeout, signal`;
      await expect(acquire(lock, options)).rejects.toThrow(new TypeError(message));
    }
  });
});

describe.each(['a pool', ...Object.keys(managers).map((title) => `a pool of ${title}`)])('%s', (title) => {
  const options = managers[title.slice('a pool of '.length)];
  const make = (): AnyLock =>
    (options === undefined
      ? new Semaphore(3)
      : new LockManager(options).semaphore(`options ${title}`, 3)) as unknown as AnyLock;
  let lock: AnyLock;
  beforeAll(() => void (lock = make()));

  test.each(Object.keys({ ...forms, ...blockingForms }))('has weights: %s', async (form) => {
    const acquire = { ...forms, ...blockingForms }[form]!;
    const guard = (await acquire(lock, { weight: 2, timeout: 1000 })) as { release(): boolean } | undefined;
    guard?.release();
    await expect(acquire(lock, { wieght: 2 })).rejects.toThrow(
      'options has no wieght here: there is timeout, signal, weight',
    );
  });
});

test('Requests for several locks are checked', async () => {
  const locks = new LockManager();
  const acquire = (request: object, options?: object): Promise<unknown> =>
    locks.acquireAll([request as { name: string }], options);
  await expect(acquire({ name: 'a', mod: 'read' })).rejects.toThrow(
    'requests[0] has no mod here: there is name, mode, weight',
  );
  await expect(acquire({ name: 'a' }, { tiemout: 5 })).rejects.toThrow('options has no tiemout here');
});

afterAll(async () => {
  const { rmSync } = await import('node:fs');
  rmSync(file, { force: true });
});
