/** A thread that opens a region, takes a lock of it, and ends. */
import { threadId, workerData } from 'node:worker_threads';
import { Space } from 'mortise';

const mutex = Space.open(workerData, { locks: 2, threads: 2 }).mutex(`lock ${threadId}`);
mutex.acquireSync().release();
mutex.dispose();
