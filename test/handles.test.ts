import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { inspect } from 'node:util';
import { MessageChannel, Worker } from 'node:worker_threads';
import fc from 'fast-check';
import { Piscina } from 'piscina';
import { afterAll, describe, expect, test } from 'vitest';
import {
  InvalidHandleError,
  LockError,
  Mutex,
  ReadWriteLock,
  Semaphore,
  Space,
  open,
  type MutexHandle,
  type SpaceHandle,
} from 'mortise';
import { endThreads, startThread } from './fixtures/thread.ts';
import { until, words } from './fixtures/until.ts';

const fixture = (name: string): URL => new URL(`./fixtures/handles/${name}`, import.meta.url);

afterAll(endThreads);

describe('A handle opens as the same lock', () => {
  test('after a structured clone', () => {
    const mutex = new Mutex({ name: 'handles.test clone' });
    using _guard = mutex.acquireSync();
    const same = open(structuredClone(mutex.handle));
    expect(same).toBeInstanceOf(Mutex);
    expect(same.name).toBe(mutex.name);
    expect(same.isLockedSync()).toBe(true);
  });

  test('and says what it is', () => {
    for (const [lock, type] of [
      [new Mutex(), 'mortise/mutex'],
      [new Semaphore(2), 'mortise/semaphore'],
      [new ReadWriteLock(), 'mortise/read-write-lock'],
    ] as const) {
      expect(lock.handle).toMatchObject({ type, version: expect.any(Number), cell: expect.any(Number) });
      expect(lock.handle.memory).toBeInstanceOf(SharedArrayBuffer);
      expect(open(lock.handle).handle).toEqual(lock.handle);
    }
  });

  test('in a worker that got it as workerData, and in workers of workers; names work there as well', async () => {
    for (const depth of [0, 1, 2]) {
      const mutex = new Mutex({ name: `handles.test depth ${depth}` });
      const guard = mutex.acquireSync();
      const worker = new Worker(fixture('nested.mjs'), {
        workerData: { handle: mutex.handle, name: mutex.name, depth },
      });
      const exited = once(worker, 'exit');
      const [before] = await once(worker, 'message');
      expect(before).toEqual({ waits: true, taken: false, same: true });
      await until(() => mutex.stats().waiters === 1, 'the innermost worker waits');
      guard.release();
      const [after] = await once(worker, 'message');
      expect(after).toEqual({ owned: true, released: true });
      await exited;
    }
  });

  test('in a worker that got it by postMessage', async () => {
    const semaphore = new Semaphore(4);
    const thread = await startThread();
    await thread.run(({ open, guards }, handle) => {
      guards.set('held', open(handle).acquireSync({ weight: 3 }));
    }, semaphore.handle);
    expect(semaphore.availableSync()).toBe(1);
    await thread.run(({ guards }) => guards.get('held')!.release(), undefined);
    expect(semaphore.availableSync()).toBe(4);
  });

  test('in a worker that got it through a MessagePort from another worker', async () => {
    const rw = new ReadWriteLock();
    const [sender, receiver] = await Promise.all([startThread(), startThread()]);
    const { port1, port2 } = new MessageChannel();
    receiver.worker.postMessage(
      {
        id: -1,
        source: `({ open, guards }, port) => new Promise((resolve) => port.once('message', (handle) => {
          guards.set('held', open(handle).acquireWriteSync());
          resolve();
        }))`,
        argument: port1,
      },
      [port1],
    );
    const received = once(receiver.worker, 'message');
    sender.worker.postMessage(
      {
        id: -1,
        source: `({ open }, { handle, port }) => port.postMessage(open(handle).handle)`,
        argument: { handle: rw.handle, port: port2 },
      },
      [port2],
    );
    await received;
    expect(rw.writer.isLockedSync()).toBe(true);
    expect(rw.writer.isOwnedSync()).toBe(false);
  });

  test("in piscina's workers, as a task's argument", async () => {
    const pool = new Piscina({ filename: fileURLToPath(fixture('task.mjs')), minThreads: 2, maxThreads: 2 });
    const times = 2_000;
    for (const lock of [new Mutex(), new Semaphore(1)]) {
      const word = words(1);
      const argument = { handle: lock.handle, memory: word.buffer, times };
      await Promise.all([1, 2, 3, 4].map(() => pool.run(argument, { name: 'increment' })));
      expect(word[0]).toBe(4 * times);
    }
    await pool.destroy();
  });
});

test("The default space is inherited by piscina's workers", async () => {
  const pool = new Piscina({ filename: fileURLToPath(fixture('task.mjs')), maxThreads: 1 });
  const mutex = new Mutex({ name: 'handles.test piscina mutex' });
  const semaphore = new Semaphore(9, { name: 'handles.test piscina semaphore' });
  const rw = new ReadWriteLock({ name: 'handles.test piscina lock' });
  const argument = { mutex: mutex.name, semaphore: semaphore.name, permits: 9, readWriteLock: rw.name };
  expect(await pool.run(argument, { name: 'look' })).toEqual({ mutex: false, available: 9, writing: false });
  const guards = [mutex.acquireSync(), semaphore.acquireSync({ weight: 4 }), rw.acquireWriteSync()];
  expect(await pool.run(argument, { name: 'look' })).toEqual({ mutex: true, available: 5, writing: true });
  for (const guard of guards) guard.release();
  await pool.destroy();
});

describe('What is not a handle is refused', () => {
  const opens: Record<string, (handle: never) => unknown> = {
    open,
    'Mutex.from': (handle) => Mutex.from(handle),
    'Semaphore.from': (handle) => Semaphore.from(handle),
    'ReadWriteLock.from': (handle) => ReadWriteLock.from(handle),
    'Space.from': (handle) => Space.from(handle),
  };

  function refusal(call: () => unknown): Error {
    try {
      call();
    } catch (error) {
      return error as Error;
    }
    return expect.fail('was opened');
  }

  function expectRefused(handle: unknown, ways: readonly string[] = Object.keys(opens)): void {
    for (const way of ways) {
      const error = refusal(() => opens[way]!(handle as never));
      expect(error, way).toBeInstanceOf(InvalidHandleError);
      expect(error, way).toBeInstanceOf(LockError);
      expect((error as InvalidHandleError).code, way).toBe('ERR_LOCK_HANDLE');
      expect(error.message, way).toMatch(/^ERR_LOCK_HANDLE\b/);
    }
  }

  const memoryOf = (handle: MutexHandle | SpaceHandle): SharedArrayBuffer => handle.memory!;

  /** Refused, and not a byte of the memory is another one afterwards. */
  function expectUntouched(memory: SharedArrayBuffer, check: () => void): void {
    const before = Buffer.from(new Uint8Array(memory));
    check();
    expect(before.equals(new Uint8Array(memory))).toBe(true);
  }

  const space = (): { space: Space; mutex: Mutex; semaphore: Semaphore; rw: ReadWriteLock } => {
    const space = new Space({ locks: 4, threads: 2 });
    return {
      space,
      mutex: new Mutex({ space }),
      semaphore: new Semaphore(3, { space }),
      rw: new ReadWriteLock({ space }),
    };
  };

  /** A copy of the memory of a space that is in use: the same bytes, elsewhere. */
  const copyOf = (memory: SharedArrayBuffer, length = memory.byteLength): SharedArrayBuffer => {
    const copy = new SharedArrayBuffer(length);
    new Uint8Array(copy).set(new Uint8Array(memory, 0, Math.min(length, memory.byteLength)));
    return copy;
  };

  for (const value of [
    undefined,
    null,
    0,
    1n,
    '',
    'mortise/mutex',
    Symbol('handle'),
    true,
    [],
    {},
    () => undefined,
  ]) {
    test(inspect(value), () => {
      expectRefused(value);
    });
  }

  test('a lock instead of its handle', () => {
    expectRefused(new Semaphore(1), ['open', 'Mutex.from', 'Semaphore.from']);
  });

  test('any object whatsoever', () => {
    fc.assert(
      fc.property(
        fc.anything({ withBigInt: true, withDate: true, withTypedArray: true, withNullPrototype: true }),
        (value) => {
          expectRefused(value);
        },
      ),
      { numRuns: 500 },
    );
  });

  test('an object that has the fields of a handle, with anything in them', () => {
    const { mutex } = space();
    const real = mutex.handle;
    const anything = fc.anything();
    fc.assert(
      fc.property(
        fc.record(
          {
            type: fc.oneof(
              fc.constantFrom('mortise/mutex', 'mortise/semaphore', 'mortise/read-write-lock'),
              anything,
            ),
            version: fc.oneof(fc.constant(real.version), fc.integer(), anything),
            memory: fc.oneof(
              fc.constantFrom(
                new SharedArrayBuffer(0),
                new SharedArrayBuffer(1 << 16),
                new ArrayBuffer(1 << 16),
              ),
              fc.uint8Array({ minLength: 0, maxLength: 4096 }).map((bytes) => {
                const memory = new SharedArrayBuffer(bytes.length);
                new Uint8Array(memory).set(bytes);
                return memory;
              }),
              anything,
            ),
            cell: fc.oneof(fc.integer(), fc.double(), anything),
          },
          { requiredKeys: [] },
        ),
        (handle) => {
          const { memory } = handle;
          if (memory instanceof SharedArrayBuffer) expectUntouched(memory, () => expectRefused(handle));
          else expectRefused(handle);
        },
      ),
      { numRuns: 500 },
    );
  });

  test('a handle of another kind', () => {
    const { space: it, mutex, semaphore, rw } = space();
    expectUntouched(memoryOf(it.handle), () => {
      expectRefused(mutex.handle, ['Semaphore.from', 'ReadWriteLock.from']);
      expectRefused(semaphore.handle, ['Mutex.from', 'ReadWriteLock.from']);
      expectRefused(rw.handle, ['Mutex.from', 'Semaphore.from']);
      expectRefused(it.handle, ['open', 'Mutex.from', 'Semaphore.from', 'ReadWriteLock.from']);
    });
  });

  test('a handle that says it is of another kind than its cell is', () => {
    const { space: it, mutex, semaphore, rw } = space();
    expectUntouched(memoryOf(it.handle), () => {
      expectRefused({ ...mutex.handle, cell: semaphore.handle.cell }, ['open', 'Mutex.from']);
      expectRefused({ ...mutex.handle, cell: rw.handle.cell }, ['open', 'Mutex.from']);
      expectRefused({ ...semaphore.handle, cell: mutex.handle.cell }, ['open', 'Semaphore.from']);
      expectRefused({ ...rw.handle, cell: mutex.handle.cell }, ['open', 'ReadWriteLock.from']);
      expectRefused({ ...mutex.handle, type: 'mortise/semaphore' }, ['open', 'Semaphore.from']);
      expectRefused({ ...mutex.handle, type: 'mortise/nothing' });
    });
  });

  test('a handle of another version', () => {
    const { mutex, space: it } = space();
    expectUntouched(memoryOf(it.handle), () => {
      for (const version of [
        mutex.handle.version + 1,
        mutex.handle.version - 1,
        -1,
        NaN,
        `${mutex.handle.version}`,
        undefined,
      ]) {
        expectRefused({ ...mutex.handle, version }, ['open', 'Mutex.from']);
        expectRefused({ ...it.handle, version }, ['Space.from']);
      }
    });
  });

  test('a handle whose cell is free, outside of its memory, or not a number of a cell at all', () => {
    const { space: it, mutex, semaphore, rw } = space();
    const taken = [mutex, semaphore, rw].map((lock) => lock.handle.cell);
    expectUntouched(memoryOf(it.handle), () => {
      for (const cell of [
        -1,
        4,
        1e9,
        -(2 ** 31),
        2 ** 31,
        2 ** 32,
        2 ** 53,
        0.5,
        NaN,
        Infinity,
        -Infinity,
        '0',
        null,
        0n,
      ]) {
        expectRefused({ ...mutex.handle, cell }, ['open', 'Mutex.from']);
      }
      fc.assert(
        fc.property(fc.oneof(fc.integer(), fc.double(), fc.maxSafeInteger(), fc.nat(64)), (cell) => {
          fc.pre(!taken.includes(cell));
          expectRefused({ ...mutex.handle, cell }, ['open', 'Mutex.from']);
        }),
      );
    });
  });

  test('a handle whose memory is not shared, or not the length it says it has', () => {
    const { mutex } = space();
    const memory = memoryOf(mutex.handle);
    expectRefused({ ...mutex.handle, memory: new ArrayBuffer(memory.byteLength) }, ['open', 'Mutex.from']);
    expectRefused({ ...mutex.handle, memory: new Int32Array(memory) }, ['open', 'Mutex.from']);
    fc.assert(
      fc.property(fc.nat(memory.byteLength - 1), (length) => {
        const truncated = copyOf(memory, length);
        expectUntouched(truncated, () =>
          expectRefused({ ...mutex.handle, memory: truncated }, ['open', 'Mutex.from']),
        );
      }),
      { numRuns: 50 },
    );
    const longer = copyOf(memory, memory.byteLength + 64);
    expectUntouched(longer, () => expectRefused({ ...mutex.handle, memory: longer }, ['open', 'Mutex.from']));
  });

  test('a handle whose memory is filled with random bytes', () => {
    const { mutex, space: it } = space();
    fc.assert(
      fc.property(fc.uint8Array({ minLength: 4, maxLength: 256 }), (bytes) => {
        const memory = new SharedArrayBuffer(memoryOf(mutex.handle).byteLength);
        const view = new Uint8Array(memory);
        for (let at = 0; at < view.length; at++) view[at] = bytes[at % bytes.length]! ^ at;
        expectUntouched(memory, () => {
          expectRefused({ ...mutex.handle, memory }, ['open', 'Mutex.from']);
          expectRefused({ ...it.handle, memory }, ['Space.from']);
        });
      }),
      { numRuns: 50 },
    );
  });

  test('a handle whose memory has a damaged header is refused or opens, and in the first case is left alone', () => {
    const { mutex } = space();
    const memory = memoryOf(mutex.handle);
    let refused = 0;
    fc.assert(
      fc.property(fc.array(fc.tuple(fc.nat(15), fc.integer()), { minLength: 1, maxLength: 4 }), (changes) => {
        const damaged = copyOf(memory);
        for (const [word, value] of changes) new Int32Array(damaged)[word] = value;
        const before = Buffer.from(new Uint8Array(damaged));
        try {
          Mutex.from({ ...mutex.handle, memory: damaged } as MutexHandle);
        } catch (error) {
          refused++;
          expect(error).toBeInstanceOf(InvalidHandleError);
          expect(before.equals(new Uint8Array(damaged))).toBe(true);
        }
      }),
      { numRuns: 200 },
    );
    expect(refused).toBeGreaterThan(20);
  });

  test('a handle whose memory is a copy of its space, also when that is the space of others', async () => {
    const { mutex } = space();
    const { handle } = mutex;
    const copy = { ...handle, memory: copyOf(memoryOf(handle)) } as MutexHandle;
    expectRefused(copy);
    const thread = await startThread();
    await thread.run(({ Mutex }, handle) => {
      for (let i = 0; i < 9; i++) Mutex.from(structuredClone(handle));
    }, copy);
    for (let i = 0; i < 3; i++) {
      expectRefused(copy);
      Mutex.from(structuredClone(handle)).acquireSync().release();
    }
  });

  test('by a thread that comes to the memory for the first time, and it is left alone as well', async () => {
    const { space: it, mutex, semaphore } = space();
    const thread = await startThread();
    const before = Buffer.from(new Uint8Array(memoryOf(it.handle)));
    for (const handle of [
      { ...mutex.handle, cell: 3 },
      { ...mutex.handle, cell: semaphore.handle.cell },
      { ...mutex.handle, cell: -1 },
      { ...mutex.handle, version: 0 },
      { ...mutex.handle, type: 'mortise/read-write-lock' },
    ]) {
      const opened = thread.run(({ open }, handle) => void open(handle as never), handle);
      await expect(opened).rejects.toMatchObject({ code: 'ERR_LOCK_HANDLE' });
    }
    expect(before.equals(new Uint8Array(memoryOf(it.handle)))).toBe(true);
  });

  test('a space that is not one, as an option', () => {
    const { space: it } = space();
    expectUntouched(memoryOf(it.handle), () => {
      for (const value of [it.handle, {}, null]) {
        expect(() => new Mutex({ space: value as never })).toThrow(TypeError);
      }
    });
  });
});
