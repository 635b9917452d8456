/** mortise/file: locks between processes, over files. */
export { FileLock, type FileLockInfo, type FileLockOptions } from './file/file-lock.js';
export type { FileGuard } from './file/guard.js';
