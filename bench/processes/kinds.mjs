/**
 * The locks that are handed off. Each is three locks; `acquire(index)` returns what releases it.
 * @typedef {{ isBlocking: boolean, acquire: (index: number) => any, close?: () => void }} Three
 */
import { closeSync, ftruncateSync, openSync, writeFileSync } from 'node:fs';
import { promisify } from 'node:util';
import { Space } from 'mortise';
import { FileLock } from 'mortise/file';
import { native } from '../../dist/native.js';
import { fsExt, properLockfile } from './peers.mjs';

const three = (make) => [0, 1, 2].map(make);

/** @type {Record<string, (path: string, isFirst: boolean) => Three>} */
export const kinds = {
  file(path) {
    const locks = three((index) => new FileLock(`${path}-${index}`));
    return {
      isBlocking: false,
      async acquire(index) {
        const guard = await locks[index].acquire();
        return () => guard.release();
      },
    };
  },

  'file-sync'(path) {
    const locks = three((index) => new FileLock(`${path}-${index}`));
    return {
      isBlocking: true,
      acquire(index) {
        const guard = locks[index].acquireSync();
        return () => guard.release();
      },
    };
  },

  'fs-ext'(path) {
    const files = three((index) => openSync(`${path}-${index}`, 'a+'));
    const flock = promisify(fsExt.flock);
    return {
      isBlocking: false,
      async acquire(index) {
        await flock(files[index], 'ex');
        return () => fsExt.flockSync(files[index], 'un');
      },
      close: () => files.forEach((fd) => closeSync(fd)),
    };
  },

  'fs-ext-sync'(path) {
    const files = three((index) => openSync(`${path}-${index}`, 'a+'));
    return {
      isBlocking: true,
      acquire(index) {
        fsExt.flockSync(files[index], 'ex');
        return () => fsExt.flockSync(files[index], 'un');
      },
      close: () => files.forEach((fd) => closeSync(fd)),
    };
  },

  'proper-lockfile'(path) {
    const files = three((index) => `${path}-${index}`);
    for (const file of files) writeFileSync(file, '', { flag: 'a' });
    const retries = { forever: true, factor: 1, minTimeout: 10, maxTimeout: 10 };
    return { isBlocking: false, acquire: (index) => properLockfile.lock(files[index], { retries }) };
  },

  mutex(path) {
    const space = Space.open(path);
    const mutexes = three((index) => space.mutex(`mutex ${index}`));
    return {
      isBlocking: true,
      acquire(index) {
        const guard = mutexes[index].acquireSync();
        return () => guard.release();
      },
    };
  },

  /** No lock: one word says how many turns there were, and who waits for its turn sleeps. */
  futex(path, isFirst) {
    const addon = native();
    const fd = openSync(path, 'a+');
    ftruncateSync(fd, 4096);
    const words = new Int32Array(addon.map(fd, 4096));
    closeSync(fd);
    const pass = (word) => () => {
      Atomics.add(words, word, 1);
      addon.futexWake(words, word, 1);
    };
    const [theirs, mine] = isFirst ? [0, 1] : [1, 0];
    let seen = Atomics.load(words, theirs);
    let waits = isFirst ? -1 : -2;
    return {
      isBlocking: true,
      acquire() {
        // What is held at the beginning.
        if (waits++ < 0) return pass(mine);
        for (; Atomics.load(words, theirs) === seen;) addon.futexWait(words, theirs, seen, 1000);
        seen++;
        return pass(mine);
      },
    };
  },
};
