import { count, countOf, duration, rate } from '../units.mjs';
import { escape } from './svg.mjs';

/** The few figures to take away, at the top of the page. @param {import('./page.mjs').Results} results */
export function tiles({ index, contention }) {
  const rowOf = (name) => contention?.locks.find((lock) => lock.name === name)?.rows.at(-1);
  const mutex = rowOf('mutex');
  const futex = rowOf('futex-mutex');
  const several = index.together.filter(({ threads }) => threads > 1);
  const best = several.reduce((a, b) => (b.speedUp > a.speedUp ? b : a), several[0] ?? index.together[0]);
  const all = [
    [
      'Equal',
      `${count(index.distinct)} distinct words, indexed by up to ${index.together.at(-1).threads} threads with locks ` +
        'and by one thread without: word for word, count for count',
    ],
    [
      `${best.speedUp.toFixed(2)} ×`,
      `the speed of one thread without locks: ${countOf(best.threads, 'thread')} with locks`,
    ],
  ];
  if (mutex && futex) {
    all.push(
      [
        `${(mutex.perSecond / futex.perSecond).toFixed(2)} ×`,
        `the throughput of a plain futex mutex, Mutex at ${mutex.threads} threads: ${rate(mutex.perSecond)} a second`,
      ],
      [
        `${(mutex.wait.worst / futex.wait.worst).toFixed(2)} ×`,
        `its worst wait: ${duration(mutex.wait.worst)} against ${duration(futex.wait.worst)}`,
      ],
    );
  }
  const tile = ([figure, words]) =>
    `<div class="tile"><b>${escape(figure)}</b><span>${escape(words)}</span></div>`;
  return `<div class="tiles">${all.map(tile).join('')}</div>`;
}
