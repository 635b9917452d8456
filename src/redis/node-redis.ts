/** node-redis, from version 5 on: a client, a cluster or a sentinel. */
import type { Driver } from './driver.js';
import { retryDelay, type OwnClient } from './own-client.js';
import { runner } from './script.js';

interface ScriptArguments {
  keys?: string[];
  arguments?: string[];
}

/** What the locks use of it. */
export interface NodeRedisClient {
  eval(script: string, options: ScriptArguments): Promise<unknown>;
  evalSha(sha: string, options: ScriptArguments): Promise<unknown>;
  readonly isOpen: boolean;
}

interface Waiting {
  wait(replicas: number, timeout: number): Promise<number>;
}

/** A connection that messages arrive on. */
interface Listening {
  connect(): Promise<unknown>;
  on(event: 'error' | 'ready', listener: () => void): unknown;
  subscribe(channel: string, listener: (message: string) => void): Promise<unknown>;
  unsubscribe(channel: string, listener: (message: string) => void): Promise<unknown>;
  destroy(): void;
}

/** `another` makes a client for messages, which is not connected yet. */
export function nodeRedisDriver(
  client: NodeRedisClient,
  another: () => Listening = () => duplicate(client),
): Driver {
  const asking = withoutTimeout(client);
  return {
    run: runner(
      ({ sha }, keys, args) => asking.evalSha(sha, { keys, arguments: args }),
      ({ text }, keys, args) => asking.eval(text, { keys, arguments: args }),
    ),

    subscribe: (channel, onMessage) =>
      hasConnectionForMessages(client)
        ? subscribeOn(client as unknown as Listening, channel, onMessage)
        : subscribeApart(another(), channel, onMessage),

    isClosed: () => !client.isOpen,

    // Of others nobody knows which connection it was that wrote.
    ...(!hasConnectionForMessages(client) && {
      replicas: (count: number, timeout: number) => (client as unknown as Waiting).wait(count, timeout),
    }),
  };
}

/** A cluster and a sentinel open a connection for messages by themselves, and close it with the last subscription. */
function hasConnectionForMessages(client: NodeRedisClient): boolean {
  return 'nodeClient' in client || 'getSentinelNode' in client;
}

interface Timed {
  readonly options?: { readonly commandOptions?: { readonly timeout?: number } };
  withCommandOptions?(options: { timeout: undefined }): NodeRedisClient;
  /** What all clients have in common that were made from one. */
  readonly _self?: object;
}

/**
 * From version 6 on, each command that has not been sent after five seconds fails, which needs an `AbortSignal.timeout`:
 * it takes as long as the rest of the command. Each request has a time limit here already. What the user says counts.
 */
function withoutTimeout(client: NodeRedisClient): NodeRedisClient {
  if (hasConnectionForMessages(client)) return client;
  const timed = client as unknown as Timed;
  if (timed.options?.commandOptions?.timeout !== undefined) return client;
  // Made from another one by `withCommandOptions` or the like, it has options of its own, which nobody else can read.
  if (timed._self !== client && Object.hasOwn(client, '_commandOptions')) return client;
  return timed.withCommandOptions?.({ timeout: undefined }) ?? client;
}

async function subscribeOn(
  client: Listening,
  channel: string,
  onMessage: (message: string) => void,
): Promise<() => Promise<unknown>> {
  const listener = (message: string): void => onMessage(String(message));
  await client.subscribe(channel, listener);
  return () => client.unsubscribe(channel, listener);
}

/** A connection that has subscribed may do nothing else (RESP2), so it is another one. */
async function subscribeApart(
  connection: Listening,
  channel: string,
  onMessage: (message: string) => void,
): Promise<() => Promise<unknown>> {
  // It connects again by itself, and without a listener its error would end the process.
  connection.on('error', () => {});
  try {
    await connection.connect();
    await subscribeOn(connection, channel, onMessage);
  } catch (error) {
    destroy(connection);
    throw error;
  }
  return async () => destroy(connection);
}

function duplicate(client: NodeRedisClient): Listening {
  return (client as unknown as { duplicate(): Listening }).duplicate();
}

/** What clients of our own are made with. */
export interface NodeRedisPackage {
  createClient(options: object): NodeRedisClient & Listening & { ref(): void; unref(): void };
}

export function nodeRedisMaker(redis: NodeRedisPackage): (url: string) => OwnClient {
  const make = (url: string): ReturnType<NodeRedisPackage['createClient']> => {
    let wasReady = false;
    const reconnectStrategy = (retries: number): number | false => wasReady && retryDelay(retries);
    const client = redis.createClient({ url, socket: { reconnectStrategy } });
    client.on('error', () => {});
    client.on('ready', () => (wasReady = true));
    return client;
  };
  return (url) => {
    const client = make(url);
    const driver = nodeRedisDriver(client, () => {
      const another = make(url);
      another.unref();
      return another;
    });
    return {
      driver,
      connected: client.connect(),
      setReferenced: (isReferenced) => (isReferenced ? client.ref() : client.unref()),
      close: () => destroy(client),
    };
  };
}

function destroy(connection: Listening): void {
  try {
    connection.destroy();
  } catch {
    // It was closed already.
  }
}
