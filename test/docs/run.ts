import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import type { Example } from './extract.ts';
import { instrument } from './instrument.ts';

const root = fileURLToPath(new URL('../..', import.meta.url));

export interface Outcome {
  /** Zero if the example ended by itself and threw nothing; null if it was stopped at its time limit. */
  readonly status: number | null;
  readonly stderr: string;
}

/** Examples that are run by themselves: not those marked `no-run`, nor files that another one of their page starts. */
export function runnable(examples: readonly Example[]): Example[] {
  return examples.filter(
    ({ run, page, fileName }) =>
      run &&
      (fileName === undefined ||
        !examples.some(
          (other) =>
            other.page === page && other.fileName !== fileName && other.code.includes(`./${fileName}`),
        )),
  );
}

/** Does it need a Redis server, whose address it takes from its environment? */
export function needsRedis({ code }: Example): boolean {
  return code.includes('process.env.REDIS_URL');
}

/** Does it need an etcd cluster, whose members it takes from its environment? */
export function needsEtcd({ code }: Example): boolean {
  return code.includes('process.env.ETCD_ENDPOINTS');
}

/** Runs an example in a process and a folder of its own, where `mortise` is this package. */
export async function run(
  example: Example,
  all: readonly Example[],
  timeout = 20_000,
  environment: Record<string, string> = {},
): Promise<Outcome> {
  mkdirSync(path.join(root, 'build'), { recursive: true });
  const folder = mkdtempSync(path.join(root, 'build', 'example-'));
  try {
    for (const { fileName, ...rest } of filesFor(example, all)) {
      writeFileSync(path.join(folder, fileName), instrument({ ...rest, fileName }));
    }
    const main = path.join(folder, example.fileName ?? 'example.mjs');
    writeFileSync(main, instrument(example));
    return await execute(main, timeout, environment);
  } finally {
    rmSync(folder, { recursive: true });
  }
}

/** The named files of the example's page; of two with one name, the one that stands nearer. */
function filesFor(example: Example, all: readonly Example[]): (Example & { fileName: string })[] {
  const distance = ({ line }: Example): number => Math.abs(line - example.line);
  return all
    .filter((other): other is Example & { fileName: string } => other.fileName !== undefined)
    .filter((other) => other !== example && other.page === example.page)
    .sort((a, b) => distance(b) - distance(a));
}

async function execute(main: string, timeout: number, environment: Record<string, string>): Promise<Outcome> {
  const env = { ...process.env, ...environment };
  // Both at once make Node.js warn.
  delete env['FORCE_COLOR'];
  delete env['NO_COLOR'];
  const child = spawn(process.execPath, [main], {
    cwd: path.dirname(main),
    env,
    stdio: ['ignore', 'ignore', 'pipe'],
    timeout,
    killSignal: 'SIGKILL',
  });
  let stderr = '';
  child.stderr.setEncoding('utf8').on('data', (text: string) => (stderr += text));
  const [status] = (await once(child, 'close')) as [number | null];
  return { status, stderr };
}
