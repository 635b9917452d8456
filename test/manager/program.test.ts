/** The same program on every backend: nothing in it changes with where its locks live. */
import { once } from 'node:events';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { Worker } from 'node:worker_threads';
import { afterAll, describe, expect, test } from 'vitest';
import { LockManager } from 'mortise';
import { openBackend, type BackendSubject } from '../contract/backend.ts';
import { runFixture } from '../fixtures/child.ts';
import { inventory } from '../fixtures/manager/inventory.mjs';
import { folder, newRegion } from '../fixtures/space-open/region.ts';
import { EtcdCluster } from '../etcd/cluster.mjs';
import { RedisServer } from '../redis/server.mjs';

const server = await RedisServer.start();
const cluster = await EtcdCluster.start();
afterAll(() => Promise.all([server.end(), cluster.end()]));

const rounds = 50;
let files = 0;

function newShelves(): string {
  const file = join(folder, `shelves-${files++}.json`);
  writeFileSync(file, JSON.stringify({ left: 10_000, right: 0, moves: 0, fence: '0' }));
  return file;
}

function movesIn(file: string): number {
  const { left, right, moves } = JSON.parse(readFileSync(file, 'utf8')) as Record<string, number>;
  expect(left! + right!).toBe(10_000);
  expect(right).toBe(moves);
  return moves!;
}

const subjects: BackendSubject[] = [
  { factory: 'memoryBackend', args: [] },
  { factory: 'fileBackend', args: [join(folder, 'program')] },
  { factory: 'sharedMemoryBackend', args: [newRegion(), { locks: 64, threads: 16 }] },
  { factory: 'redisBackend', args: [{ url: server.url }] },
  { factory: 'etcdBackend', args: [{ endpoints: cluster.endpoints }] },
];

describe.each(subjects)('A program with locks of $factory', (subject) => {
  const { capabilities } = openBackend(subject);

  test('keeps its promises among the tasks of a thread', async () => {
    const file = newShelves();
    const locks = new LockManager({ backend: openBackend(subject) });
    const sums = await Promise.all([1, 2, 3].map(() => inventory(locks, file, rounds)));
    expect(sums).toEqual([1, 2, 3].map(() => rounds * 10_000));
    expect(movesIn(file)).toBe(3 * rounds);
    expect(locks.list()).toEqual([]);
  });

  test('keeps them among threads', async () => {
    const file = newShelves();
    const workers = [1, 2].map(
      () =>
        new Worker(new URL('../fixtures/manager/inventory-worker.mjs', import.meta.url), {
          workerData: { ...subject, file, rounds },
        }),
    );
    const ends = workers.map((worker) => once(worker, 'exit'));
    const sums = await Promise.all(
      workers.map(async (worker) => (await once(worker, 'message'))[0] as number),
    );
    expect(sums).toEqual([rounds * 10_000, rounds * 10_000]);
    await Promise.all(ends);
    expect(movesIn(file)).toBe(2 * rounds);
  });

  if (capabilities.scope !== 'threads')
    test('keeps them among processes', async () => {
      const file = newShelves();
      const argument = JSON.stringify({ ...subject, file, rounds });
      const ends = await Promise.all(
        [1, 2].map(() => runFixture('manager/inventory-worker.mjs', [argument])),
      );
      for (const { stdout, stderr } of ends) expect([stdout, stderr]).toEqual([`${rounds * 10_000}\n`, '']);
      expect(movesIn(file)).toBe(2 * rounds);
    });
});
