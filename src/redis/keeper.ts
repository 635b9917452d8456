/** The thread that renews holds while this one's event loop is blocked, seen from here: one for all holds, from the first one on. */
import { MessageChannel, Worker, receiveMessageOnPort, type MessagePort } from 'node:worker_threads';
import type { Terms } from '../remote/hold.js';

/** A store in words that can be sent to a thread. */
export interface StorePlan {
  readonly description: string;
  readonly kind: 'lock' | 'pool';
  readonly urls: readonly string[];
  readonly key: string;
  readonly ttl: number;
}

/** What the thread is asked to do. */
export type Order =
  | { do: 'keep'; token: string; plan: StorePlan; terms: Terms; sentAt: number }
  | { do: 'extend'; token: string; ttl: number; question: number }
  | { do: 'leave'; token: string };

/** What it tells, in the order in which it happened. */
export type Answer =
  | { token: string; until: number }
  | { token: string; lost: string }
  | { token: string; question: number; failure: unknown };

interface Listener {
  hear(answer: Answer): void;
}

class Keeper {
  /** By token. */
  readonly #renewals = new Map<string, Listener>();
  #port: MessagePort | null = null;
  #ready: Promise<unknown> | null = null;

  add(token: string, renewal: Listener): void {
    this.#renewals.set(token, renewal);
  }

  remove(token: string): void {
    if (this.#renewals.delete(token)) this.tell({ do: 'leave', token });
  }

  /** Resolves when the thread has loaded what it needs, or cannot: that takes longer than some locks last. */
  async ready(): Promise<void> {
    if (this.#port === null) this.#start();
    await this.#ready;
  }

  tell(order: Order): void {
    (this.#port ?? this.#start()).postMessage(order);
  }

  /** Reads what has been told so far. */
  catchUp(): void {
    while (this.#port !== null) {
      const received = receiveMessageOnPort(this.#port) as { message: Answer } | undefined;
      if (received === undefined) return;
      this.#hear(received.message);
    }
  }

  #start(): MessagePort {
    const { port1, port2 } = new MessageChannel();
    const program = new URL('./keeper-thread.js', import.meta.url);
    const worker = new Worker(program, { workerData: port2, transferList: [port2] });
    port1.on('message', (answer: Answer) => this.#hear(answer));
    this.#ready = new Promise((resolve) => {
      worker.once('message', () => {
        worker.unref();
        resolve(undefined);
      });
      // Holds that it cannot renew any more expire, and say so.
      worker.once('error', resolve);
      worker.once('exit', () => {
        resolve(undefined);
        if (this.#port === port1) this.#port = null;
      });
    });
    port1.unref();
    return (this.#port = port1);
  }

  #hear(answer: Answer): void {
    this.#renewals.get(answer.token)?.hear(answer);
  }
}

export const keeper: Keeper = new Keeper();
