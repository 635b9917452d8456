/** Where a lock lives: at the server of the user's own client, or at a URL; or at several. */
import { show } from '../deadline.js';
import { Client } from './client.js';
import { driverOf, type RedisClient } from './driver.js';
import { driverOfUrl } from './own-connection.js';

/** Where the server is. */
export type RedisPlace =
  | {
      /** The connected client of node-redis or ioredis. It stays yours: the lock never closes it. */
      client: RedisClient;
      url?: never;
    }
  | {
      /**
       * Its address, for those who have no client: `redis://user:password@host:port/database`, `rediss://` with TLS. Needs
       * the package `redis` or `ioredis`. All locks of a URL share one connection, which is opened with the first request,
       * keeps no process alive when nothing is asked, and is closed when nothing is held or asked for two seconds.
       */
      url: string | URL;
      client?: never;
    };

/** Where the servers are: one client, or one URL, for each. More than half of them have to be reached. */
export type RedisPlaces =
  { clients: readonly RedisClient[]; urls?: never } | { urls: readonly (string | URL)[]; clients?: never };

/** @throws TypeError or RangeError that names the option; UnsupportedError: a URL, and no client is installed. */
export function clientOf({ client, url }: Partial<RedisPlace>): Client {
  if (client === undefined && url === undefined)
    throw new TypeError(
      'options.client must be a client of node-redis or ioredis, or options.url an address',
    );
  if (url === undefined) return clientFrom(client, 'options.client');
  if (client !== undefined) throw new TypeError('options.client and options.url exclude each other');
  return clientAt(url, 'options.url');
}

/** At least one, all different. @throws as {@link clientOf} */
export function clientsOf(options: Partial<RedisPlace> | RedisPlaces): readonly [Client, ...Client[]] {
  const places = Object.entries(options).filter(
    ([name, value]) => ['client', 'url', 'clients', 'urls'].includes(name) && value !== undefined,
  );
  if (places.length > 1)
    throw new TypeError(`${places.map(([name]) => `options.${name}`).join(' and ')} exclude each other`);
  const { clients, urls } = options as Partial<RedisPlaces>;
  if (clients !== undefined) return several(clients, 'options.clients', clientFrom);
  if (urls !== undefined) return several(urls, 'options.urls', clientAt);
  return [clientOf(options as Partial<RedisPlace>)];
}

function several(
  places: readonly unknown[],
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

/** @throws TypeError or RangeError that names the option, and tells no password. */
export function checkUrl(url: unknown, what: string): URL {
  if (typeof url !== 'string' && !(url instanceof URL))
    throw new TypeError(`${what} must be a string or a URL, not ${show(url)}`);
  const text = String(url);
  const parsed = URL.canParse(text) ? new URL(text) : undefined;
  if (parsed !== undefined && /^rediss?:$/.test(parsed.protocol) && parsed.hostname !== '') return parsed;
  const shown = show(text.replace(/\/\/.*@/, '//***@'));
  throw new RangeError(`${what} must be redis://HOST, or rediss://HOST for TLS, not ${shown}`);
}
