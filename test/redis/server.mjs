// Redis servers of the tests' own: on free ports, in throw-away folders, gone when the process is.
import { spawn, spawnSync } from 'node:child_process';
import { randomInt } from 'node:crypto';
import { once } from 'node:events';
import { existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { connect, createServer } from 'node:net';
import { tmpdir } from 'node:os';
import path from 'node:path';
import process from 'node:process';
import { setTimeout as sleep } from 'node:timers/promises';

const started = new Set();
process.on('exit', () => {
  for (const server of started) server.discard();
});

export class RedisServer {
  #child;
  #folder;
  #arguments;
  #env;

  constructor(port, words, env) {
    this.port = port;
    this.#env = env;
    this.#arguments = words;
    this.#folder = mkdtempSync(path.join(tmpdir(), 'mortise-redis-'));
    started.add(this);
  }

  /** A server that answers. `words` are further arguments. */
  static start(...words) {
    return RedisServer.startIn({}, ...words);
  }

  /** The same with further environment variables. */
  static async startIn(env, ...words) {
    install();
    return onFreePorts(async () => {
      const server = new RedisServer(await freePort(), words, env);
      try {
        await server.run();
        return server;
      } catch (error) {
        server.discard();
        throw error;
      }
    });
  }

  /** Three servers that share the slots of a cluster. */
  static async startCluster() {
    const nodes = [];
    for (let count = 0; count < 3; count++) {
      const start = async () => {
        const bus = await freePort();
        const options = ['--cluster-enabled', 'yes', '--cluster-port', bus, '--cluster-node-timeout', 2000];
        return Object.assign(await RedisServer.start(...options), { bus });
      };
      nodes.push(await onFreePorts(start));
    }
    const share = Math.ceil(16_384 / nodes.length);
    for (const [place, node] of nodes.entries()) {
      await node.send(`CLUSTER ADDSLOTSRANGE ${place * share} ${Math.min((place + 1) * share, 16_384) - 1}`);
      await node.send(`CLUSTER MEET 127.0.0.1 ${nodes[0].port} ${nodes[0].bus}`);
    }
    const isWhole = async (node) => /cluster_state:ok[^]*known_nodes:3/.test(await node.send('CLUSTER INFO'));
    await eventually('the cluster is whole', async () =>
      (await Promise.all(nodes.map(isWhole))).every(Boolean),
    );
    return nodes;
  }

  /** A server, its replica, and a sentinel that watches both under the name `main`. */
  static async startSentinel() {
    const main = await RedisServer.start();
    const replica = await RedisServer.start('--replicaof', '127.0.0.1', main.port);
    const file = path.join(main.#folder, 'sentinel.conf');
    const lines = ['sentinel monitor main 127.0.0.1 ' + main.port + ' 1'];
    lines.push('sentinel down-after-milliseconds main 500', 'sentinel failover-timeout main 5000');
    writeFileSync(file, lines.join('\n'));
    const sentinel = await RedisServer.start(file, '--sentinel');
    await eventually('the sentinel knows the replica', async () =>
      (await sentinel.send('SENTINEL REPLICAS main')).includes(String(replica.port)),
    );
    await eventually('the replica follows', async () =>
      (await replica.send('INFO replication')).includes('master_link_status:up'),
    );
    return { main, replica, sentinel };
  }

  get url() {
    return `redis://127.0.0.1:${this.port}`;
  }

  get pid() {
    return this.#child.pid;
  }

  /** Starts it, on its port, and waits until it answers. */
  async run() {
    const [file, ...more] = this.#arguments.includes('--sentinel')
      ? this.#arguments
      : [[], ...this.#arguments];
    const words = ['--port', this.port, '--bind', '127.0.0.1', '--dir', this.#folder];
    const memory = this.#arguments.includes('--sentinel') ? [] : ['--save', ''];
    this.#child = spawn('redis-server', [file, words, memory, more].flat().map(String), {
      stdio: ['ignore', 'pipe', 'inherit'],
      env: { ...process.env, ...this.#env },
    });
    let output = '';
    this.#child.stdout.on('data', (text) => (output += text));
    await eventually('redis-server answers', async () => {
      if (this.#child.exitCode !== null) throw new Error(`redis-server has ended:\n${output}`);
      return (await this.send('PING').catch(() => '')).startsWith('+PONG');
    });
  }

  /** Its answer to a command of words without blanks, as it is on the wire. */
  async send(command) {
    const socket = connect(this.port, '127.0.0.1');
    try {
      await once(socket, 'connect');
      socket.write(`${command}\r\n`);
      const [answer] = await once(socket, 'data');
      return String(answer);
    } finally {
      socket.destroy();
    }
  }

  /** Stops it in its tracks, or lets it go on. */
  pause() {
    process.kill(this.pid, 'SIGSTOP');
  }

  resume() {
    process.kill(this.pid, 'SIGCONT');
  }

  /** Ends it with all it knows. It can be run again. */
  async kill() {
    if (this.#child.exitCode !== null || this.#child.signalCode !== null) return;
    const exited = once(this.#child, 'exit');
    this.#child.kill('SIGKILL');
    await exited;
  }

  async end() {
    await this.kill();
    this.discard();
  }

  discard() {
    started.delete(this);
    this.#child?.kill('SIGKILL');
    rmSync(this.#folder, { recursive: true, force: true });
  }
}

/** Asks again and again, for a minute at the most. */
async function eventually(what, condition) {
  for (const limit = performance.now() + 60_000; !(await condition()); await sleep(10))
    if (performance.now() > limit) throw new Error(`Not within a minute: ${what}`);
}

/**
 * Tries again: somebody else may have taken a port.
 * @template T
 * @param {() => Promise<T>} start
 * @returns {Promise<T>}
 */
async function onFreePorts(start) {
  for (let tries = 1; ; tries++)
    try {
      return await start();
    } catch (error) {
      if (tries === 5) throw error;
    }
}

/** Below the ports that systems give to outgoing connections: one of those may come before the server does. */
const PORTS = { first: 10_000, count: 20_000 };

/** A port that nobody has; whoever asks at the same time hardly gets the same one. */
export async function freePort() {
  for (;;) {
    const port = PORTS.first + randomInt(PORTS.count);
    if (await isFree(port)) return port;
  }
}

async function isFree(port) {
  const server = createServer().listen(port, '127.0.0.1');
  try {
    await once(server, 'listening');
  } catch {
    return false;
  }
  server.close();
  await once(server, 'close');
  return true;
}

function isInstalled() {
  return spawnSync('redis-server', ['--version'], { stdio: 'ignore' }).status === 0;
}

/** Throws one sentence that says what to do, if it may not do it itself. */
function install() {
  if (isInstalled()) return;
  if (process.getuid?.() === 0 && existsSync('/usr/bin/apt-get')) {
    const apt = (...words) =>
      spawnSync('apt-get', ['-q', '-y', '-o', 'DPkg::Lock::Timeout=120', ...words], {
        stdio: ['ignore', 'ignore', 'inherit'],
        env: { ...process.env, DEBIAN_FRONTEND: 'noninteractive' },
      });
    apt('update');
    apt('install', '--no-install-recommends', 'redis-server');
    if (isInstalled()) return;
  }
  throw new Error(
    'These tests need redis-server: install it, on Debian with `apt-get install redis-server`.',
  );
}
