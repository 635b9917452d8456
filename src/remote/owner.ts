/** Who holds a lock, for those who ask. */
import { hostname } from 'node:os';
import { threadId } from 'node:worker_threads';

/** This thread in words. */
export const OWNER: string =
  threadId === 0
    ? `process ${process.pid} on ${hostname()}`
    : `thread ${threadId} of process ${process.pid} on ${hostname()}`;
