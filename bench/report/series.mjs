/** How each lock is drawn: the hue tells the primitive, a dashed line tells the variant. */
const looks = {
  mutex: { hue: 'blue' },
  'mutex-async': { hue: 'blue', dashed: true },
  semaphore: { hue: 'orange' },
  'semaphore-async': { hue: 'orange', dashed: true },
  'read-mostly': { hue: 'green' },
  'write-only': { hue: 'green', dashed: true },
  'futex-mutex': { hue: 'ink' },
  'raw-pair': { hue: 'grey', dashed: true },
  'v8-mutex': { hue: 'purple' },
  'web-locks': { hue: 'red' },
};

/** @param {string} name of a lock */
export const lookOf = (name) => looks[name] ?? { hue: 'grey' };
