/** One abort listener for all requests that share a signal: Node.js warns of a leak when a signal has many. */

const listeners = new WeakMap<AbortSignal, Set<() => void>>();

/** Calls `listener` once if the signal is aborted; returns what takes it back. */
export function onAbort(signal: AbortSignal, listener: () => void): () => void {
  const waiting = listeners.get(signal) ?? listen(signal);
  waiting.add(listener);
  return () => {
    waiting.delete(listener);
    if (waiting.size > 0) return;
    signal.removeEventListener('abort', onSignal);
    listeners.delete(signal);
  };
}

function listen(signal: AbortSignal): Set<() => void> {
  const waiting = new Set<() => void>();
  signal.addEventListener('abort', onSignal); // First: should it fail, the next request must not take it for done.
  listeners.set(signal, waiting);
  return waiting;
}

/** The last one first: the end of a request may give its turn to the next one, which may have the same signal. */
function onSignal(this: AbortSignal): void {
  for (const listener of [...(listeners.get(this) ?? [])].reverse()) listener();
}
