/** Waiting for a word of mapped memory without blocking: with one sleep on many words, and without. */
import { afterEach, describe, expect, test } from 'vitest';
import { runFixture } from './fixtures/child.ts';
import { endPeers, Peer, type Tools } from './fixtures/native/peer.ts';
import { newFile } from './fixtures/native/scratch.ts';

afterEach(endPeers);

describe.each([
  ['FUTEX_WAITV', {}],
  ['a thread for each word', { MORTISE_WAITV: '0' }],
])('watch, with %s', (_, env) => {
  const peer = (): Peer => Peer.process(env);

  test('calls back once, when another process has changed the word', async () => {
    const file = newFile();
    const waiting = peer();
    await waiting.run(({ addon, words, kept }, file) => {
      let calls = 0;
      const changed = new Promise<number>((resolve) => {
        addon.watch(words(file), 3, 0, () => resolve(++calls));
      });
      kept.changed = changed;
      kept.calls = () => calls;
    }, file);
    const change = ({ addon, words }: Tools, file: string): void => {
      Atomics.add(words(file), 3, 1);
      addon.futexWake(words(file), 3, Infinity);
    };
    await peer().run(change, file);
    expect(await waiting.run(({ kept }) => kept.changed)).toBe(1);
    await peer().run(change, file);
    expect(await waiting.run(({ kept }) => kept.calls())).toBe(1);
  });

  test('calls back when the word differs already, but not at once', async () => {
    const order = await peer().run(
      ({ addon, words }, file) =>
        new Promise<string[]>((resolve) => {
          const order: string[] = [];
          addon.watch(words(file), 0, 7, () => {
            order.push('called');
            resolve(order);
          });
          order.push('returned');
        }),
      newFile(),
    );
    expect(order).toEqual(['returned', 'called']);
  });

  test('a wake without a change is none', async () => {
    const calls = await peer().run(async ({ addon, words, until }, file) => {
      const seen = words(file);
      const calls: string[] = [];
      addon.watch(seen, 0, 0, () => calls.push('unchanged'));
      await until(() => addon.futexWake(seen, 0, Infinity) === 1);
      addon.watch(seen, 1, 0, () => calls.push('changed'));
      Atomics.store(seen, 1, 1);
      addon.futexWake(seen, 1, Infinity);
      await until(() => calls.length > 0);
      return calls;
    }, newFile());
    expect(calls).toEqual(['changed']);
  });

  test('unwatch says whether the call can still come', async () => {
    const answers = await peer().run(async ({ addon, words, until }, file) => {
      const seen = words(file);
      let called = false;
      const id = addon.watch(seen, 0, 0, () => (called = true));
      const first = [addon.unwatch(id), addon.unwatch(id)];
      const other = addon.watch(seen, 0, 0, () => undefined);
      // This one has been reported before the loop comes to call it.
      let reported = false;
      const third = addon.watch(seen, 1, 0, () => (reported = true));
      Atomics.store(seen, 0, 1);
      Atomics.store(seen, 1, 1);
      addon.futexWake(seen, 0, Infinity);
      addon.futexWake(seen, 1, Infinity);
      addon.futexWait(seen, 2, 0, 50);
      const late = addon.unwatch(third);
      await until(() => !addon.unwatch(other));
      return { first, called, late, reported };
    }, newFile());
    expect(answers).toEqual({ first: [true, false], called: false, late: true, reported: false });
  });

  test('200 words at once, each called back for itself', async () => {
    const called = await peer().run(async ({ addon, words, watchers, until }, file) => {
      const seen = words(file);
      const called: number[] = [];
      for (let i = 0; i < 200; i++) addon.watch(seen, i, 0, () => called.push(i));
      // One for every 127 words, or for every word.
      await until(() => watchers() === (addon.capabilities.waitv ? 2 : 200));
      for (let i = 199; i >= 0; i--) {
        Atomics.store(seen, i, 1);
        addon.futexWake(seen, i, Infinity);
      }
      await until(() => called.length === 200);
      return called.sort((a, b) => a - b);
    }, newFile());
    expect(called).toEqual(Array.from({ length: 200 }, (_, i) => i));
  });

  test('what a callback throws is an uncaught exception, and the others are called', async () => {
    const outcome = await peer().run(async ({ addon, words, until }, file) => {
      const seen = words(file);
      const messages: string[] = [];
      process.once('uncaughtException', (error) => messages.push(error.message));
      addon.watch(seen, 0, 1, () => {
        throw new Error('thrown');
      });
      addon.watch(seen, 1, 1, () => messages.push('called'));
      await until(() => messages.length === 2);
      return messages.sort();
    }, newFile());
    expect(outcome).toEqual(['called', 'thrown']);
  });

  test('thousands leave nothing behind', async () => {
    const growth = await peer().run(async ({ addon, fs, words, watchers, until }, file) => {
      const seen = words(file);
      const round = async (times: number): Promise<void> => {
        for (let i = 0; i < times; i++) {
          addon.unwatch(addon.watch(seen, 0, 0, () => undefined));
          const changed = new Promise<void>((resolve) => {
            addon.watch(seen, 1, i, resolve);
          });
          Atomics.store(seen, 1, i + 1);
          addon.futexWake(seen, 1, Infinity);
          await changed;
        }
        Atomics.store(seen, 1, 0);
        globalThis.gc?.();
      };
      await round(1000);
      const before = process.memoryUsage().rss;
      await round(3000);
      const bytes = process.memoryUsage().rss - before;
      await until(() => watchers() === 0);
      return { bytes, descriptors: fs.readdirSync('/proc/self/fd').filter((fd) => fd === file).length };
    }, newFile());
    expect(growth.bytes).toBeLessThan(16 * 2 ** 20);
    expect(growth.descriptors).toBe(0);
  });

  test('a watch never keeps a process alive', async () => {
    const { code, stdout, stderr } = await runFixture('./native/watching.mjs', [newFile()], { env });
    expect({ code, stdout, stderr }).toEqual({ code: 0, stdout: '', stderr: '' });
  });

  test('a thread that ends takes its helpers with it, however it ends', async () => {
    await peer().run(async ({ addon, Worker, self, watchers, until }, file) => {
      for (const end of ['terminate', 'busy', 'returns', 'process.exit', 'throws']) {
        const worker = new Worker(new URL('ends.mjs', self), { workerData: { file, end } });
        const exit = new Promise((resolve) => worker.once('exit', resolve));
        worker.once('error', () => undefined);
        if (end === 'terminate' || end === 'busy') {
          await new Promise((resolve) => worker.once('message', resolve));
          await until(() => watchers() === (addon.capabilities.waitv ? 1 : 3));
          await worker.terminate();
        }
        await exit;
        // A thread may be seen for a moment after it was joined.
        await until(() => watchers() === 0);
      }
    }, newFile());
  });

  test('threads that come and go leave no memory behind', async () => {
    const bytes = await peer().run(async ({ Worker, self }, file) => {
      const round = async (times: number): Promise<number> => {
        for (let i = 0; i < times; i++) {
          const worker = new Worker(new URL('ends.mjs', self), { workerData: { file, end: 'returns' } });
          await new Promise((resolve) => worker.once('exit', resolve));
        }
        globalThis.gc?.();
        return process.memoryUsage().rss;
      };
      const before = await round(10);
      return (await round(40)) - before;
    }, newFile());
    expect(bytes).toBeLessThan(32 * 2 ** 20);
  });
});
