import { join } from 'node:path';
import { writeFileSync } from 'node:fs';
import { FileLock } from 'mortise/file';
import { atMost, missing, unbounded } from '../figures/figure.mjs';
import { median } from '../figures/median.mjs';
import { duration } from '../units.mjs';
import { Child } from './child.mjs';
import { HOW_TO_GET_FS_EXT, fsExt, properLockfile } from './peers.mjs';

const program = new URL('./waiters-process.mjs', import.meta.url);
const rounds = 9;
/** So many that those who wait, who look by themselves the more seldom the longer they wait, do so for most of the time. */
const reads = 3000;
const count = 200;

/**
 * What `fs.promises.readFile` costs in a process in which 200 requests wait for file locks that another one holds,
 * against the same without them.
 * @param {string} folder @param {(share: number) => void} onProgress @param {AbortSignal} signal
 * @returns {Promise<import('../figures/figure.mjs').Figure[]>}
 */
export async function waiters(folder, onProgress, signal) {
  const file = join(folder, 'read');
  writeFileSync(file, Buffer.alloc(4096));
  const part = (index) => (share) => onProgress((index + share) / 4);
  const paths = (name, length) => Array.from({ length }, (_, index) => join(folder, `${name}-${index}`));

  const one = paths('one', 1);
  const many = paths('many', count);
  const guards = [...one, ...many].map((path) => new FileLock(path).acquireSync());
  const figures = [];
  try {
    for (const [index, [what, locks]] of [
      [`${count} waiters for one FileLock`, one],
      [`${count} waiters for ${count} FileLocks`, many],
    ].entries()) {
      const measured = await besideFileLocks({ file, locks, signal, onProgress: part(index) });
      const name = `readFile beside ${what}, against the same without`;
      figures.push(atMost(name, measured.ratio, 1.25, { detail: measured.detail }));
    }
  } finally {
    for (const guard of guards) guard.release();
  }

  const [taken] = paths('taken', 1);
  writeFileSync(taken, '');
  const release = await properLockfile.lock(taken);
  part(2)(0);
  figures.push(await besidePeer('proper-lockfile', { file, locks: [taken], signal }));
  await release();
  part(3)(0);
  if (fsExt) figures.push(await besideFsExt({ file, taken, signal }));
  else figures.push(missing('readFile beside fs-ext', HOW_TO_GET_FS_EXT));
  return figures;
}

/** Rounds with and without alternate. */
async function besideFileLocks({ file, locks, signal, onProgress }) {
  const child = new Child(program, [], { signal });
  const ratios = [];
  const times = { without: [], beside: [] };
  try {
    for (let round = -2; round < rounds; round++) {
      const before = await child.ask({ read: file, reads });
      await child.ask({ wait: 'file', locks, count });
      const beside = await child.ask({ read: file, reads });
      await child.ask({ giveUp: true });
      const after = await child.ask({ read: file, reads });
      if (round < 0) continue;
      ratios.push((2 * beside) / (before + after));
      times.without.push(before, after);
      times.beside.push(beside);
      onProgress((round + 1) / rounds);
    }
  } finally {
    await child.kill();
  }
  return { ratio: median(ratios), detail: shown(times) };
}

/** Those who wait cannot be told to give up, so a second process is the one without them. */
async function besidePeer(kind, { file, locks, signal }) {
  const [idle, busy] = [0, 1].map(() => new Child(program, [], { signal }));
  try {
    for (const child of [idle, busy]) await child.ask({ read: file, reads });
    await busy.ask({ wait: kind, locks, count });
    const first = await busy.ask({ read: file, reads, limit: 5000 });
    const name = `readFile beside ${count} waiters of ${kind}, against the same without`;
    if (first === null) return missing(`${name}: it stands still`, `not one file was read within 5 s`);
    const ratios = [];
    const times = { without: [], beside: [] };
    for (let round = 0; round < rounds; round++) {
      const before = await idle.ask({ read: file, reads });
      const beside = await busy.ask({ read: file, reads });
      const after = await idle.ask({ read: file, reads });
      ratios.push((2 * beside) / (before + after));
      times.without.push(before, after);
      times.beside.push(beside);
    }
    return unbounded(name, median(ratios), shown(times));
  } finally {
    await Promise.all([idle.kill(), busy.kill()]);
  }
}

function shown({ without, beside }) {
  return `${duration(median(beside))} against ${duration(median(without))} a file`;
}

async function besideFsExt({ file, taken, signal }) {
  const holder = new FileLock(`${taken}-flock`).acquireSync();
  try {
    return await besidePeer('fs-ext', { file, locks: [`${taken}-flock`], signal });
  } finally {
    holder.release();
  }
}
