'use strict';
/**
 * Where a thread of the pool begins. Piscina would load worker.mjs by `require`, and Node.js 20 aborts the whole
 * process when a thread is ended in the middle of that; `import` can be interrupted.
 */
module.exports = import('./worker.mjs').then(({ index }) => index);
