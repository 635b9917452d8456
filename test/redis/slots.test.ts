/** What comes and goes with every request. */
import { expect, test } from 'vitest';
import { Slots } from '../../dist/remote/slots.js';

test('slots that many were in at once are not kept', () => {
  const slots = new Slots<{ place: number }>();
  const items = Array.from({ length: 1000 }, () => ({ place: -1 }));
  for (const item of items) slots.add(item);
  for (const item of items) slots.delete(item);
  expect(slots.size).toBe(0);
  const last = { place: -1 };
  slots.add(last);
  expect(last.place).toBe(0);
  expect([...slots]).toEqual([last]);
});
