/** What `mortise` itself says. */
import { writeSync } from 'node:fs';

export function print(text: string): void {
  write(1, text);
}

export function warn(text: string): void {
  write(2, `mortise: ${text}`);
}

/** Not by the streams of `process`: they make what the command has inherited non-blocking, and throw later. */
function write(fd: number, text: string): void {
  try {
    writeSync(fd, `${text}\n`);
  } catch {
    // Whoever would read it has gone. The command does not, nor does its lock.
  }
}
