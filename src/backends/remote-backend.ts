/** What the backends on servers have in common: their capabilities, and locks that are loaded when they are first used. */
import { checkInteger, show } from '../deadline.js';
import { checkKey, type Backend, type Capabilities } from '../manager/backend.js';
import {
  RemoteLock,
  RemoteSemaphore,
  disposeAll,
  once,
  type Loaded,
  type LoadedSemaphore,
} from './remote.js';

/** Makes the locks, once their code is loaded. */
export interface RemoteLocks {
  lock(key: string): Loaded;
  readWriteLock(key: string): { readonly reader: Loaded; readonly writer: Loaded };
  semaphore(key: string, permits: number): LoadedSemaphore;
}

interface RemoteOptions extends Pick<Backend, 'id' | 'census'> {
  readonly ttl: number;
  readonly maxPermits: number;
  readonly load: () => Promise<RemoteLocks>;
}

/** @throws TypeError or RangeError if the id is not one. */
export function remoteBackend({ id, ttl, maxPermits, load, census }: RemoteOptions): Backend {
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
      return new RemoteLock(key, async () => (await load()).lock(key));
    },
    readWriteLock(key) {
      checkKey(key, 'name');
      const opened = once(async () => (await load()).readWriteLock(key));
      const reader = new RemoteLock(key, async () => (await opened()).reader);
      const writer = new RemoteLock(key, async () => (await opened()).writer);
      return { reader, writer, dispose: () => disposeAll(reader, writer) };
    },
    semaphore(key, permits) {
      checkKey(key, 'name');
      checkInteger(permits, 'permits', 1, maxPermits);
      return new RemoteSemaphore(key, permits, async () => (await load()).semaphore(key, permits));
    },
    ...(census && { census }),
  });
}
