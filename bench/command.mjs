import { Failure } from './failure.mjs';
import { Progress } from './progress.mjs';

/**
 * Runs what a command does: Ctrl-C ends it cleanly, a failure is one line on stderr and an exit code.
 * @param {(progress: Progress, signal: AbortSignal) => Promise<void>} main ends soon after the signal is aborted
 */
export async function runCommand(main) {
  const interrupt = new AbortController();
  const { signal } = interrupt;
  const progress = new Progress(process.stdout);
  process.once('SIGINT', () => interrupt.abort(new Failure('interrupted', 130)));
  process.once('SIGTERM', () => interrupt.abort(new Failure('terminated', 143)));
  process.stdout.on('error', (error) => {
    if (error.code !== 'EPIPE') console.error(`mortise: cannot write the results: ${error.message}`);
    process.exit(1);
  });
  try {
    await main(progress, signal);
  } catch (error) {
    progress.clear();
    const failure = signal.aborted ? signal.reason : error;
    console.error(failure instanceof Failure ? `mortise: ${failure.message}` : failure);
    process.exitCode = failure instanceof Failure ? failure.exitCode : 1;
  }
}
