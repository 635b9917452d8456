/** Who holds a lock file exclusively, as the file has it. */
import { hostname } from 'node:os';
import { threadId } from 'node:worker_threads';
import { FILE_OWNER, FILE_SINCE_F64, HOST_BYTES, OWNER_WORDS } from './words.js';

/** The words of a lock file, as its mapping has them. */
export interface Contents {
  readonly words: Int32Array;
  readonly doubles: Float64Array;
  readonly bytes: Uint8Array;
}

/** The last exclusive holder, as the file has it. */
export interface Holder {
  readonly pid: number;
  readonly threadId: number;
  readonly host: string;
  readonly since: number;
  readonly fence: number;
}

export function describe({ pid, threadId, host }: Holder): string {
  return `thread ${threadId} of process ${pid} on ${host}`;
}

/** What this thread writes at FILE_OWNER. */
export const ownerBytes: Uint8Array = describeOwner();

function describeOwner(): Uint8Array {
  const host = Buffer.from(hostname()).subarray(0, HOST_BYTES);
  const words = Int32Array.of(process.pid, threadId, host.length);
  return Buffer.concat([new Uint8Array(words.buffer), host]);
}

export function readHolder({ words, doubles, bytes }: Contents, fence: number): Holder {
  const length = Math.min(words[FILE_OWNER + 2] ?? 0, HOST_BYTES);
  const host = (FILE_OWNER + OWNER_WORDS) * 4;
  return {
    pid: words[FILE_OWNER] ?? 0,
    threadId: words[FILE_OWNER + 1] ?? 0,
    host: Buffer.from(bytes.subarray(host, host + length)).toString(),
    since: doubles[FILE_SINCE_F64 / 2] ?? 0,
    fence,
  };
}
