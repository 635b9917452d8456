import { expect } from 'vitest';
import type { Guard } from 'mortise';

/** Not `toBeNull()`: that would print a guard, and with it all the memory of its space. */
export function expectRefused(guard: Guard | null): void {
  expect(guard === null ? 'refused' : 'acquired').toBe('refused');
}

/** Not `toMatchObject()`, for the same reason. */
export function seen({ held, abandoned }: Guard): { held: boolean; abandoned: boolean } {
  return { held, abandoned };
}
