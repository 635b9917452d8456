/** The clients of those who gave endpoints: one for each cluster and user. */
import { createHash } from 'node:crypto';
import { show } from '../deadline.js';
import { EtcdClient } from './client.js';
import { checkPlace, endpointsOf, type EtcdPlace } from './place.js';

/** By what they are told; a digest, so that no password is kept. */
const clients = new Map<string, EtcdClient>();

/** The client of a place, the same for the same place. @throws as {@link checkPlace} */
export function clientOf(options: EtcdPlace): EtcdClient {
  checkPlace(options);
  if (options.client !== undefined) {
    // That of another copy of this package knows nothing of these locks.
    if (options.client instanceof EtcdClient) return options.client;
    throw new TypeError(`options.client must be an EtcdClient, not ${show(options.client)}`);
  }
  const { endpoints, username, password, tls } = options;
  const urls = endpointsOf(options);
  const told = JSON.stringify([urls, username, password, tls]);
  const key = createHash('sha256').update(told).digest('base64');
  let client = clients.get(key);
  if (client === undefined) {
    client = new EtcdClient({
      endpoints,
      ...(username !== undefined && { username }),
      ...(password !== undefined && { password }),
      ...(tls !== undefined && { tls }),
    });
    clients.set(key, client);
  }
  return client;
}
