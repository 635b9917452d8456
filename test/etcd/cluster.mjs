// etcd clusters of the tests' own: on free ports, in throw-away folders, gone when the process is.
import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import process from 'node:process';
import { setTimeout as sleep } from 'node:timers/promises';
import { freePort } from '../redis/server.mjs';

const started = new Set();
process.on('exit', () => {
  for (const member of started) member.discard();
});

/** One member of a cluster. */
export class EtcdMember {
  #child;
  #folder;
  #arguments;
  #output = '';

  constructor(name, port, peerPort, words) {
    this.name = name;
    this.port = port;
    this.peerPort = peerPort;
    this.scheme = words.some((word) => /^--(auto-tls|cert-file)$/.test(word)) ? 'https' : 'http';
    this.#arguments = words;
    this.#folder = mkdtempSync(path.join(tmpdir(), 'mortise-etcd-'));
    started.add(this);
  }

  get url() {
    return `${this.scheme}://127.0.0.1:${this.port}`;
  }

  get peerUrl() {
    return `http://127.0.0.1:${this.peerPort}`;
  }

  get pid() {
    return this.#child.pid;
  }

  /** Starts it, or starts it again with all it knew. */
  run(cluster) {
    const words = ['--name', this.name, '--data-dir', this.#folder];
    words.push('--listen-client-urls', this.url, '--advertise-client-urls', this.url);
    words.push('--listen-peer-urls', this.peerUrl, '--initial-advertise-peer-urls', this.peerUrl);
    words.push('--initial-cluster', cluster, '--initial-cluster-token', cluster);
    words.push('--logger', 'zap', '--log-level', 'error', '--auto-compaction-retention', '0');
    this.#child = spawn('etcd', [...words, ...this.#arguments], { stdio: ['ignore', 'pipe', 'pipe'] });
    for (const stream of [this.#child.stdout, this.#child.stderr])
      stream.on('data', (text) => (this.#output += text));
  }

  /** The certificate that it made for itself, with `--auto-tls`. */
  get certificate() {
    return readFileSync(path.join(this.#folder, 'fixtures', 'client', 'cert.pem'));
  }

  /** Its answer to a request, by the JSON gateway. @returns {Promise<any>} */
  async ask(where, body = {}) {
    const signal = AbortSignal.timeout(5000);
    const response = await fetch(`${this.url}/v3/${where}`, {
      method: 'POST',
      body: JSON.stringify(body),
      signal,
    });
    const answer = await response.json();
    if (!response.ok) throw new Error(answer.message ?? answer.error);
    return answer;
  }

  /** Does it serve, with a leader? */
  async isReady() {
    if (this.#child.exitCode !== null) throw new Error(`etcd has ended:\n${this.#output}`);
    try {
      if (this.scheme === 'https') return existsSync(path.join(this.#folder, 'member', 'snap', 'db'));
      await this.ask('kv/range', { key: 'AA==', limit: 1 });
      return true;
    } catch {
      return false;
    }
  }

  async isLeader() {
    const { leader, header } = await this.ask('maintenance/status');
    return leader === header.member_id;
  }

  /** How many requests it was asked by each method of gRPC, since it was started. */
  async requests() {
    const text = await (await fetch(`${this.url}/metrics`)).text();
    const counts = {};
    for (const [, method, count] of text.matchAll(
      /^grpc_server_started_total\{grpc_method="(\w+)".*\} (\d+)$/gm,
    ))
      counts[method] = (counts[method] ?? 0) + Number(count);
    return counts;
  }

  /** How many ranges are watched. */
  async watchers() {
    const text = await (await fetch(`${this.url}/metrics`)).text();
    return Number(/^etcd_debugging_mvcc_watcher_total (\d+)$/m.exec(text)?.[1] ?? 0);
  }

  /** Stops it in its tracks, or lets it go on. */
  pause() {
    process.kill(this.pid, 'SIGSTOP');
  }

  resume() {
    process.kill(this.pid, 'SIGCONT');
  }

  async kill() {
    if (this.#child.exitCode !== null || this.#child.signalCode !== null) return;
    const exited = once(this.#child, 'exit');
    this.#child.kill('SIGKILL');
    await exited;
  }

  discard() {
    started.delete(this);
    this.#child?.kill('SIGKILL');
    rmSync(this.#folder, { recursive: true, force: true, maxRetries: 5 });
  }
}

export class EtcdCluster {
  /** @type {EtcdMember[]} */
  members;

  /** @private */
  constructor(members) {
    this.members = members;
  }

  /** `size` members that agree on a leader. `words` are further arguments of each. */
  static async start(size = 1, words = []) {
    install();
    for (let tries = 1; ; tries++) {
      const members = [];
      for (let count = 0; count < size; count++)
        members.push(new EtcdMember(`member-${count}`, await freePort(), await freePort(), words));
      const cluster = new EtcdCluster(members);
      try {
        await cluster.run();
        return cluster;
      } catch (error) {
        for (const member of members) member.discard();
        if (tries === 5) throw error; // Somebody else may have taken a port.
      }
    }
  }

  /** @returns {string[]} */
  get endpoints() {
    return this.members.map(({ url }) => url);
  }

  async run(...members) {
    const cluster = this.members.map(({ name, peerUrl }) => `${name}=${peerUrl}`).join(',');
    for (const member of members.length > 0 ? members : this.members) member.run(cluster);
    await this.whole();
  }

  /** All members that run serve. */
  async whole() {
    await eventually('the cluster serves', async () =>
      (await Promise.all(this.members.map((member) => member.isReady()))).every(Boolean),
    );
  }

  async leader() {
    for (const member of this.members) if (await member.isLeader()) return member;
    throw new Error('There is no leader');
  }

  /** All that is stored under a prefix. @returns {Promise<string[]>} */
  async keys(prefix = 'mortise/') {
    const end = prefix.slice(0, -1) + String.fromCharCode(prefix.charCodeAt(prefix.length - 1) + 1);
    const base64 = (text) => Buffer.from(text).toString('base64');
    const { kvs = [] } = await this.members[0].ask('kv/range', {
      key: base64(prefix),
      range_end: base64(end),
    });
    return kvs.map(({ key }) => String(Buffer.from(key, 'base64')));
  }

  async end() {
    await Promise.all(this.members.map((member) => member.kill()));
    for (const member of this.members) member.discard();
  }
}

/** Asks again and again, for a minute at the most. */
async function eventually(what, condition) {
  for (const limit = performance.now() + 60_000; !(await condition()); await sleep(20))
    if (performance.now() > limit) throw new Error(`Not within a minute: ${what}`);
}

function isInstalled() {
  return ['etcd', 'etcdctl'].every((program) => {
    const word = program === 'etcd' ? '--version' : 'version';
    return spawnSync(program, [word], { stdio: 'ignore' }).status === 0;
  });
}

/** Throws one sentence that says what to do, if it may not do it itself. */
function install() {
  if (isInstalled()) return;
  if (process.getuid?.() === 0 && existsSync('/usr/bin/apt-get')) {
    const apt = (...words) =>
      spawnSync('apt-get', ['-q', '-y', '-o', 'DPkg::Lock::Timeout=120', ...words], {
        stdio: ['ignore', 'ignore', 'inherit'],
        // The tests start servers of their own; a service is of no use to them.
        env: { ...process.env, DEBIAN_FRONTEND: 'noninteractive', RUNLEVEL: '1' },
      });
    apt('update');
    apt('install', '--no-install-recommends', 'etcd-server', 'etcd-client');
    if (isInstalled()) return;
  }
  throw new Error(
    'These tests need etcd and etcdctl: install them, on Debian with `apt-get install etcd-server etcd-client`.',
  );
}
