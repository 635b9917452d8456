/**
 * Who this thread is to the operating system, and whether another one still lives. Linux tells at
 * `/proc/self/task`; elsewhere only the parent's worker `exit` event does (see `runtime.ts`).
 */
import { existsSync, readFileSync, readlinkSync } from 'node:fs';

export interface ThreadIdentity {
  /** The system's thread id; 0: the system does not tell. */
  readonly tid: number;
  /** When the thread started, in clock ticks since boot, wrapped: the same tid may be given out again. */
  readonly start: number;
}

const UNKNOWN: ThreadIdentity = { tid: 0, start: 0 };

export function ownIdentity(): ThreadIdentity {
  if (process.platform !== 'linux') return UNKNOWN;
  try {
    const tid = Number(readlinkSync('/proc/thread-self').split('/').pop());
    const start = startOf(tid);
    return Number.isInteger(tid) && tid > 0 && start !== undefined ? { tid, start } : UNKNOWN;
  } catch {
    return UNKNOWN;
  }
}

/** False only if the system says so. A thread that is being taken down still counts as living. */
export function isAlive({ tid, start }: ThreadIdentity): boolean {
  if (tid === 0) return true;
  try {
    return startOf(tid) === start;
  } catch {
    return true;
  }
}

/** Is there a thread of this id in this process, whenever it started? */
export function isRunning(tid: number): boolean {
  return existsSync(`/proc/self/task/${tid}`);
}

/** Undefined: there is no such thread in this process. */
function startOf(tid: number): number | undefined {
  try {
    const stat = readFileSync(`/proc/self/task/${tid}/stat`, 'latin1');
    // The second field is the name in parentheses and may hold spaces; the start time is field 22.
    const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
    return Number(fields[19]) & 0x7fffffff;
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    // ESRCH: it ended between open and read. Anything else (no descriptors left) says nothing of the thread.
    if (code === 'ENOENT' || code === 'ESRCH') return undefined;
    throw error;
  }
}
