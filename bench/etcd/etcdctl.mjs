import { spawn } from 'node:child_process';
import { once } from 'node:events';
import process from 'node:process';
import { setTimeout as sleep } from 'node:timers/promises';

/**
 * Hand-offs of `etcdctl lock`, which holds a lock until it is interrupted: from the interrupt of the holder until the one who
 * waits says that it has it.
 * @returns {Promise<number[]>} milliseconds
 */
export async function etcdctlLock({ endpoints }, turns, signal) {
  const times = [];
  let holder = await start(endpoints);
  await holder.acquired;
  try {
    for (let turn = 0; turn < turns; turn++) {
      signal.throwIfAborted();
      const next = await start(endpoints);
      // Nothing tells from outside when it waits.
      await sleep(150);
      const begin = performance.now();
      holder.child.kill('SIGINT');
      times.push((await next.acquired) - begin);
      await holder.exited;
      holder = next;
    }
  } finally {
    holder.child.kill('SIGINT');
    await holder.exited;
  }
  return times;
}

async function start(endpoints) {
  const child = spawn('etcdctl', ['--endpoints', endpoints.join(','), 'lock', 'etcdctl-hand-off'], {
    env: { ...process.env, ETCDCTL_API: '3' },
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const exited = once(child, 'exit');
  const acquired = once(child.stdout, 'data').then(() => performance.now());
  await once(child, 'spawn');
  return { child, exited, acquired };
}
