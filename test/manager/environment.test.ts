/** The default manager as the environment asks for it. */
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { fromEnvironment } from '../../dist/environment.js';
import { runFixture } from '../fixtures/child.ts';
import { folder } from '../fixtures/space-open/region.ts';

interface Report {
  backend?: string;
  limits?: string[];
  acquisitions?: number;
  error?: string;
}

async function managerOf(env: Record<string, string>): Promise<Report> {
  const { stdout, stderr, code } = await runFixture('manager/environment.mjs', [], { env });
  expect([stderr, code]).toEqual(['', 0]);
  return JSON.parse(stdout) as Report;
}

describe('The default manager', () => {
  test('lives in memory, with a time limit of 60 s, of 10 s for reads and 30 s for writes', () => {
    const { backend, timeouts } = fromEnvironment({});
    expect(backend.id).toBe('memory');
    expect(timeouts).toEqual({ lock: 60_000, read: 10_000, write: 30_000 });
    expect(fromEnvironment({ MORTISE_BACKEND: '', MORTISE_LOCK_TIMEOUT: '' }).timeouts).toEqual(timeouts);
  });

  test('lives where MORTISE_BACKEND says', async () => {
    const dir = join(folder, 'environment');
    expect(await managerOf({ MORTISE_BACKEND: `file:${dir}` })).toMatchObject({ backend: `file:${dir}` });
    const path = join(folder, 'environment.region');
    expect(await managerOf({ MORTISE_BACKEND: `shared-memory:${path}` })).toMatchObject({
      backend: `shared-memory:${path}`,
    });
  });

  test('has the limits that the environment says', async () => {
    const env = { MORTISE_LOCK_TIMEOUT: '15', MORTISE_READ_TIMEOUT: '10', MORTISE_WRITE_TIMEOUT: 'Infinity' };
    expect(await managerOf(env)).toEqual({
      backend: 'memory',
      limits: ['within 15 ms', 'within 10 ms', 'waits longer'],
    });
  });

  test('counts if the environment says so, and looks for deadlocks as it says', async () => {
    expect(fromEnvironment({})).toMatchObject({ statistics: false, deadlocks: 'report' });
    expect(fromEnvironment({ MORTISE_STATISTICS: 'false', MORTISE_DEADLOCKS: '' })).toMatchObject({
      statistics: false,
      deadlocks: 'report',
    });
    const env = { MORTISE_STATISTICS: 'true', MORTISE_DEADLOCKS: 'off' };
    expect(fromEnvironment(env)).toMatchObject({ statistics: true, deadlocks: 'off' });
    expect(await managerOf(env)).toMatchObject({ acquisitions: 4 });
    expect(await managerOf({})).not.toHaveProperty('acquisitions');
  });

  for (const [variable, value] of [
    ['MORTISE_STATISTICS', 'yes'],
    ['MORTISE_DEADLOCKS', 'none'],
    ['MORTISE_BACKEND', 'reddis://localhost'],
    ['MORTISE_BACKEND', 'file:'],
    ['MORTISE_BACKEND', 'redis:'],
    ['MORTISE_BACKEND', 'redis:localhost'],
    ['MORTISE_BACKEND', 'constructor:x'],
    ['MORTISE_LOCK_TIMEOUT', '5 s'],
    ['MORTISE_READ_TIMEOUT', '-1'],
    ['MORTISE_WRITE_TIMEOUT', ' '],
    ['MORTISE_LOCK_TIMEOUT', '0x10'],
    ['MORTISE_LOCK_TIMEOUT', '1e3'],
    ['MORTISE_LOCK_TIMEOUT', '+5'],
    ['MORTISE_LOCK_TIMEOUT', '-Infinity'],
  ] as const)
    test(`refuses ${variable}=${value} with an error that names both`, () => {
      expect(() => fromEnvironment({ [variable]: value })).toThrow(RangeError);
      expect(() => fromEnvironment({ [variable]: value })).toThrow(`${variable} must be `);
      expect(() => fromEnvironment({ [variable]: value })).toThrow(`not '${value}'`);
    });

  test('says so when it is first asked for', async () => {
    const { error } = await managerOf({ MORTISE_BACKEND: 'nowhere' });
    expect(error).toBe(
      "RangeError: MORTISE_BACKEND must be memory, file:DIR, shared-memory:PATH, redis://HOST or etcd:http://HOST:PORT, not 'nowhere'",
    );
  });

  test('logs what it opens and closes if NODE_DEBUG says mortise', async () => {
    const env = { NODE_DEBUG: 'mortise' };
    const { stderr } = await runFixture('manager/environment.mjs', [], { env });
    expect(stderr).toMatch(/MORTISE \d+: manager: opened 'db' as a lock, on memory/);
    expect(stderr).toMatch(/opened 'table' as a read-write lock, on memory/);
  });
});
