/** How `mortise` ends when it is not the command that says so: the numbers of sysexits(3), and those of a shell. */
export const USAGE = 64;
/** The native addon is missing. */
export const UNAVAILABLE = 69;
/** The lock file is refused. */
export const CANNOT_LOCK = 73;
export const TIMED_OUT = 75;
export const CANNOT_RUN = 126;
export const NOT_FOUND = 127;
/** Plus the number of the signal that ended the command, or the wait for the lock. */
export const SIGNALLED = 128;

/** What ends `mortise` with a line on stderr and an exit code. */
export class Failure extends Error {
  readonly exitCode: number;

  constructor(message: string, exitCode: number) {
    super(message);
    this.exitCode = exitCode;
  }
}
