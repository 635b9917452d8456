/** The packages that clients of our own are made with: whichever is installed. It is loaded when one is first needed. */
import { createRequire } from 'node:module';
import { UnsupportedError } from '../errors.js';
import { ioRedisMaker, type IoRedisPackage } from './ioredis.js';
import { nodeRedisMaker, type NodeRedisPackage } from './node-redis.js';
import type { OwnClient } from './own-client.js';

export type ClientMaker = (url: string) => OwnClient;

/** The first that is installed is taken. */
const packages: readonly (readonly [string, (loaded: unknown) => ClientMaker])[] = [
  ['redis', (loaded) => nodeRedisMaker(loaded as NodeRedisPackage)],
  ['ioredis', (loaded) => ioRedisMaker(loaded as IoRedisPackage)],
];

let maker: ClientMaker | undefined;

/** @throws UnsupportedError if none is installed. */
export function clientMaker(): ClientMaker {
  return (maker ??= load());
}

function load(): ClientMaker {
  const require = createRequire(import.meta.url);
  for (const [name, makerOf] of packages) if (isInstalled(name, require)) return makerOf(require(name));
  throw new UnsupportedError(
    'options.url needs a client, and none is installed: run `npm install redis` or `npm install ioredis`',
  );
}

function isInstalled(name: string, require: NodeJS.Require): boolean {
  try {
    require.resolve(name);
    return true;
  } catch {
    return false;
  }
}
