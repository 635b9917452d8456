/** Do the schedules of the model come to everything that the library can do? */
import { expect, test } from 'vitest';
import { everything } from './model/plan.mjs';
import { expected, unreached } from './model/reached.mjs';

test('Schedules come to every operation, and to both ends of every CAS', { timeout: 300_000 }, () => {
  expect(unreached(everything, 30)).toEqual(Object.keys(expected).sort());
});
