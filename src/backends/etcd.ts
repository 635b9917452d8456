import { checkInteger, checkObject, show } from '../deadline.js';
import { checkKey, type Backend, type Capabilities } from '../manager/backend.js';
import { DEFAULT_PREFIX } from '../etcd/keys.js';
import { MAX_PERMITS, checkTerms, prefixOf, type EtcdOptions } from '../etcd/options.js';
import { checkPlace, endpointsOf } from '../etcd/place.js';
import { RemoteLock, RemoteSemaphore, disposeAll, once } from './remote.js';

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
  checkObject(options, 'options');
  checkPlace(options);
  const { ttl } = checkTerms(options);
  const { id = idOf(options) } = options;
  if (typeof id !== 'string') throw new TypeError(`options.id must be a string, not ${show(id)}`);
  if (id === '') throw new RangeError('options.id must not be empty');
  return Object.freeze<Backend>({
    id,
    capabilities: Object.freeze<Capabilities>({
      scope: 'machines',
      sync: false,
      fence: true,
      ttl,
      weighted: true,
      rw: true,
      fifo: true,
    }),
    lock(key) {
      checkKey(key, 'name');
      return new RemoteLock(key, async () => new (await load()).EtcdLock(key, options));
    },
    readWriteLock(key) {
      checkKey(key, 'name');
      const opened = once(async () => new (await load()).EtcdReadWriteLock(key, options));
      const reader = new RemoteLock(key, async () => (await opened()).reader);
      const writer = new RemoteLock(key, async () => (await opened()).writer);
      return { reader, writer, dispose: () => disposeAll(reader, writer) };
    },
    semaphore(key, permits) {
      checkKey(key, 'name');
      checkInteger(permits, 'permits', 1, MAX_PERMITS);
      return new RemoteSemaphore(
        key,
        permits,
        async () => new (await load()).EtcdSemaphore(key, { ...options, permits }),
      );
    },
  });
}

const load = once(() => import('../etcd.js'));

function idOf(options: EtcdBackendOptions): string {
  const prefix = prefixOf(options);
  const address = `etcd ${[...endpointsOf(options)].sort().join(',')}`;
  return prefix === DEFAULT_PREFIX ? address : `${address} ${show(prefix)}`;
}
