/** Who holds and who waits, as a manager can tell. */
import type { Registry } from './registry.js';
import type { LockStatus, Participants } from './statistics.js';

/** Of one name, or of all with the prefix; with full names. */
export function statusOf(registry: Registry, prefix: string, name: string | undefined): LockStatus[] {
  const wanted = prefix + (name ?? '');
  const isWanted = (full: string): boolean => name === undefined || full === wanted;
  const known = new Map<string, Participants>();
  for (const { description } of registry.named(wanted)) {
    const { name: full, backend } = description;
    if (isWanted(full)) known.set(full, { name: full, backend: backend?.id, holders: [], waiters: [] });
  }
  for (const told of registry.statistics?.participants(wanted) ?? [])
    if (isWanted(told.name)) known.set(told.name, told);
  return [...known.values()].map((told) => ({ ...told, info: registry.find(told.name)?.info() ?? null }));
}
