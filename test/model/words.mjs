/** The words of a space by their names in `layout.ts`. */
import { layout } from './space.mjs';

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

/** @param {number} at index of a 32-bit word of the memory of a space with this geometry */
export function describeWordAt({ locks, cellsAt, cellWords, aboutAt, statsAt, namesAt, recordsAt }, at) {
  const of = (cell) => (locks > 1 ? ` of lock ${cell}` : '');
  const within = (prefix, from, words) => {
    const cell = Math.floor((at - from) / words);
    return nameIn(prefix, (at - from) % words) + of(cell);
  };
  if (at >= recordsAt) {
    const record = Math.floor((at - recordsAt) / layout.RECORD_WORDS);
    const name = nameIn('RECORD_', (at - recordsAt) % layout.RECORD_WORDS);
    return `${name} of thread ${Math.floor(record / locks)}${of(record % locks)}`;
  }
  if (at >= namesAt) return 'a name';
  if (at >= statsAt) return within('STATS_', statsAt, layout.STATS_WORDS);
  if (at >= aboutAt) return within('ABOUT_', aboutAt, layout.ABOUT_WORDS);
  if (at >= cellsAt) return within('CELL_', cellsAt, cellWords);
  if (at < layout.HEADER_WORDS) return nameIn('HEADER_', at);
  const entry = Math.floor((at - layout.HEADER_WORDS) / layout.THREAD_WORDS);
  return `${nameIn('THREAD_', (at - layout.HEADER_WORDS) % layout.THREAD_WORDS)} of thread ${entry}`;
}
