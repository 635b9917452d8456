import { describe, expect, test } from 'vitest';
import * as mortise from 'mortise';
import { LockError, LockTimeoutError, Mutex, Semaphore, Space } from 'mortise';

const family = {
  LockTimeoutError: 'ERR_LOCK_TIMEOUT',
  DeadlockError: 'ERR_LOCK_DEADLOCK',
  LockLostError: 'ERR_LOCK_LOST',
  BackendUnavailableError: 'ERR_LOCK_BACKEND',
  NameConflictError: 'ERR_LOCK_NAME',
  SpaceFullError: 'ERR_SPACE_FULL',
  InvalidHandleError: 'ERR_LOCK_HANDLE',
  NativeAddonError: 'ERR_NATIVE_ADDON',
  UnsupportedError: 'ERR_LOCK_UNSUPPORTED',
} as const;

/** One error of each kind that this package throws by itself, caught where it was thrown. */
async function caught(): Promise<Record<string, LockError>> {
  const space = new Space({ locks: 2, threads: 2 });
  const mutex = space.mutex('errors');
  const semaphore = new Semaphore(1, { space });
  const guard = mutex.acquireSync();
  const attempts: Record<string, () => unknown> = {
    LockTimeoutError: () => mutex.acquire({ timeout: 0 }),
    DeadlockError: () => mutex.acquireSync(),
    NameConflictError: () => space.semaphore('errors', 1),
    SpaceFullError: () => space.mutex('no room'),
    InvalidHandleError: () => Mutex.from(semaphore.handle as never),
  };
  const errors: Record<string, LockError> = {};
  for (const [name, attempt] of Object.entries(attempts)) {
    try {
      await attempt();
    } catch (error) {
      errors[name] = error as LockError;
    }
  }
  guard.release();
  return errors;
}

describe('Every error', () => {
  for (const [name, code] of Object.entries(family)) {
    test(`${name} is exported, extends LockError, which extends Error`, () => {
      const type = mortise[name as keyof typeof family];
      expect(type.prototype).toBeInstanceOf(LockError);
      expect(type.prototype).toBeInstanceOf(Error);
      expect(type.name).toBe(name);
      expect(code).toMatch(/^ERR_/);
    });
  }

  test('that is thrown has its class, name, code, and a message that starts with the code', async () => {
    const errors = await caught();
    expect(Object.keys(errors)).toHaveLength(5);
    for (const [name, error] of Object.entries(errors)) {
      const code = family[name as keyof typeof family];
      expect(error, name).toBeInstanceOf(mortise[name as keyof typeof family]);
      expect(error.name).toBe(name);
      expect(error.code).toBe(code);
      expect(error.message.startsWith(`${code}: `)).toBe(true);
    }
  });
});

describe('LockError.from', () => {
  test('rebuilds every error that crossed a structured clone', async () => {
    for (const [name, error] of Object.entries(await caught())) {
      const crossed: unknown = structuredClone(error);
      expect(crossed).not.toBeInstanceOf(LockError);
      const rebuilt = LockError.from(crossed);
      expect(rebuilt).toBeInstanceOf(mortise[name as keyof typeof family]);
      expect(rebuilt).toMatchObject({ name, code: error.code, message: error.message });
      expect(rebuilt!.stack).toBe(error.stack);
    }
  });

  for (const [name, code] of Object.entries(family)) {
    test(`knows ${code} by its message alone`, () => {
      const rebuilt = LockError.from({ message: `${code}: what happened` });
      expect(rebuilt).toBeInstanceOf(mortise[name as keyof typeof family]);
      expect(rebuilt).toMatchObject({ name, code, message: `${code}: what happened` });
    });
  }

  test('keeps the cause', () => {
    const error = new Error('ERR_LOCK_BACKEND: all servers are gone', { cause: new Error('refused') });
    expect(LockError.from(structuredClone(error))?.cause).toMatchObject({ message: 'refused' });
  });

  test('gives an error of this thread as it is', async () => {
    const { LockTimeoutError: error } = await caught();
    expect(LockError.from(error)).toBe(error);
  });

  test('gives undefined for whatever is not one', () => {
    for (const value of [
      undefined,
      null,
      'ERR_LOCK_TIMEOUT: text',
      5,
      {},
      { message: 5 },
      new Error('something else'),
      new Error('ERR_INVALID_ARG_TYPE: of Node.js'),
      new Error('about ERR_LOCK_TIMEOUT: not at the start'),
      { message: 'ERR_LOCK_TIMEOUTX: another code' },
    ]) {
      expect(LockError.from(value)).toBeUndefined();
    }
  });
});

test('LockTimeoutError tells the lock, the time waited and that it is held', async () => {
  const mutex = new Mutex({ name: 'errors.test timeout' });
  const guard = mutex.acquireSync();
  const error: unknown = await mutex.acquire({ timeout: 12 }).catch((reason: unknown) => reason);
  expect(error).toBeInstanceOf(LockTimeoutError);
  expect((error as Error).message).toMatch(/errors\.test timeout.*12|12.*errors\.test timeout/);
  expect((error as Error).message).toMatch(/held|owner|holder/i);
  guard.release();
});
