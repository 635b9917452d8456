/**
 * What the library takes from V8 and Node.js without a specification to lean on. When one of these fails
 * on a new version of Node.js, the library's reasoning about the death of threads has to be looked at
 * before its code.
 */
import { AsyncLocalStorage } from 'node:async_hooks';
import { subscribe, unsubscribe } from 'node:diagnostics_channel';
import { existsSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { Worker, setEnvironmentData } from 'node:worker_threads';
import { once } from 'node:events';
import { Piscina } from 'piscina';
import { describe, expect, test } from 'vitest';
import { runFixture } from './fixtures/child.ts';
import { until, words } from './fixtures/until.ts';

const fixture = (name: string): URL => new URL(`./fixtures/canary/${name}`, import.meta.url);

/** Terminates one worker after another at changing moments, and gives the words each of them left behind. */
async function killed(kind: string, kills: number): Promise<Int32Array[]> {
  const left: Int32Array[] = [];
  const kill = async (seed: number): Promise<void> => {
    const w = words();
    const worker = new Worker(fixture('straight-line.mjs'), { workerData: { kind, memory: w.buffer } });
    await until(() => Atomics.load(w, 15) === 1, 'the worker works');
    // From the first, interpreted rounds to long after the optimizing compiler has seen them.
    for (const end = performance.now() + (seed % 8) * 3; performance.now() < end;);
    await worker.terminate();
    left.push(w);
  };
  for (let i = 0; i < kills; i += 2) await Promise.all([kill(i), kill(i + 1)]);
  return left;
}

describe('A worker that is terminated', () => {
  test('is never cut between a successful RMW and the plain stores right after it', async () => {
    for (const w of await killed('record', 40)) {
      expect([w[1], w[2], w[3]]).toEqual([w[0], w[0], w[0]]);
      expect([w[5], w[6], w[7]]).toEqual([w[4], w[4], w[4]]);
      expect([w[9], w[10]]).toEqual([w[8], w[8]]);
    }
  });

  test('is never cut between plain stores', async () => {
    for (const w of await killed('plain', 40)) {
      expect(w[0]).toBeGreaterThan(0);
      expect(new Set(w.slice(0, 12))).toEqual(new Set([w[0]]));
    }
  });

  test('is cut between an RMW and its record by a loop that stands there (so the tests above can see a cut)', async () => {
    const cut = (await killed('loop', 10)).filter((w) => w[1] !== w[0]);
    expect(cut.length).toBeGreaterThan(0);
  });

  test('has done the Atomics operations of a straight line in order up to one of them and none after', async () => {
    for (const w of await killed('atomics', 40)) {
      const counts = [...w.slice(0, 8)];
      expect(counts).toEqual(counts.toSorted((a, b) => b - a));
      expect(counts[0]! - counts[7]!).toBeLessThanOrEqual(1);
    }
  });

  test('comes out of Atomics.wait only to die', async () => {
    const w = words();
    const worker = new Worker(fixture('wait-then-store.mjs'), { workerData: w.buffer });
    await until(() => Atomics.load(w, 2) === 1, 'the worker is about to wait');
    await worker.terminate();
    expect(Atomics.load(w, 1)).toBe(0);
    // Nobody is left in the list of waiters.
    expect(Atomics.notify(w, 0)).toBe(0);
  });
});

describe('Atomics.waitAsync', () => {
  for (const where of ['main', 'worker']) {
    for (const timeout of ['Infinity', '600000']) {
      test(`does not keep the event loop alive: ${where} thread, timeout ${timeout}`, async () => {
        const { code, stdout } = await runFixture('canary/wait-async.mjs', [where, timeout]);
        expect({ code, stdout }).toEqual({ code: 0, stdout: 'waiting\n' });
      });
    }
  }

  test('cannot be cancelled: one that nobody awaits any more swallows a notify(1)', async () => {
    const w = words();
    const settled: string[] = [];
    const waits = ['forgotten', 'awaited'].map(async (who) => {
      const result = Atomics.waitAsync(w, 0, 0);
      await result.value;
      settled.push(who);
    });
    expect(Atomics.notify(w, 0, 1)).toBe(1);
    await waits[0];
    expect(settled).toEqual(['forgotten']);
    expect(Atomics.notify(w, 0, 1)).toBe(1);
    await waits[1];
  });

  test('returns "not-equal" at once when the word has changed', () => {
    const w = words();
    w[0] = 7;
    expect(Atomics.waitAsync(w, 0, 0)).toEqual({ async: false, value: 'not-equal' });
  });
});

test('Atomics.wait works on the main thread', () => {
  expect(Atomics.wait(words(), 0, 0, 1)).toBe('timed-out');
});

describe('setEnvironmentData', () => {
  test('reaches workers, and workers of workers', async () => {
    const w = words();
    setEnvironmentData('mortise canary', w.buffer);
    const worker = new Worker(fixture('environment-data.mjs'), { workerData: { depth: 2 } });
    await once(worker, 'exit');
    expect(w[0]).toBe(3);
  });

  test("reaches piscina's workers", async () => {
    const w = words();
    setEnvironmentData('mortise canary', w.buffer);
    const pool = new Piscina({
      filename: fileURLToPath(fixture('environment-data-task.mjs')),
      maxThreads: 2,
    });
    await Promise.all([pool.run({}), pool.run({})]);
    await pool.destroy();
    expect(w[0]).toBe(2);
  });
});

test('diagnostics_channel announces every worker that is created', async () => {
  // Piscina may still replace a worker of the pool destroyed above, so others can be announced meanwhile.
  const announced: unknown[] = [];
  const note = (message: unknown): void => void announced.push((message as { worker: unknown }).worker);
  subscribe('worker_threads', note);
  const worker = new Worker('', { eval: true });
  await once(worker, 'exit');
  unsubscribe('worker_threads', note);
  expect(announced.filter((one) => one === worker)).toHaveLength(1);
});

describe.runIf(process.platform === 'linux')('/proc', () => {
  test('names a thread while it lives and forgets it soon after it was terminated', async () => {
    const worker = new Worker(fixture('tid.mjs'));
    const [tid] = (await once(worker, 'message')) as [number];
    const entry = `/proc/self/task/${tid}`;
    expect(existsSync(entry)).toBe(true);
    await worker.terminate();
    await until(() => !existsSync(entry), 'the entry is gone', 5_000);
  });
});

test('structured clone drops class and code of an error', () => {
  class Special extends Error {
    readonly code = 'ERR_SPECIAL';
  }
  const copy: unknown = structuredClone(new Special('told'));
  expect(copy).not.toBeInstanceOf(Special);
  expect(copy).toMatchObject({ message: 'told' });
  expect(copy).not.toHaveProperty('code');
});

test('AsyncLocalStorage.run does not leak to siblings', async () => {
  const storage = new AsyncLocalStorage<string>();
  const seen = await Promise.all([
    storage.run('inside', async () => {
      await null;
      return storage.getStore();
    }),
    (async () => {
      await null;
      return storage.getStore();
    })(),
  ]);
  expect(seen).toEqual(['inside', undefined]);
});
