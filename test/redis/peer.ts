import { fork, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';

interface Message {
  event?: string;
  order?: string;
  value?: unknown;
}

const peers = new Set<Peer>();

/** Another process that contends for a lock: see peer.mjs. */
export class Peer {
  readonly exited: Promise<unknown>;
  readonly #child: ChildProcess;

  private constructor(url: string, name: string, ttl: number, env: NodeJS.ProcessEnv, program: URL) {
    this.#child = fork(fileURLToPath(program), [url, name, String(ttl)], {
      execArgv: ['--expose-gc'],
      env: { ...process.env, ...env },
      stdio: ['ignore', 'inherit', 'pipe', 'ipc'],
    });
    this.exited = once(this.#child, 'exit').then(([code, signal]) => {
      peers.delete(this);
      return code ?? signal;
    });
    peers.add(this);
  }

  /** `program` is beside this one, or where its URL says. */
  static async start(
    url: string,
    name: string,
    ttl: number,
    env: NodeJS.ProcessEnv = {},
    program: URL = new URL('./peer.mjs', import.meta.url),
  ): Promise<Peer> {
    const peer = new Peer(url, name, ttl, env, program);
    await peer.hears((message) => message.event === 'ready');
    return peer;
  }

  static async endAll(): Promise<void> {
    await Promise.all([...peers].map((peer) => peer.kill('SIGKILL')));
  }

  async tell<T>(order: string): Promise<T> {
    const answer = this.hears((message) => message.order === order);
    this.send(order);
    return (await answer).value as T;
  }

  send(order: string): void {
    this.#child.send(order);
  }

  /** The next message of that kind. */
  hears(isMeant: (message: Message) => boolean): Promise<Message> {
    return new Promise((resolve) => {
      const listener = (message: unknown): void => {
        if (!isMeant(message as Message)) return;
        this.#child.off('message', listener);
        resolve(message as Message);
      };
      this.#child.on('message', listener);
    });
  }

  signal(signal: NodeJS.Signals): void {
    this.#child.kill(signal);
  }

  async kill(signal: NodeJS.Signals): Promise<void> {
    this.signal(signal);
    await this.exited;
  }
}
