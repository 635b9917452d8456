/** The kernel's word on who has ended: lives in mapped memory. */
import { closeSync, openSync, truncateSync } from 'node:fs';
import { afterEach, describe, expect, test } from 'vitest';
import { native } from '../dist/native.js';
import { endPeers, Peer, type Tools } from './fixtures/native/peer.ts';
import { newFile } from './fixtures/native/scratch.ts';

const addon = native();
const AT = 128;

afterEach(endPeers);

/** A file with one life that nobody holds, and its memory in this process. */
function life(): { file: string; buffer: ArrayBuffer; ended: () => boolean } {
  const file = newFile();
  const fd = openSync(file, 'r+');
  const buffer = addon.map(fd, 4096);
  closeSync(fd);
  addon.lifeInit(buffer, AT);
  return { file, buffer, ended: () => addon.lifeEnded(buffer, AT) };
}

/** Runs in a peer. */
function holds({ addon, words, kept }: Tools, file: string): void {
  kept.words = words(file);
  addon.lifeHold(kept.words.buffer as ArrayBuffer, 128);
}

describe('A life', () => {
  test('has ended while nobody has held it', () => {
    expect(life().ended()).toBe(true);
    expect(addon.lifeBytes).toBe(64);
  });

  test('is made before it is used', () => {
    const { buffer } = life();
    const refused = expect.objectContaining({ code: 'EINVAL' });
    expect(() => addon.lifeHold(buffer, AT + addon.lifeBytes)).toThrow(refused);
    expect(() => addon.lifeEnded(buffer, AT - 8)).toThrow(refused);
    expect(addon.lifeRelease(buffer, 0)).toBe(false);
  });

  test.each([
    ['process', () => Peer.process()],
    ['thread', () => Peer.thread()],
  ])('ends with the %s that is killed, for everybody who asks', async (_, start) => {
    const { file, ended } = life();
    const [peer, other] = [start(), Peer.process()];
    await peer.run(holds, file);
    const asks = ({ addon, words }: Tools, file: string): boolean =>
      addon.lifeEnded(words(file).buffer as ArrayBuffer, 128);
    expect([ended(), await other.run(asks, file)]).toEqual([false, false]);
    await peer.kill();
    expect([ended(), ended(), await other.run(asks, file)]).toEqual([true, true, true]);
  });

  test('ends with a process that exits, throws or has nothing left to do', async () => {
    for (const end of [
      'process.exit(0)',
      'setImmediate(() => { throw 0; })',
      'setImmediate(() => process.disconnect())',
    ]) {
      const { file, ended } = life();
      const peer = Peer.process({}, { silent: true });
      await peer.run(holds, file);
      peer.abandon((_, end) => (0, eval)(end), end);
      await peer.exited;
      expect(ended(), end).toBe(true);
    }
  });

  test('ends with a thread of another process, which lives on', async () => {
    const { file, ended } = life();
    const peer = Peer.process();
    await peer.run(async ({ Worker, self, kept }, file) => {
      const worker = new Worker(new URL('lives.mjs', self), { workerData: { file, at: 128 } });
      kept.worker = worker;
      await new Promise((resolve) => worker.once('message', resolve));
    }, file);
    expect(ended()).toBe(false);
    await peer.run(({ kept }) => kept.worker.terminate());
    expect(ended()).toBe(true);
  });

  test('ends with a worker that returns', async () => {
    const { file, ended } = life();
    const peer = Peer.process();
    await peer.run(async ({ Worker, self }, file) => {
      const worker = new Worker(new URL('lives.mjs', self), { workerData: { file, at: 128, returns: true } });
      await new Promise((resolve) => worker.once('exit', resolve));
    }, file);
    expect(ended()).toBe(true);
  });

  test('has a next holder', async () => {
    const { file, ended } = life();
    for (let round = 0; round < 3; round++) {
      const peer = round === 1 ? Peer.thread() : Peer.process();
      await peer.run(holds, file);
      expect(ended()).toBe(false);
      await peer.kill();
      // Once without asking in between: the next one finds the mutex of a dead one.
      if (round > 0) expect(ended()).toBe(true);
    }
  });

  test('once one was told of its end, nobody hears otherwise', async () => {
    const { file, ended } = life();
    const holder = Peer.process();
    await holder.run(holds, file);
    const asking = [Peer.thread(), Peer.process(), Peer.thread()].map((peer) =>
      peer.run(({ addon, words }, file) => {
        const seen = words(file);
        while (Atomics.load(seen, 0) === 0) if (addon.lifeEnded(seen.buffer as ArrayBuffer, 128)) break;
        Atomics.store(seen, 0, 1);
        let wrong = 0;
        for (let i = 0; i < 10_000; i++) if (!addon.lifeEnded(seen.buffer as ArrayBuffer, 128)) wrong++;
        return wrong;
      }, file),
    );
    await holder.kill();
    expect(await Promise.all(asking)).toEqual([0, 0, 0]);
    expect(ended()).toBe(true);
  });

  test('is held by one thread, which may release it', async () => {
    const { file, buffer, ended } = life();
    addon.lifeHold(buffer, AT);
    expect(ended()).toBe(false);
    const busy = expect.objectContaining({ code: 'EBUSY', syscall: 'pthread_mutex_lock' });
    expect(() => addon.lifeHold(buffer, AT)).toThrow(busy);
    expect(() => addon.lifeInit(buffer, AT)).toThrow(expect.objectContaining({ code: 'EBUSY' }));
    const refused = await Peer.process().run(({ addon, words }, file) => {
      const memory = words(file).buffer as ArrayBuffer;
      const released = addon.lifeRelease(memory, 128);
      try {
        addon.lifeHold(memory, 128);
        return [released, 'held'];
      } catch (error) {
        return [released, (error as NodeJS.ErrnoException).code];
      }
    }, file);
    expect(refused).toEqual([false, 'EBUSY']);
    expect(addon.lifeRelease(buffer, AT)).toBe(true);
    expect([ended(), addon.lifeRelease(buffer, AT)]).toEqual([true, false]);
  });

  test('is one of 2000 of a thread at most: of those the system tells the end', async () => {
    const file = newFile();
    truncateSync(file, 2001 * addon.lifeBytes);
    const peer = Peer.process();
    const refused = await peer.run(({ addon, fs, kept }, file) => {
      const buffer = addon.map(fs.openSync(file, 'r+'), 2001 * addon.lifeBytes);
      kept.words = new Int32Array(buffer);
      for (let i = 0; i <= 2000; i++) addon.lifeInit(buffer, i * addon.lifeBytes);
      for (let i = 0; i < 2000; i++) addon.lifeHold(buffer, i * addon.lifeBytes);
      try {
        addon.lifeHold(buffer, 2000 * addon.lifeBytes);
        return 'held';
      } catch (error) {
        return (error as NodeJS.ErrnoException).code;
      }
    }, file);
    expect(refused).toBe('ENOLCK');
    await peer.kill();
    const fd = openSync(file, 'r+');
    const buffer = addon.map(fd, 2001 * addon.lifeBytes);
    closeSync(fd);
    const held = Array.from({ length: 2001 }, (_, i) => i).filter(
      (i) => !addon.lifeEnded(buffer, i * addon.lifeBytes),
    );
    expect(held).toEqual([]);
  });

  test('stays held when its ArrayBuffer has gone', async () => {
    const { file, ended } = life();
    const peer = Peer.process();
    await peer.run(({ addon, words, fs }, file) => {
      addon.lifeHold(words(file).buffer as ArrayBuffer, 128);
      for (let i = 0; i < 10; i++) globalThis.gc?.();
      if (!fs.readFileSync('/proc/self/maps', 'utf8').includes(file)) throw new Error('unmapped');
    }, file);
    await peer.run(() => globalThis.gc?.());
    expect(ended()).toBe(false);
    await peer.kill();
    expect(ended()).toBe(true);
  });
});
