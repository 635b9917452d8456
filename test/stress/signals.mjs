/** An AbortSignal that is aborted at a random moment: before, at once, in a microtask, in a while. */
export function randomSignal(random) {
  const controller = new AbortController();
  const kind = random.below(4);
  if (kind === 0) controller.abort();
  else if (kind === 1) setImmediate(() => controller.abort());
  else if (kind === 2) setTimeout(() => controller.abort(), random.below(4));
  else queueMicrotask(() => controller.abort());
  return controller.signal;
}
