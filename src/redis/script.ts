/** The scripts that the server runs, each from a file of its own under `scripts/`. */
import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { show } from '../deadline.js';
import type { Driver } from './driver.js';

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

/** Sends a script to the server, by its sha or with its text. */
type Send = (script: Script, keys: string[], args: string[]) => Promise<unknown>;

/**
 * Runs scripts on a connection. The first time with the text, so that the server knows it from then on: what is sent after it is
 * carried out after it, which would not be so if the server first had to say that it does not know the script.
 */
export function runner(bySha: Send, byText: Send): Driver['run'] {
  const sent = new Set<Script>();
  return (script, keys, args, read) => {
    let asked: Promise<unknown>;
    try {
      asked = (sent.has(script) ? bySha : byText)(script, keys, args);
    } catch (error) {
      // It should have rejected: ioredis throws if no node of a cluster has the key.
      asked = Promise.reject(error instanceof Error ? error : new Error(show(error)));
    }
    sent.add(script);
    return asked.then(read, async (error: unknown) => {
      if (!isUnknownScript(error)) throw error;
      return read(await byText(script, keys, args));
    });
  };
}
