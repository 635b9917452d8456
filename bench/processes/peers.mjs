import { createRequire } from 'node:module';
import properLockfile from 'proper-lockfile';

export { properLockfile };

const require = createRequire(import.meta.url);

/** fs-ext, which is built for one version of Node.js when it is installed; null if it was not, or for another. */
export const fsExt = load('fs-ext');
export const HOW_TO_GET_FS_EXT =
  'fs-ext is missing, or was built for another Node.js; npm rebuild fs-ext builds it for this one';

function load(name) {
  try {
    return require(name);
  } catch {
    return null;
  }
}
