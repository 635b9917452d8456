/** Who hears of the signals that `mortise` gets: the wait for the lock, then the command. */
import { readFileSync } from 'node:fs';
import { isatty } from 'node:tty';

/** Those that would end `mortise`. SIGKILL cannot be heard of. */
const SIGNALS = [
  'SIGHUP',
  'SIGINT',
  'SIGQUIT',
  'SIGUSR1',
  'SIGUSR2',
  'SIGALRM',
  'SIGTERM',
  'SIGXCPU',
] as const;
const FROM_KEYBOARD: readonly NodeJS.Signals[] = ['SIGINT', 'SIGQUIT'];

/** From now on the function that it returns says who is told. */
export function listen(first: Listener): (next: Listener) => void {
  let listener = first;
  for (const signal of SIGNALS) process.on(signal, () => listener(signal));
  return (next) => {
    listener = next;
  };
}

export type Listener = (signal: NodeJS.Signals) => void;

/**
 * A terminal sends the signal of Ctrl-C to every process in its foreground: the command has it already, and many take
 * the second one for an order to end at once.
 */
export function hasReachedAll(signal: NodeJS.Signals): boolean {
  return FROM_KEYBOARD.includes(signal) && isInForeground();
}

function isInForeground(): boolean {
  let status: string;
  try {
    status = readFileSync('/proc/self/stat', 'latin1');
  } catch {
    return isatty(0);
  }
  // Behind the name, which may have spaces: state, parent, process group, session, terminal, its foreground group.
  const [, , group, , , foreground] = status.slice(status.lastIndexOf(')') + 2).split(' ');
  return group === foreground;
}
