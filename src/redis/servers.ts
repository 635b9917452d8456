/** The clients of the servers that a lock's options name. */
import { show } from '../deadline.js';
import { UnsupportedError } from '../errors.js';
import { Client } from './client.js';
import { driverOf } from './driver.js';
import { driverOfUrl } from './own-connection.js';
import { checkPlace, checkUrl } from './place.js';

/** @throws TypeError or RangeError that names the option; UnsupportedError: a URL, and no client is installed. */
export function clientOf(options: object): Client {
  checkPlace(options);
  const { client, url } = options;
  return url === undefined ? clientFrom(client, 'options.client') : clientAt(url, 'options.url');
}

/** At least one, all different. @throws as {@link clientOf} */
export function clientsOf(options: object): readonly [Client, ...Client[]] {
  const { client, url, clients, urls } = options as Record<string, unknown>;
  const given = Object.entries({ client, url, clients, urls }).filter(([, value]) => value !== undefined);
  if (given.length > 1)
    throw new TypeError(`${given.map(([name]) => `options.${name}`).join(' and ')} exclude each other`);
  if (clients !== undefined) return several(clients, 'options.clients', clientFrom);
  if (urls !== undefined) return several(urls, 'options.urls', clientAt);
  return [clientOf(options)];
}

/** For kinds that are on one server, and say why. @throws UnsupportedError for an option that only a `RedisLock` has. */
export function refuseOptionsOfLock(options: object, why: string): void {
  const { clients, urls, verifyReplicas, reentrant } = options as Record<string, unknown>;
  if ((clients ?? urls) !== undefined)
    throw new UnsupportedError(`options.${clients === undefined ? 'urls' : 'clients'}: ${why}`);
  const given = Object.entries({ verifyReplicas, reentrant }).find(([, value]) => Boolean(value));
  if (given !== undefined) throw new UnsupportedError(`options.${given[0]} is for a RedisLock alone`);
}

function several(
  places: unknown,
  what: string,
  make: (place: unknown, what: string) => Client,
): readonly [Client, ...Client[]] {
  if (!Array.isArray(places)) throw new TypeError(`${what} must be an array, not ${show(places)}`);
  const [first, ...others] = places.map((place, index) => make(place, `${what}[${index}]`));
  if (first === undefined) throw new RangeError(`${what} must not be empty`);
  if (new Set([first, ...others]).size < places.length)
    throw new RangeError(`${what} must be different, of independent servers`);
  return [first, ...others];
}

function clientFrom(client: unknown, what: string): Client {
  return Client.of(driverOf(client, what));
}

function clientAt(url: unknown, what: string): Client {
  return Client.of(driverOfUrl(checkUrl(url, what).href));
}
