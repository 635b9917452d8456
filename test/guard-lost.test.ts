import { describe, expect, test } from 'vitest';
import { runFixture } from './fixtures/child.ts';

interface Told {
  warnings: { name: string; code: unknown; message: string }[];
}

async function lose(...how: string[]): Promise<Told> {
  const { code, stdout, stderr } = await runFixture('guard-lost/lose.mjs', how, {
    execArgv: ['--expose-gc'],
  });
  expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
  return JSON.parse(stdout) as Told;
}

describe('A guard that is garbage-collected while held', () => {
  for (const how of [
    'acquireSync',
    'acquire',
    'tryAcquireSync',
    'tryAcquire',
    'reentrant',
    're-entry',
    'semaphore',
    'reader',
    'writer',
    'downgrade',
  ]) {
    test(`is reported by a process warning that names the lock: ${how}`, async () => {
      const { warnings } = await lose(how);
      expect(warnings).toHaveLength(1);
      expect(warnings[0]!.message).toContain(`lost ${how}`);
      expect(typeof warnings[0]!.code).toBe('string');
      expect(warnings[0]!.name).toMatch(/Warning$/);
    });
  }

  test('in a worker is reported as well', async () => {
    const { warnings } = await lose('acquireSync', 'worker');
    expect(warnings).toHaveLength(1);
    expect(warnings[0]!.message).toContain('lost acquireSync');
  });
});

test('Guards that were released, disposed of, or belonged to withLock are collected without a word', async () => {
  expect(await lose('released')).toEqual({ warnings: [] });
});

test('A guard that is held and still reachable is not reported', async () => {
  expect(await lose('kept')).toEqual({ warnings: [] });
});

test('A guard that is held after it had to queue through garbage collections is not reported', async () => {
  expect(await lose('queued')).toEqual({ warnings: [] });
});
