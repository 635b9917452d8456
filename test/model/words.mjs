/** The words of a space by their names in `layout.ts`. */
import { geometry, layout } from './subjects.mjs';

/** Names of a group of offsets, by offset: the exports with this prefix, without sizes. */
function namesOf(prefix) {
  const names = [];
  for (const [name, value] of Object.entries(layout))
    if (name.startsWith(prefix) && !name.endsWith('_WORDS') && typeof value === 'number')
      names[value] ??= name;
  return names;
}

const groups = Object.fromEntries(
  ['HEADER_', 'THREAD_', 'CELL_', 'ABOUT_', 'STATS_', 'RECORD_'].map((prefix) => [prefix, namesOf(prefix)]),
);

/** The nearest named word at or before the offset. */
function nameIn(prefix, offset) {
  const names = groups[prefix];
  for (let back = offset; back >= 0; back--)
    if (names[back] !== undefined) return back === offset ? names[back] : `${names[back]} + ${offset - back}`;
  return `${prefix}${offset}`;
}

export function describeMemory(at) {
  const { cellsAt, aboutAt, statsAt, namesAt, recordsAt, locks } = geometry;
  if (at >= recordsAt) {
    const record = Math.floor((at - recordsAt) / layout.RECORD_WORDS);
    return `${nameIn('RECORD_', (at - recordsAt) % layout.RECORD_WORDS)} of thread ${Math.floor(record / locks)}`;
  }
  if (at >= namesAt) return 'a name';
  if (at >= statsAt) return nameIn('STATS_', (at - statsAt) % layout.STATS_WORDS);
  if (at >= aboutAt) return nameIn('ABOUT_', at - aboutAt);
  if (at >= cellsAt) return nameIn('CELL_', at - cellsAt);
  if (at < layout.HEADER_WORDS) return nameIn('HEADER_', at);
  const entry = Math.floor((at - layout.HEADER_WORDS) / layout.THREAD_WORDS);
  return `${nameIn('THREAD_', (at - layout.HEADER_WORDS) % layout.THREAD_WORDS)} of thread ${entry}`;
}
