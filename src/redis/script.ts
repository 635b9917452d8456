/** The scripts that the server runs, each from a file of its own under `scripts/`. */
import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { show } from '../deadline.js';

export interface Script {
  readonly text: string;
  /** By which the server knows it once it has seen it. */
  readonly sha: string;
}

const read = (name: string): string =>
  readFileSync(new URL(`./scripts/${name}.lua`, import.meta.url), 'utf8');

/** Parts that several scripts have are put where they are needed, so that the shortest way does not pass them. */
function script(name: string): Script {
  const text = read(name).replace(/^-- include (\w+)$/gm, (_, part: string) => read(part));
  return { text, sha: createHash('sha1').update(text).digest('hex') };
}

export const LOCK_ACQUIRE: Script = script('lock-acquire');
export const LOCK_RELEASE: Script = script('lock-release');
export const LOCK_EXTEND: Script = script('lock-extend');
export const LOCK_FENCE: Script = script('lock-fence');
export const LOCK_INFO: Script = script('lock-info');
export const POOL_ACQUIRE: Script = script('pool-acquire');
export const POOL_RELEASE: Script = script('pool-release');
export const POOL_EXTEND: Script = script('pool-extend');
export const POOL_RESIZE: Script = script('pool-resize');
export const POOL_INFO: Script = script('pool-info');
export const WAITS: Script = script('waits');

/** The server has forgotten the script, or never saw it. */
export function isUnknownScript(error: unknown): boolean {
  return error instanceof Error && error.message.startsWith('NOSCRIPT');
}

/** What a client answers; one that throws instead of rejecting, as ioredis does for a slot without a node, rejects. */
export function promised(ask: () => Promise<unknown>): Promise<unknown> {
  try {
    return ask();
  } catch (error) {
    return Promise.reject(error instanceof Error ? error : new Error(show(error)));
  }
}
