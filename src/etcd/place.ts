/** Where a cluster is, checked without loading what it takes to ask it. */
import { checkObject, show } from '../deadline.js';
import type { EtcdClient } from './client.js';
import type { EtcdTls } from './endpoint.js';

export interface EtcdClientOptions {
  /** The members of the cluster, or some of them: `http://host:2379`, or `https://` with TLS. */
  endpoints: string | URL | readonly (string | URL)[];
  /** Who asks, if the cluster has authentication; with `password`. */
  username?: string;
  password?: string;
  /** Certificates, for `https://`. Default: those that Node.js trusts. */
  tls?: EtcdTls;
}

/** Where the cluster is: a client that locks share, or what it takes to make one. */
export type EtcdPlace =
  | (EtcdClientOptions & { client?: never })
  | { client: EtcdClient; endpoints?: never; username?: never; password?: never; tls?: never };

/** @throws TypeError or RangeError that names the option, and tells no password. */
export function checkPlace(options: EtcdPlace): void {
  const { client, endpoints } = options as { client?: unknown; endpoints?: unknown };
  if (client !== undefined && endpoints !== undefined)
    throw new TypeError('options.client and options.endpoints exclude each other');
  if (client === undefined && endpoints === undefined)
    throw new TypeError('options.endpoints must be the addresses of etcd, or options.client an EtcdClient');
  if (client === undefined) checkClientOptions(options as EtcdClientOptions);
  else if (!isClient(client))
    throw new TypeError(`options.client must be an EtcdClient, not ${show(client)}`);
}

function isClient(value: unknown): value is EtcdClient {
  const { endpoints, txn } = (value ?? {}) as Partial<EtcdClient>;
  return Array.isArray(endpoints) && typeof txn === 'function';
}

/** The addresses of a place that was checked. */
export function endpointsOf(options: EtcdPlace): readonly string[] {
  if (options.client !== undefined) return options.client.endpoints;
  return checkClientOptions(options).endpoints.map(({ origin }) => origin);
}

export interface CheckedOptions {
  readonly endpoints: readonly URL[];
  readonly tls: EtcdTls | undefined;
  readonly user: { name: string; password: string } | undefined;
}

/** @throws TypeError or RangeError that names the option. @internal */
export function checkClientOptions(options: EtcdClientOptions): CheckedOptions {
  checkObject(options, 'options');
  const { endpoints, username, password, tls } = options as Record<keyof EtcdClientOptions, unknown>;
  const given: unknown[] = Array.isArray(endpoints) ? endpoints : [endpoints];
  if (given.length === 0) throw new RangeError('options.endpoints must not be empty');
  const urls = given.map((url, index) =>
    checkEndpoint(url, Array.isArray(endpoints) ? `options.endpoints[${index}]` : 'options.endpoints'),
  );
  for (const [what, value] of Object.entries({ username, password }))
    if (value !== undefined && typeof value !== 'string')
      throw new TypeError(
        `options.${what} must be a string, not ${what === 'password' ? typeof value : show(value)}`,
      );
  if ((username === undefined) !== (password === undefined))
    throw new TypeError('options.username and options.password need each other');
  if (tls !== undefined) checkObject(tls, 'options.tls');
  if (tls !== undefined && urls.some(({ protocol }) => protocol !== 'https:'))
    throw new RangeError('options.tls is for endpoints that begin with https://');
  return {
    endpoints: urls,
    tls,
    user: username === undefined ? undefined : { name: username as string, password: password as string },
  };
}

function checkEndpoint(url: unknown, what: string): URL {
  if (typeof url !== 'string' && !(url instanceof URL))
    throw new TypeError(`${what} must be a string or a URL, not ${show(url)}`);
  const text = String(url);
  const parsed = URL.canParse(text) ? new URL(text) : undefined;
  if (parsed === undefined || !/^https?:$/.test(parsed.protocol) || parsed.hostname === '')
    throw new RangeError(
      `${what} must be http://HOST:PORT, or https:// with TLS, not ${show(withoutUser(text))}`,
    );
  if (parsed.username !== '' || parsed.password !== '')
    throw new RangeError(`${what} must be without a user: give options.username and options.password`);
  return parsed;
}

function withoutUser(text: string): string {
  return text.replace(/\/\/.*@/, '//***@');
}
