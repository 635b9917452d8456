/** How long a thread looks again before it queues. */
import { availableParallelism } from 'node:os';

/**
 * Looks at the word, with a pause before each: about 4 us together. That is what going to sleep and being woken
 * costs at the least, so a section that is shorter is better waited for awake. None on a single processor, where
 * the holder cannot run meanwhile.
 */
export const SPINS: number = availableParallelism() > 1 ? 20 : 0;

/** About 0.2 us without a look: every look takes the cache line from the thread that works with it. */
export function pause(): void {
  for (let i = 0; i < 600; i++);
}
