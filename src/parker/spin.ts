/** How long a thread looks again before it queues. */
import { availableParallelism } from 'node:os';

/** Looks at the word: together about 3 us. None on a single processor, where the holder cannot run meanwhile. */
export const SPINS: number = availableParallelism() > 1 ? 40 : 0;
