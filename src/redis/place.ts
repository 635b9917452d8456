/** Where a lock lives: at the server of the user's own client, or at a URL; or at several. */
import { show } from '../deadline.js';
import { checkClient, type RedisClient } from './client-kind.js';

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

/** @throws TypeError or RangeError that names the option. */
export function checkPlace(options: object): asserts options is RedisPlace {
  const { client, url } = options as { client?: unknown; url?: unknown };
  if (client === undefined && url === undefined)
    throw new TypeError(
      'options.client must be a client of node-redis or ioredis, or options.url an address',
    );
  if (client !== undefined && url !== undefined)
    throw new TypeError('options.client and options.url exclude each other');
  if (url === undefined) checkClient(client, 'options.client');
  else checkUrl(url, 'options.url');
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
