import { setTimeout as sleep } from 'node:timers/promises';
import { EtcdClient, EtcdLock } from 'mortise/etcd';

const base64 = (text) => Buffer.from(text).toString('base64');

/** @param {{ endpoints: string[] }} cluster */
export function connect({ endpoints }) {
  return new EtcdClient({ endpoints });
}

/** A lock, as its users take it. @returns {(name: string) => () => Promise<() => Promise<unknown>>} */
export function mortise(client) {
  return (name) => {
    const lock = new EtcdLock(name, { client });
    return async () => {
      const lease = await lock.acquire();
      return () => lease.release();
    };
  };
}

/** The two requests without which nothing is written and taken away again, by the same client. */
export function raw(client) {
  return (name) => {
    const key = base64(name);
    const value = base64('held');
    return async () => {
      await client.ask('/v3/kv/put', { key, value });
      return () => client.ask('/v3/kv/deleterange', { key });
    };
  };
}

/** What comes after a rest takes longer, so everything that is compared comes after one. */
export function rest() {
  return sleep(5 + Math.random() * 3);
}

/** Milliseconds from just before a put until a watch has seen it. */
export async function watched(client, name) {
  const key = base64(name);
  let seen = () => {};
  const { header } = await client.ask('/v3/kv/put', { key, value: base64('0') });
  const from = BigInt(header.revision) + 1n;
  // The client's own watch is for deletions, which are writes like any other.
  const stop = client.watch({
    keys: [{ key }],
    from,
    onDelete: () => seen(performance.now()),
    onGap: () => {},
  });
  return {
    async turn() {
      await client.ask('/v3/kv/put', { key, value: base64('1') });
      const at = new Promise((resolve) => (seen = resolve));
      await rest();
      const begin = performance.now();
      const answered = client.ask('/v3/kv/deleterange', { key });
      const time = (await at) - begin;
      await answered;
      return time;
    },
    stop,
  };
}
