/** How long a thread looks again before it queues. */
import { availableParallelism } from 'node:os';

/**
 * Looks at the word: 4 us together while nobody writes to it, three times that while somebody does. That is about
 * what going to sleep and being woken costs at the least, so a section that is shorter is better waited for awake.
 * None on a single processor, where the holder cannot run meanwhile.
 */
export const SPINS: number = availableParallelism() > 1 ? 500 : 0;
