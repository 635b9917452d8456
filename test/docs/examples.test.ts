import { existsSync, readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { fromDocstrings, fromMarkdown } from './extract.ts';
import { needsEtcd, needsRedis, run, runnable } from './run.ts';
import { EtcdCluster } from '../etcd/cluster.mjs';
import { RedisServer } from '../redis/server.mjs';

const root = fileURLToPath(new URL('../..', import.meta.url));
const readme = existsSync(path.join(root, 'README.md')) ? ['README.md'] : [];
const pages = [...readme, ...filesIn('docs', '.md')];

const examples = [
  ...pages.flatMap((page) => fromMarkdown(page, read(page))),
  ...filesIn('src', '.ts').flatMap((file) => fromDocstrings(file, read(file))),
];

it('the README shows how to use the package', () => {
  const shown = runnable(examples).filter(({ page }) => page === 'README.md');
  expect(shown.length).toBeGreaterThanOrEqual(readme.length);
});

describe('examples', () => {
  const environment: Record<string, string> = {};
  let server: RedisServer | undefined;
  let cluster: EtcdCluster | undefined;

  beforeAll(async () => {
    if (runnable(examples).some(needsRedis)) {
      server = await RedisServer.start();
      environment['REDIS_URL'] = server.url;
    }
    if (runnable(examples).some(needsEtcd)) {
      cluster = await EtcdCluster.start();
      environment['ETCD_ENDPOINTS'] = cluster.endpoints.join(',');
    }
  });
  afterAll(() => Promise.all([server?.end(), cluster?.end()]));

  for (const example of runnable(examples)) {
    const [file] = example.page.split(':');
    it(`${file}:${example.line}`, async () => {
      expect(await run(example, examples, 20_000, environment)).toEqual({ status: 0, stderr: '' });
    });
  }
});

function filesIn(folder: string, extension: string): string[] {
  if (!existsSync(path.join(root, folder))) return [];
  return readdirSync(path.join(root, folder), { recursive: true, encoding: 'utf8' })
    .filter((file) => file.endsWith(extension))
    .map((file) => path.posix.join(folder, file.split(path.sep).join('/')))
    .sort();
}

function read(file: string): string {
  return readFileSync(path.join(root, file), 'utf8');
}
