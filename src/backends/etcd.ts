import { show } from '../deadline.js';
import type { Backend } from '../manager/backend.js';
import { DEFAULT_PREFIX } from '../etcd/keys.js';
import { MAX_PERMITS, checkOptions, checkTerms, prefixOf, type EtcdOptions } from '../etcd/options.js';
import { checkPlace, endpointsOf } from '../etcd/place.js';
import { remoteBackend } from './remote-backend.js';
import { once } from './remote.js';

export type EtcdBackendOptions = EtcdOptions & {
  /**
   * What the backend is called, the same in every process. Default: the endpoints in alphabetical order and the prefix; give
   * it a name if processes are told different members of the cluster.
   */
  id?: string;
};

/**
 * Locks between machines, on an etcd cluster: `lock('db')` is the same lock as `new EtcdLock('db', options)`, and so are
 * read-write locks and semaphores. They expire `ttl` ms after their holder was last heard of, so their guards are leases.
 * Nothing can block a thread on them. The code for etcd is loaded when the first lock is used, and asks nothing before.
 * @throws TypeError or RangeError that names the option.
 *
 * @example
 * ```js
 * import { LockManager, etcdBackend } from 'mortise';
 *
 * const endpoints = process.env.ETCD_ENDPOINTS.split(',');
 * const locks = new LockManager({ backend: etcdBackend({ endpoints, ttl: 10_000 }) });
 * await locks.lock('nightly report').withLock((lease) => lease.remaining > 0); // => true
 * ```
 */
export function etcdBackend(options: EtcdBackendOptions): Backend {
  checkOptions(options);
  checkPlace(options);
  const { ttl } = checkTerms(options);
  const { id = idOf(options) } = options;
  return remoteBackend({
    id,
    ttl,
    maxPermits: MAX_PERMITS,
    load: once(async () => {
      const { EtcdLock, EtcdReadWriteLock, EtcdSemaphore } = await import('../etcd.js');
      return {
        lock: (key) => new EtcdLock(key, options),
        readWriteLock: (key) => new EtcdReadWriteLock(key, options),
        semaphore: (key, permits) => new EtcdSemaphore(key, { ...options, permits }),
      };
    }),
  });
}

function idOf(options: EtcdBackendOptions): string {
  const prefix = prefixOf(options);
  const address = `etcd ${[...endpointsOf(options)].sort().join(',')}`;
  return prefix === DEFAULT_PREFIX ? address : `${address} ${show(prefix)}`;
}
