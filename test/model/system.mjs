/** The system's ids of threads: other threads have the same numbers otherwise. */
export const tidOf = (index) => 3 + index;
/** When a thread has started. */
export const startOf = (tid) => 100 + tid;
