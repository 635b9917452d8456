import { show } from '../deadline.js';
import type { Backend } from '../manager/backend.js';
import { addressOf } from '../redis/address.js';
import {
  checkOptions,
  checkPrefix,
  checkTerms,
  DEFAULT_PREFIX,
  MAX_PERMITS,
  type RedisOptions,
} from '../redis/options.js';
import { checkPlace } from '../redis/place.js';
import { RemoteBoard } from './remote-board.js';
import { remoteBackend } from './remote-backend.js';
import { once } from './remote.js';

export type RedisBackendOptions = RedisOptions & {
  /**
   * What the backend is called, the same in every process. Default: the server's address and the prefix, as far as the
   * client tells; a cluster is `redis-cluster`, so give two of them names.
   */
  id?: string;
};

/**
 * Locks between machines, on a Redis server: `lock('db')` is the same lock as `new RedisLock('db', options)`, and so are
 * read-write locks and semaphores. They expire `ttl` ms after their holder was last heard of, so their guards are leases.
 * Nothing can block a thread on them. The code for Redis is loaded when the first lock is used, and asks the server
 * nothing before.
 * @throws TypeError or RangeError that names the option.
 *
 * @example
 * ```js
 * import { LockManager, redisBackend } from 'mortise';
 *
 * const locks = new LockManager({ backend: redisBackend({ url: process.env.REDIS_URL, ttl: 10_000 }) });
 * await locks.lock('nightly report').withLock((lease) => lease.remaining > 0); // => true
 * ```
 */
export function redisBackend(options: RedisBackendOptions): Backend {
  checkOptions(options);
  checkPlace(options);
  const { ttl } = checkTerms(options);
  const { prefix = DEFAULT_PREFIX, id = idOf(options, prefix) } = options;
  checkPrefix(prefix);
  return remoteBackend({
    id,
    ttl,
    maxPermits: MAX_PERMITS,
    load: once(async () => {
      const { RedisLock, RedisReadWriteLock, RedisSemaphore } = await import('../redis.js');
      return {
        lock: (key) => new RedisLock(key, options),
        readWriteLock: (key) => new RedisReadWriteLock(key, options),
        semaphore: (key, permits) => new RedisSemaphore(key, { ...options, permits }),
      };
    }),
    census: { board: boardOf(options, prefix) },
  });
}

/** By server and prefix: backends that are the same have one between them. */
const boardsOfClients = new WeakMap<object, Map<string, RemoteBoard>>();
const boardsOfUrls = new Map<string, RemoteBoard>();

function boardOf(options: RedisOptions, prefix: string): RemoteBoard {
  const { client, url } = options;
  const boards =
    client === undefined ? boardsOfUrls : (boardsOfClients.get(client) ?? new Map<string, RemoteBoard>());
  if (client !== undefined) boardsOfClients.set(client, boards);
  const key = `${url === undefined ? '' : String(url)} ${prefix}`;
  const board =
    boards.get(key) ??
    new RemoteBoard(async () => new (await import('../redis/waits.js')).WaitsLine(options));
  boards.set(key, board);
  return board;
}

function idOf(place: RedisOptions, prefix: string): string {
  const address = addressOf(place);
  return prefix === DEFAULT_PREFIX ? address : `${address} ${show(prefix)}`;
}
