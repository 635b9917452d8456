import { fork } from 'node:child_process';
import { once } from 'node:events';
import { atMost, exactly } from '../figures/figure.mjs';
import { duration } from '../units.mjs';

const PROCESSES = 8;
const SECONDS = 6;
const program = new URL('./contending-process.mjs', import.meta.url);
/** Of etcd's recipe, for an acquisition that waits: to queue, to look for the one before, to watch it, to look for itself, to leave. */
const RECIPE = 5;

/**
 * Eight processes want one lock: each holds it for 10 ms and goes away for 30 ms. In which order they get it, and how many
 * requests that takes, as etcd itself counts them.
 * @param {{ single: { endpoints: string[], members: any[] } }} clusters
 * @param {(share: number) => void} onProgress @param {AbortSignal} signal
 * @returns {Promise<import('../figures/figure.mjs').Figure[]>}
 */
export async function contended({ single }, onProgress, signal) {
  const children = Array.from({ length: PROCESSES }, () =>
    fork(program, [single.endpoints.join(','), String(SECONDS)]),
  );
  const killAll = () => children.forEach((child) => child.kill('SIGKILL'));
  signal.addEventListener('abort', killAll);
  try {
    await Promise.all(children.map((child) => once(child, 'message')));
    const before = await single.members[0].requests();
    const results = children.map((child) => once(child, 'message'));
    for (const child of children) child.send('begin');
    const all = (await Promise.all(results)).flatMap(([result]) => result);
    const after = await single.members[0].requests();
    onProgress(1);
    const requests = ['Range', 'Put', 'DeleteRange', 'Txn', 'Watch'].reduce(
      (sum, method) => sum + after[method] - before[method],
      0,
    );
    all.sort((a, b) => a.at - b.at);
    // Whoever has the lock later has the larger revision: they were served in the order in which etcd had them come.
    const overtaken = all.filter(({ fence }, index) => index > 0 && fence <= all[index - 1].fence).length;
    const waits = all.map(({ wait }) => wait).sort((a, b) => a - b);
    const at = (share) => duration(waits[Math.floor(waits.length * share)]);
    const detail = `p50 ${at(0.5)}, p99 ${at(0.99)}, ${all.length} locks`;
    const each = requests / all.length;
    return [
      exactly(`${PROCESSES} processes: served out of the order of revisions`, overtaken, 0, '', detail),
      atMost(
        `${PROCESSES} processes: requests an acquisition and release (${RECIPE} by the recipe)`,
        Number(each.toFixed(2)),
        RECIPE + 1,
        {
          unit: '',
          detail: `${requests} requests; 2 without contention`,
        },
      ),
    ];
  } finally {
    signal.removeEventListener('abort', killAll);
    killAll();
  }
}
