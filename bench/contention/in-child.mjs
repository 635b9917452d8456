import { fork } from 'node:child_process';

/** Milliseconds beyond the length of its runs after which a child that says nothing is given up. */
const patience = 10_000;
/** Flags of V8 that are experiments crash a process now and then. */
const attempts = 2;

/**
 * Puts a lock under contention in a child process with flags of Node.js, see child.mjs.
 * @param {string} name
 * @param {import('./contend.mjs').Plan} plan
 * @param {{ flags: string[], signal?: AbortSignal, onRow?: (row: import('./contend.mjs').Row) => void }} options
 */
export async function contendInChild(name, plan, { flags, signal, onRow }) {
  let result;
  for (let attempt = 1; attempt <= attempts; attempt++) {
    result = await runChild(name, plan, { flags, signal, onRow });
    signal?.throwIfAborted();
    if (result.stuck === null) break;
  }
  return result;
}

/** The child sends a message for each row, then one with everything. */
async function runChild(name, plan, { flags, signal, onRow }) {
  const child = fork(new URL('./child.mjs', import.meta.url), [name, JSON.stringify(plan)], {
    execArgv: flags,
    stdio: ['ignore', 'ignore', 'pipe', 'ipc'],
    signal,
    killSignal: 'SIGKILL',
  });
  const silence = (plan.seconds + plan.emptySeconds) * 1e3 + patience;
  let gaveUp = false;
  const watchdog = setTimeout(() => {
    gaveUp = true;
    child.kill('SIGKILL');
  }, silence);
  let said = '';
  child.stderr.setEncoding('utf8').on('data', (text) => (said += text));
  const rows = [];
  let result;
  child.on('message', (message) => {
    watchdog.refresh();
    if (message.row) {
      rows.push(message.row);
      onRow?.(message.row);
    } else {
      result = message;
    }
  });
  try {
    const { code, killedBy } = await new Promise((resolve, reject) => {
      child.once('error', reject).once('close', (code, killedBy) => resolve({ code, killedBy }));
    });
    if (result) return result;
    // It crashed when its threads were ended, and not for the lock.
    if (rows.length === plan.threads.length) return { rows, missing: null, stuck: null };
    if (gaveUp) return { rows, missing: null, stuck: `its process was silent for ${silence / 1e3} s` };
    // What crashes is there; what ends by itself without a result could not begin.
    if (killedBy) return { rows, missing: null, stuck: `its process was ended by ${killedBy}` };
    const line = said.split('\n').find((text) => /error|bad option/i.test(text));
    const reason = line?.trim() ?? `the process ended with code ${code}`;
    return {
      rows,
      missing: `not with ${flags.join(' ')} in Node.js ${process.version}: ${reason}`,
      stuck: null,
    };
  } finally {
    clearTimeout(watchdog);
  }
}
