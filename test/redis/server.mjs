// Redis servers of the tests' own: on free ports, in throw-away folders, gone when the process is.
import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdtempSync, rmSync } from 'node:fs';
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

  constructor(port, words) {
    this.port = port;
    this.#arguments = words;
    this.#folder = mkdtempSync(path.join(tmpdir(), 'mortise-redis-'));
    started.add(this);
  }

  /** A server that answers. `words` are further arguments. */
  static async start(...words) {
    install();
    for (let tries = 1; ; tries++) {
      const server = new RedisServer(await freePort(), words);
      try {
        await server.run();
        return server;
      } catch (error) {
        server.discard();
        if (tries === 5) throw error; // Somebody else may have taken the port.
      }
    }
  }

  get url() {
    return `redis://127.0.0.1:${this.port}`;
  }

  get pid() {
    return this.#child.pid;
  }

  /** Starts it, on its port, and waits until it answers. */
  async run() {
    const words = ['--port', this.port, '--bind', '127.0.0.1', '--dir', this.#folder, '--save', ''];
    this.#child = spawn('redis-server', [...words, ...this.#arguments].map(String), {
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    let output = '';
    this.#child.stdout.on('data', (text) => (output += text));
    for (let waited = 0; waited < 20_000; waited += 10) {
      if (this.#child.exitCode !== null) throw new Error(`redis-server has ended:\n${output}`);
      if ((await this.send('PING').catch(() => '')).startsWith('+PONG')) return;
      await sleep(10);
    }
    throw new Error(`redis-server does not answer:\n${output}`);
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

export async function freePort() {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address();
  server.close();
  await once(server, 'close');
  return port;
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
