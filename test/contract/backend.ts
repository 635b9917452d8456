/**
 * What every backend of the manager promises, as a suite that is run for each of them.
 */
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import * as mortise from 'mortise';
import { LockBusyError, LockTimeoutError, UnsupportedError } from 'mortise';
import type { Backend, BackendLock, Guard, Lock, SyncLock } from 'mortise';
import { expectRefused } from './guards.ts';
import { Process, endProcesses } from '../fixtures/process.ts';
import { endThreads, startThread } from '../fixtures/thread.ts';
import { rejection } from '../fixtures/rejection.ts';
import { until } from '../fixtures/until.ts';

/** A backend as it can be told to another thread or process: a function of the package, and its arguments. */
export interface BackendSubject {
  factory: 'memoryBackend' | 'fileBackend' | 'sharedMemoryBackend' | 'redisBackend' | 'etcdBackend';
  args: unknown[];
}

type Factory = (...args: unknown[]) => Backend;

export function openBackend({ factory, args }: BackendSubject): Backend {
  return (mortise[factory] as Factory)(...args);
}

/** Runs functions elsewhere: in another thread, or in another process. */
interface Elsewhere {
  readonly exited: Promise<unknown>;
  run<A, R>(
    body: (tools: typeof mortise & { guards: Map<string, Guard> }, argument: A) => R | Promise<R>,
    argument: A,
  ): Promise<Awaited<R>>;
}

/** Keys that have to be as good as any, and different from each other. */
const ODD_KEYS = [
  'a/b',
  'a%2Fb',
  '../a',
  '..',
  '.',
  ' ',
  'A',
  'a',
  'con',
  'line\nbreak',
  'null\0character',
  'ü',
  'u\u0308',
  '😀',
  'x'.repeat(255),
  `${'x'.repeat(254)}y`,
  '*'.repeat(255),
  `${'*'.repeat(254)}+`,
];

let keys = 0;

export function describeBackend(name: string, subject: BackendSubject): void {
  const { capabilities } = openBackend(subject);

  describe(`${name} as a backend`, () => {
    let backend: Backend;
    let key: string;

    beforeEach(() => {
      backend = openBackend(subject);
      key = `key ${keys++}`;
    });

    async function release(...guards: (Guard | null)[]): Promise<void> {
      for (const guard of guards) expect(await guard?.release()).toBe(true);
    }

    async function expectLocked(lock: Lock): Promise<void> {
      expectRefused(await lock.tryAcquire());
    }

    describe('publishes', () => {
      test('an id that is the same of another object for the same backend', () => {
        expect(backend.id).not.toBe('');
        expect(openBackend(subject).id).toBe(backend.id);
      });

      test('capabilities, which cannot be changed', () => {
        expect(Object.keys(backend.capabilities).sort()).toEqual(
          ['fence', 'fifo', 'rw', 'scope', 'sync', 'ttl', 'weighted'].sort(),
        );
        expect(Object.isFrozen(backend.capabilities)).toBe(true);
      });
    });

    describe('lock(key)', () => {
      test('is the same lock for every object of the same key', async () => {
        const guard = await backend.lock(key).acquire();
        const again = openBackend(subject).lock(key);
        expect(await again.isLocked()).toBe(true);
        await expectLocked(again);
        await release(guard);
        await release(await again.tryAcquire());
      });

      test('is another lock for every other key, whatever characters it has', async () => {
        const guards: Guard[] = [];
        for (const odd of ODD_KEYS) {
          const guard = await backend.lock(odd).tryAcquire();
          expect([odd, guard !== null]).toEqual([odd, true]);
          if (guard !== null) guards.push(guard);
        }
        for (const odd of ODD_KEYS) await expectLocked(backend.lock(odd));
        await release(...guards);
      });

      test.each([
        ['', RangeError],
        ['x'.repeat(256), RangeError],
        ['\ud800', RangeError],
        [5, TypeError],
      ])('refuses the key %j', (bad, kind) => {
        expect(() => backend.lock(bad as string)).toThrow(kind);
      });

      test('is held until its guard is released, which says so once', async () => {
        const lock = backend.lock(key);
        const guard = await lock.acquire();
        expect(guard.held).toBe(true);
        expect(guard.abandoned).toBe(false);
        expect(await lock.isOwned()).toBe(true);
        expect(await guard.release()).toBe(true);
        expect(guard.held).toBe(false);
        expect(await guard.release()).toBe(false);
        expect(await lock.isLocked()).toBe(false);
      });

      test('is waited for until it is released', async () => {
        const lock = backend.lock(key);
        const guard = await lock.acquire();
        const waiting = lock.acquire();
        await until(async () => (await lock.info()).waiters > 0, 'it is waited for');
        await release(guard);
        await release(await waiting);
      });

      test('rejects with LockTimeoutError when the time is up, and then is not waited for', async () => {
        const lock = backend.lock(key);
        const guard = await lock.acquire();
        for (const timeout of [0, 20])
          expect(await rejection(lock.acquire({ timeout }))).toBeInstanceOf(LockTimeoutError);
        await release(guard);
        expect(await lock.isLocked()).toBe(false);
      });

      test('rejects with the reason of an aborted signal, and then is not waited for', async () => {
        const lock = backend.lock(key);
        const guard = await lock.acquire();
        const controller = new AbortController();
        const waiting = rejection(lock.acquire({ signal: controller.signal }));
        const reason = new Error('changed my mind');
        controller.abort(reason);
        expect(await waiting).toBe(reason);
        await release(guard);
        expect(await lock.isLocked()).toBe(false);
      });

      test('withLock holds it for as long as the body takes, and gives what the body gave', async () => {
        const lock = backend.lock(key);
        const result = await lock.withLock(async () => {
          await expectLocked(backend.lock(key));
          return 'told';
        });
        expect(result).toBe('told');
        expect(await lock.isLocked()).toBe(false);
      });

      test(capabilities.sync ? 'can block' : 'has no blocking forms', async () => {
        const lock = backend.lock(key);
        expect('acquireSync' in lock).toBe(capabilities.sync);
        if (!capabilities.sync) return;
        const blocking = lock as unknown as SyncLock;
        const guard = blocking.acquireSync({ timeout: 1000 });
        expect(guard.held).toBe(true);
        expectRefused((backend.lock(key) as unknown as SyncLock).tryAcquireSync());
        expect(blocking.isLockedSync()).toBe(true);
        expect(guard.release()).toBe(true);
        expect(blocking.withLockSync(() => 'told')).toBe('told');
        expect(blocking.isLockedSync()).toBe(false);
      });

      test(capabilities.fence ? 'has fences that grow' : 'has no fences', async () => {
        const fences: bigint[] = [];
        for (let round = 0; round < 3; round++)
          fences.push(await backend.lock(key).withLock(({ fence }) => fence));
        const [first = 0n, second = 0n, third = 0n] = fences;
        expect(capabilities.fence ? first > 0n && second > first && third > second : third === 0n).toBe(true);
      });

      test(
        capabilities.ttl === null ? 'has guards that do not expire' : 'has guards that are leases',
        async () => {
          const guard = await backend.lock(key).acquire();
          expect('remaining' in guard && 'signal' in guard && 'extend' in guard).toBe(
            capabilities.ttl !== null,
          );
          const { ttl } = await backend.lock(key).info();
          if (capabilities.ttl === null) expect(ttl).toBe(null);
          else expect(ttl).toBeGreaterThan(0);
          await release(guard);
        },
      );

      test('dispose() refuses while it is held or waited for, and changes nothing then', async () => {
        const lock = backend.lock(key);
        const guard = await lock.acquire();
        const waiting = lock.acquire();
        await until(async () => (await lock.info()).waiters > 0, 'it is waited for');
        const refused = rejection((async () => lock.dispose())());
        expect(await refused).toBeInstanceOf(LockBusyError);
        await expectLocked(backend.lock(key));
        await release(guard);
        await release(await waiting);
      });

      test('dispose() closes it, and the key can be opened again, with fences that go on', async () => {
        const lock: BackendLock = backend.lock(key);
        const fence = await lock.withLock((guard) => guard.fence);
        await lock.dispose();
        const again = backend.lock(key);
        const next = await again.acquire();
        if (capabilities.fence) expect(next.fence > fence).toBe(true);
        await expectLocked(backend.lock(key));
        await release(next);
      });
    });

    if (capabilities.rw)
      describe('readWriteLock(key)', () => {
        test('lets many read, and nobody write meanwhile', async () => {
          const { reader, writer } = backend.readWriteLock(key);
          const other = openBackend(subject).readWriteLock(key);
          const readers = [await reader.acquire(), await other.reader.acquire()];
          await expectLocked(writer);
          await expectLocked(other.writer);
          await release(...readers);
          const writing = await writer.acquire();
          await expectLocked(other.reader);
          await expectLocked(other.writer);
          await release(writing);
        });

        test('tells readers the fence of the last write', async () => {
          const { reader, writer } = backend.readWriteLock(key);
          const write = await writer.withLock(({ fence }) => fence);
          expect(await reader.withLock(({ fence }) => fence)).toBe(write);
          expect((await writer.withLock(({ fence }) => fence)) > write).toBe(capabilities.fence);
        });

        if (capabilities.fifo)
          test('does not let readers pass a writer who waits', async () => {
            const { reader, writer } = backend.readWriteLock(key);
            const order: string[] = [];
            const reading = await reader.acquire();
            const writes = writer.withLock(() => void order.push('writer'));
            await until(async () => (await writer.info()).waiters > 0, 'the writer waits');
            const reads = reader.withLock(() => void order.push('reader'));
            await release(reading);
            await Promise.all([writes, reads]);
            expect(order).toEqual(['writer', 'reader']);
          });

        test('dispose() closes both sides', async () => {
          const lock = backend.readWriteLock(key);
          const guard = await lock.reader.acquire();
          expect(await rejection((async () => lock.dispose())())).toBeInstanceOf(LockBusyError);
          await release(guard);
          await lock.dispose();
          await release(await backend.readWriteLock(key).writer.tryAcquire());
        });
      });
    else
      test('readWriteLock(key) fails at once and says why', () => {
        expect(() => backend.readWriteLock(key)).toThrow(UnsupportedError);
        expect(() => backend.readWriteLock(key)).toThrow(key);
      });

    if (capabilities.weighted)
      describe('semaphore(key, permits)', () => {
        test('gives out as many permits as there are, by weight', async () => {
          const semaphore = backend.semaphore(key, 3);
          const again = openBackend(subject).semaphore(key, 3);
          expect(semaphore.permits).toBe(3);
          const guards = [await semaphore.acquire({ weight: 2 }), await again.acquire()];
          expect(await semaphore.available()).toBe(0);
          await expectLocked(again);
          await release(guards[0]!);
          expect(await again.available()).toBe(2);
          await release(guards[1]!, await semaphore.tryAcquire({ weight: 2 }));
        });

        test('refuses a weight that can never be had', async () => {
          const semaphore = backend.semaphore(key, 3);
          for (const weight of [0, 4, 1.5])
            expect(await rejection(semaphore.acquire({ weight }))).toBeInstanceOf(RangeError);
        });

        if (capabilities.fifo)
          test('serves a large request in its turn', async () => {
            const semaphore = backend.semaphore(key, 2);
            const order: string[] = [];
            const guard = await semaphore.acquire();
            const large = semaphore.withLock(() => void order.push('large'), { weight: 2 });
            await until(async () => (await semaphore.info()).waiters > 0, 'the large one waits');
            const small = semaphore.withLock(() => void order.push('small'));
            await release(guard);
            await Promise.all([large, small]);
            expect(order).toEqual(['large', 'small']);
          });

        test('dispose() closes it', async () => {
          const semaphore = backend.semaphore(key, 2);
          const guard = await semaphore.acquire();
          expect(await rejection((async () => semaphore.dispose())())).toBeInstanceOf(LockBusyError);
          await release(guard);
          await semaphore.dispose();
          await release(await backend.semaphore(key, 2).tryAcquire({ weight: 2 }));
        });
      });
    else
      test('semaphore(key, permits) fails at once and says why', () => {
        expect(() => backend.semaphore(key, 2)).toThrow(UnsupportedError);
        expect(() => backend.semaphore(key, 2)).toThrow(key);
      });

    const places: [string, () => Promise<{ place: Elsewhere; end(): Promise<unknown> }>][] = [
      [
        'another thread',
        async () => {
          const thread = await startThread();
          return { place: thread as unknown as Elsewhere, end: () => thread.terminate() };
        },
      ],
    ];
    if (capabilities.scope !== 'threads')
      places.push([
        'another process',
        async () => {
          const process = Process.spawn();
          return { place: process as unknown as Elsewhere, end: () => process.kill() };
        },
      ]);

    for (const [where, start] of places)
      describe(`with ${where}`, () => {
        let place: Elsewhere;
        let end: () => Promise<unknown>;

        beforeAll(async () => {
          ({ place, end } = await start());
        });
        afterAll(async () => {
          await endThreads();
          await endProcesses();
        });

        async function holdElsewhere(): Promise<void> {
          await place.run(
            async (tools, { factory, args, key }) => {
              const backend = (tools[factory] as Factory)(...args);
              tools.guards.set('held', await backend.lock(key).acquire());
            },
            { ...subject, key },
          );
        }

        test('is the same lock there', async () => {
          await holdElsewhere();
          const lock = backend.lock(key);
          await expectLocked(lock);
          const waiting = lock.acquire();
          await until(async () => (await lock.info()).waiters > 0, 'it is waited for');
          await place.run(async ({ guards }) => void (await guards.get('held')!.release()), undefined);
          await release(await waiting);
        });

        /** Runs there what ends the thread or process, and waits until it is gone. */
        async function endBy(body: () => void): Promise<void> {
          // Its answer may be lost with it.
          await place.run(body, undefined).catch(() => undefined);
          await place.exited;
          ({ place, end } = await start());
        }

        const endings: [string, () => Promise<void>][] = [
          [
            'is killed',
            async () => {
              await end();
              ({ place, end } = await start());
            },
          ],
          ['calls process.exit()', () => endBy(() => void setImmediate(() => process.exit(0)))],
        ];
        // Of a process, that would be printed here.
        if (where === 'another thread')
          endings.push([
            'throws an error that nobody catches',
            () =>
              endBy(() => {
                setImmediate(() => {
                  throw new Error('nobody catches this');
                });
              }),
          ]);

        test.each(endings)('gets the lock of a holder who %s, and is told', async (_, ending) => {
          await holdElsewhere();
          const waiting = backend.lock(key).acquire({ timeout: 20_000 });
          await ending();
          const guard = await waiting;
          if (capabilities.ttl === null) expect(guard.abandoned).toBe(true);
          await release(guard);
        });

        test.each(endings)('is not held up by one who waits for the lock and %s', async (_, ending) => {
          const lock = backend.lock(key);
          const guard = await lock.acquire();
          await place.run(
            async (tools, { factory, args, key }) => {
              const backend = (tools[factory] as Factory)(...args);
              void backend.lock(key).acquire();
              await null;
            },
            { ...subject, key },
          );
          await until(async () => (await lock.info()).waiters > 0, 'it is waited for there');
          const waiting = lock.acquire({ timeout: 20_000 });
          await ending();
          await release(guard);
          await release(await waiting);
        });

        if (capabilities.rw || capabilities.weighted)
          test.each(endings)('gets what a reader or a holder of permits had who %s', async (_, ending) => {
            await place.run(
              async (tools, { factory, args, key, capabilities }) => {
                const backend = (tools[factory] as Factory)(...args);
                if (capabilities.rw)
                  tools.guards.set('read', await backend.readWriteLock(`${key} rw`).reader.acquire());
                if (!capabilities.weighted) return;
                const semaphore = backend.semaphore(`${key} permits`, 3);
                tools.guards.set('permits', await semaphore.acquire({ weight: 2 }));
              },
              { ...subject, key, capabilities },
            );
            await ending();
            const timeout = 20_000;
            if (capabilities.rw)
              await release(await backend.readWriteLock(`${key} rw`).writer.acquire({ timeout }));
            if (capabilities.weighted)
              await release(await backend.semaphore(`${key} permits`, 3).acquire({ weight: 3, timeout }));
          });
      });
  });
}
