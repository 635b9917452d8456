/** How long a command of node-redis may take to be sent is up to its user; if that one says nothing, to the lock. */
import { createClient } from 'redis';
import { createClient as createClient5 } from 'redis-5';
import { describe, expect, onTestFinished, test, vi } from 'vitest';
import { BackendUnavailableError } from 'mortise';
import { RedisLock, type RedisClient } from 'mortise/redis';
import { until } from '../fixtures/until.ts';
import { RedisServer } from './server.mjs';

let names = 0;

type Make = (options: {
  url: string;
  commandOptions?: { timeout: number };
}) => ReturnType<typeof createClient>;

describe.each<[string, Make]>([
  ['node-redis 6', (options) => createClient(options)],
  ['node-redis 5', (options) => createClient5(options) as unknown as ReturnType<typeof createClient>],
])('%s', (_, make) => {
  /** A client, and a server that can be ended. */
  async function connected(commandOptions?: { timeout: number }) {
    const server = await RedisServer.start();
    const client = make({ url: server.url, ...(commandOptions && { commandOptions }) });
    client.on('error', () => {});
    await client.connect();
    onTestFinished(async () => {
      client.destroy();
      await server.end();
    });
    return { client, server };
  }

  /** A lock whose server cannot be reached any more. */
  async function cutOff(client: { isReady: boolean }, server: RedisServer): Promise<RedisLock> {
    const lock = new RedisLock(`timed ${++names}`, { client: client as unknown as RedisClient, ttl: 20_000 });
    await lock.withLock(() => {});
    await server.kill();
    await until(() => !client.isReady, 'it is down');
    return lock;
  }

  test('sets no timer for each command of a lock', async () => {
    const { client } = await connected();
    const lock = new RedisLock(`timed ${++names}`, { client: client as unknown as RedisClient });
    await lock.withLock(() => {});
    const timeout = vi.spyOn(AbortSignal, 'timeout');
    onTestFinished(() => timeout.mockRestore());
    await lock.withLock((lease) => lease.extend());
    expect(timeout).not.toHaveBeenCalled();
  });

  test('is waited for until the server is back, if nobody says anything else', async () => {
    const { client, server } = await connected();
    const lock = await cutOff(client, server);
    const waiting = lock.tryAcquire();
    // Not before the time has passed that others set.
    await new Promise((resolve) => setTimeout(resolve, 500));
    await server.run();
    const lease = await waiting;
    expect(await lease?.release()).toBe(true);
  });

  test.each([
    ['in its options', async () => connected({ timeout: 200 })],
    [
      'with withCommandOptions',
      async () => {
        const { client, server } = await connected();
        return { client: client.withCommandOptions({ timeout: 200 }), server };
      },
    ],
  ])('keeps to a time limit that was set %s', async (_, open) => {
    const { client, server } = await open();
    const lock = await cutOff(client, server);
    const error = await lock.tryAcquire().then(
      () => expect.fail('was acquired'),
      (reason: unknown) => reason as Error,
    );
    expect(error).toBeInstanceOf(BackendUnavailableError);
    expect((error.cause as Error).constructor.name).toBe('TimeoutError');
  });
});
