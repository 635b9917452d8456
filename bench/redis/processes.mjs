import { fork } from 'node:child_process';
import { once } from 'node:events';
import { atMost, missing, unbounded } from '../figures/figure.mjs';
import { duration } from '../units.mjs';
import { connect, notInstalled, peers, prepare } from './kinds.mjs';

const PROCESSES = 8;
const SECONDS = 10;
const program = new URL('./contending-process.mjs', import.meta.url);

/**
 * Eight processes want one lock: each holds it for 10 ms and goes away for 30 ms. How long the unluckiest wait, and how many
 * commands a lock costs the server.
 * @param {{ server: { port: number } }} places @param {(share: number) => void} onProgress @param {AbortSignal} signal
 * @returns {Promise<import('../figures/figure.mjs').Figure[]>}
 */
export async function processes({ server }, onProgress, signal) {
  const kinds = ['blpop', 'mortise', ...peers];
  const figures = [];
  let limit;
  for (const [index, kind] of kinds.entries()) {
    onProgress(index / kinds.length);
    const result = await contend(server, kind, signal);
    if (result === null) {
      figures.push(missing(`${PROCESSES} processes: p99 wait of ${kind}`, notInstalled));
      continue;
    }
    const { p50, p99, locks, commands } = result;
    const detail = `p50 ${duration(p50)}, p99 ${duration(p99)}, ${locks} locks, ${commands.toFixed(1)} commands each`;
    if (kind === 'blpop') limit = p99;
    const name = `${PROCESSES} processes: p99 wait of ${kind} against the BLPOP queue`;
    if (kind !== 'mortise') figures.push(unbounded(name, p99 / limit, detail));
    else
      figures.push(
        atMost(name, p99 / limit, 1.3, { detail }),
        atMost(`${PROCESSES} processes: commands a lock`, Number(commands.toFixed(2)), 4, {
          unit: '',
          detail,
        }),
      );
  }
  return figures;
}

async function contend(server, kind, signal) {
  const name = `contended-${kind}`;
  const client = connect(server);
  await prepare(kind, client, name);
  client.disconnect();
  const children = Array.from({ length: PROCESSES }, () =>
    fork(program, [String(server.port), kind, name, String(SECONDS)]),
  );
  const killAll = () => children.forEach((child) => child.kill('SIGKILL'));
  signal.addEventListener('abort', killAll);
  try {
    const ready = await Promise.all(children.map((child) => once(child, 'message')));
    if (ready.some(([it]) => it === 'missing')) return null;
    const results = children.map((child) => once(child, 'message'));
    for (const child of children) child.send('begin');
    const all = (await Promise.all(results)).map(([result]) => result);
    const waits = all.flatMap((result) => result.waits).sort((a, b) => a - b);
    const commands = all.reduce((sum, result) => sum + result.commands, 0);
    const at = (share) => waits[Math.floor(waits.length * share)];
    return { p50: at(0.5), p99: at(0.99), locks: waits.length, commands: commands / waits.length };
  } finally {
    signal.removeEventListener('abort', killAll);
    killAll();
  }
}
