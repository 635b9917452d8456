import { availableParallelism } from 'node:os';
import { ProcessStress } from '../../test/stress/processes.mjs';
import { atLeast, atMost, exactly } from '../figures/figure.mjs';

const SECONDS = 60;

/**
 * Locks of `Space.open` in 4 processes with 2 threads each, of which one or another is always being killed.
 * @param {string} _folder @param {(share: number) => void} onProgress
 * @returns {Promise<import('../figures/figure.mjs').Figure[]>}
 */
export async function kills(_folder, onProgress) {
  const begin = performance.now();
  const timer = setInterval(() => onProgress(Math.min(1, (performance.now() - begin) / 1000 / SECONDS)), 500);
  const seed = (Math.random() * 2 ** 30) | 0;
  try {
    const result = await new ProcessStress({ seed }).run({ seconds: SECONDS });
    const { violations, errors, permits, permitsBack, worstStall, noise, sections } = result;
    const wrong = violations.reduce((sum, { times }) => sum + times, errors.length);
    const what = `kill stress, ${SECONDS} s`;
    const detail = `${sections.toLocaleString('en')} sections, seed ${seed}; ${errors.join(', ')}`;
    const idle = `a thread without locks was held up for ${noise.toFixed(1)} ms, on ${availableParallelism()} processors`;
    return [
      { ...atLeast(`${what}: processes killed`, result.kills, 200, { detail }), unit: '' },
      exactly(`${what}: errors of exclusion, and others`, wrong, 0, '', detail),
      exactly(`${what}: permits that came back`, permitsBack, permits, '', detail),
      atMost(`${what}: worst stall`, Math.round(worstStall * 10) / 10, 200, { unit: 'ms', detail: idle }),
    ];
  } finally {
    clearInterval(timer);
  }
}
