/** node-redis, from version 5 on: a client, a cluster or a sentinel. */
import type { Driver } from './driver.js';
import { isUnknownScript, type Script } from './script.js';

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

/** A connection that messages arrive on. */
interface Listening {
  connect(): Promise<unknown>;
  on(event: 'error', listener: () => void): unknown;
  subscribe(channel: string, listener: (message: string) => void): Promise<unknown>;
  unsubscribe(channel: string, listener: (message: string) => void): Promise<unknown>;
  destroy(): void;
}

export function isNodeRedis(client: object): client is NodeRedisClient {
  return 'evalSha' in client && typeof client.evalSha === 'function';
}

export function nodeRedisDriver(client: NodeRedisClient): Driver {
  return {
    run({ sha, text }: Script, keys: string[], args: string[]) {
      const options = { keys, arguments: args };
      return client.evalSha(sha, options).catch((error: unknown) => {
        if (!isUnknownScript(error)) throw error;
        return client.eval(text, options);
      });
    },

    subscribe: (channel, onMessage) =>
      hasConnectionForMessages(client)
        ? subscribeOn(client as unknown as Listening, channel, onMessage)
        : subscribeApart(client, channel, onMessage),

    isClosed: () => !client.isOpen,
  };
}

/** A cluster and a sentinel open a connection for messages by themselves, and close it with the last subscription. */
function hasConnectionForMessages(client: NodeRedisClient): boolean {
  return 'nodeClient' in client || 'getSentinelNode' in client;
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
  client: NodeRedisClient,
  channel: string,
  onMessage: (message: string) => void,
): Promise<() => Promise<unknown>> {
  const connection = (client as unknown as { duplicate(): Listening }).duplicate();
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

function destroy(connection: Listening): void {
  try {
    connection.destroy();
  } catch {
    // It was closed already.
  }
}
