/**
 * Whoever died has left a mark, but not whether it had held the lock: it may have died waiting. etcd remembers its past until it is
 * compacted, so that can be read there. It is asked for only when a mark is found without a key, which is rare.
 */
import { answerWithin } from '../remote/failure.js';
import type { EtcdClient } from './client.js';
import { encoded, within, type RangeAnswer } from './protocol.js';

/** Milliseconds that it is worth: etcd looks every 100 ms for those who watch the past. */
const PATIENCE = 500;
/** So many at the most are asked for: those who died and those before them. */
const MOST = 50;

/** Was the key of the queue, made at that revision and gone by now, first when it went? True if it is not known. */
export async function wasFirst(
  client: EtcdClient,
  queue: string,
  key: string,
  revision: bigint,
): Promise<boolean> {
  let end = (): void => {};
  try {
    const { kvs = [] } = (await client.ask('/v3/kv/range', {
      ...within(queue),
      revision: String(revision),
      max_create_revision: String(revision - 1n),
      keys_only: true,
      limit: String(MOST + 1),
    })) as RangeAnswer;
    if (kvs.length === 0 || kvs.length > MOST) return true;
    const own = encoded(key);
    const missing = new Set([own, ...kvs.map(({ key }) => key)]);
    let last: { key: string; revision: bigint } = { key: own, revision };
    const all = new Promise<void>((resolve, reject) => {
      end = client.watch({
        keys: [...missing].map((key) => ({ key })),
        from: revision + 1n,
        onDelete: (key, revision) => {
          // Later it is another place that had the same seat.
          if (!missing.delete(key)) return;
          if (revision > last.revision) last = { key, revision };
          if (missing.size === 0) resolve();
        },
        onGap: () => reject(new Error('it was compacted')),
      });
    });
    await answerWithin(all, PATIENCE);
    return last.key === own;
  } catch {
    return true;
  } finally {
    end();
  }
}
