/** The default manager as the environment asks for it. */
import { etcdBackend } from './backends/etcd.js';
import { fileBackend } from './backends/file.js';
import { memoryBackend } from './backends/memory.js';
import { redisBackend } from './backends/redis.js';
import { sharedMemoryBackend } from './backends/shared-memory.js';
import { show } from './deadline.js';
import type { Backend } from './manager/backend.js';
import type { TimeLimits } from './manager/limits.js';
import { checkUrl } from './redis/place.js';

/** So that no program hangs for ever because of a lock that somebody forgot to release. */
const TIMEOUTS: Required<TimeLimits> = { read: 10_000, write: 30_000, lock: 60_000 };

interface FromEnvironment {
  readonly backend: Backend;
  readonly timeouts: TimeLimits;
  readonly statistics: boolean;
  readonly deadlocks: 'report' | 'error' | 'off';
}

/** By what stands before the colon: the rest is a path, or the whole a URL. */
const backends: Record<string, (path: string, text: string) => Backend> = {
  file: (path) => fileBackend(path),
  'shared-memory': (path) => sharedMemoryBackend(path),
  etcd: (path) => etcdBackend({ endpoints: path.split(',') }),
  redis: (_, text) => redisBackendAt(text),
  rediss: (_, text) => redisBackendAt(text),
};

/**
 * MORTISE_BACKEND: `memory` (the default), `file:DIR`, `shared-memory:PATH`, `redis://HOST` or `etcd:ENDPOINTS`, with
 * commas. MORTISE_LOCK_TIMEOUT, MORTISE_READ_TIMEOUT and MORTISE_WRITE_TIMEOUT: milliseconds, or `Infinity`.
 * MORTISE_STATISTICS: `true` or `false` (the default). MORTISE_DEADLOCKS: `report` (the default), `error` or `off`. What is
 * empty counts as not set.
 * @throws RangeError that names the variable and its value; what the backend throws.
 */
export function fromEnvironment(env: NodeJS.ProcessEnv): FromEnvironment {
  return {
    statistics: oneOf(['false', 'true'], env, 'MORTISE_STATISTICS') === 'true',
    deadlocks: oneOf(['report', 'error', 'off'], env, 'MORTISE_DEADLOCKS'),
    backend: backendFrom(env['MORTISE_BACKEND'] || 'memory'),
    timeouts: {
      lock: timeoutFrom(env, 'MORTISE_LOCK_TIMEOUT', TIMEOUTS.lock),
      read: timeoutFrom(env, 'MORTISE_READ_TIMEOUT', TIMEOUTS.read),
      write: timeoutFrom(env, 'MORTISE_WRITE_TIMEOUT', TIMEOUTS.write),
    },
  };
}

function backendFrom(text: string): Backend {
  if (text === 'memory') return memoryBackend();
  const [, name = '', path = ''] = /^([^:]*):(.+)$/s.exec(text) ?? [];
  const open = Object.hasOwn(backends, name) ? backends[name] : undefined;
  if (open === undefined || path === '')
    throw new RangeError(
      `MORTISE_BACKEND must be memory, file:DIR, shared-memory:PATH, redis://HOST or etcd:http://HOST:PORT, not ${show(text)}`,
    );
  return open(path, text);
}

function redisBackendAt(text: string): Backend {
  return redisBackend({ url: checkUrl(text, 'MORTISE_BACKEND') });
}

/** The first is the default. */
function oneOf<T extends string>(values: readonly [T, ...T[]], env: NodeJS.ProcessEnv, variable: string): T {
  const text = env[variable] || values[0];
  const value = values.find((it) => it === text);
  if (value === undefined)
    throw new RangeError(`${variable} must be ${values.join(' or ')}, not ${show(text)}`);
  return value;
}

function timeoutFrom(env: NodeJS.ProcessEnv, variable: string, usual: number): number {
  const text = env[variable] || String(usual);
  // As people write numbers: Number() would also take 0x10 and 1e3, which are rather mistakes.
  if (!/^(\d+(\.\d+)?|Infinity)$/.test(text))
    throw new RangeError(
      `${variable} must be milliseconds in decimal digits, or Infinity, not ${show(text)}`,
    );
  return Number(text);
}
