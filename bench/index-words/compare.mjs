/**
 * The first word of which two tables differ, or null: word for word, count for count, files for files.
 * @param {import('./table.mjs').WordTable} expected
 * @param {import('./table.mjs').WordTable} actual
 * @returns {string | null}
 */
export function difference(expected, actual) {
  const entries = new Map();
  for (const { word, count, files } of expected.entries()) entries.set(word, { count, files });
  let words = 0;
  for (const { word, count, files } of actual.entries()) {
    const entry = entries.get(word);
    if (entry === undefined) return `"${readable(word)}" is there ${count} times and should not be`;
    if (entry.count !== count || entry.files !== files) {
      return (
        `"${readable(word)}" was counted ${count} times in ${files} files, ` +
        `and is there ${entry.count} times in ${entry.files} files`
      );
    }
    words++;
  }
  if (words !== entries.size) return `${words} words were found of ${entries.size}`;
  return null;
}

/**
 * The most frequent words; among equals, in alphabetical order.
 * @param {import('./table.mjs').WordTable} table
 * @param {number} limit
 */
export function topWords(table, limit) {
  return [...table.entries()]
    .sort((a, b) => b.count - a.count || (a.word < b.word ? -1 : 1))
    .slice(0, limit)
    .map(({ word, count, files }) => ({ word: readable(word), count, files }));
}

/** Table entries name words by their bytes. */
function readable(word) {
  return Buffer.from(word, 'latin1').toString('utf8');
}
