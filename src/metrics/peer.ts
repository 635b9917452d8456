/** Packages that the user brings, if he wants what needs them. */
import { createRequire } from 'node:module';
import { UnsupportedError } from '../errors.js';

const require = createRequire(import.meta.url);

/** @throws UnsupportedError that says what to install. */
export function requirePeer(name: string, caller: string): unknown {
  try {
    return require(name) as unknown;
  } catch (cause) {
    if ((cause as { code?: unknown }).code !== 'MODULE_NOT_FOUND') throw cause;
    throw new UnsupportedError(`${caller}() needs the package ${name}: npm install ${name}`, { cause });
  }
}
